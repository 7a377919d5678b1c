"""Lets a trained language model write, or suggest the next word.

    python -m experiments.generate --model=results/word_model --cell=lstm --prompt="in the beginning" --temperature=0.8 --top_k=40
    python -m experiments.generate --model=results/word_model --cell=lstm --prompt="and he said un" --suggest=5

A text is the prompt and what follows until `--sentences` sentences are complete or `--tokens` tokens are written; the same key
gives the same text, and the unknown token is never written. Suggestions complete the last word of a prompt, or follow it if it
ends with a space. The model is that of seed 0; training must have been run here, since results hold no weights.
"""

from collections.abc import Sequence
from pathlib import Path
import sys
from typing import Any

from absl import flags
import jax

from experiments.language.writing import GenerateError, load_model, split_prompt, suggest, write
from sweepkit import terminal
from sweepkit.store import files


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Writes or suggests from the command line and returns an exit code."""
  values = flags.FlagValues()
  flags.DEFINE_string("model", "results/word_model", "Folder of the results of a language model.", flag_values=values)
  flags.DEFINE_string("cell", None, "Which cell's run, if there are several.", flag_values=values)
  flags.DEFINE_string("run", None, "Which run by name, if there are several.", flag_values=values)
  flags.DEFINE_string("corpus", None, "Where its text lies, if that was moved.", flag_values=values)
  flags.DEFINE_string("prompt", "", "What the text begins with.", flag_values=values)
  flags.DEFINE_integer("tokens", 60, "Largest number of tokens to write.", flag_values=values)
  flags.DEFINE_integer("sentences", 1, "Largest number of sentences to write.", flag_values=values)
  flags.DEFINE_integer("samples", 1, "Texts to write.", lower_bound=1, flag_values=values)
  flags.DEFINE_float("temperature", 1.0, "0 always takes the most probable token.", flag_values=values)
  flags.DEFINE_integer("top_k", None, "Draw from that many most probable tokens only.", flag_values=values)
  flags.DEFINE_integer("key", 0, "Seed of the random numbers.", flag_values=values)
  flags.DEFINE_integer("suggest", 0, "Suggest that many next words instead.", lower_bound=0, flag_values=values)
  flags.DEFINE_boolean("help", False, "Print this and exit.", short_name="h", flag_values=values)
  try:
    rest = values(["generate", *(sys.argv[1:] if argv is None else argv)])[1:]
    if rest:
      raise GenerateError(f"{rest[0]!r} is not a flag; flags look like --prompt=TEXT.")
    f: Any = values.flag_values_dict()
    if f["help"]:
      print(f"{__doc__}\npython -m experiments.generate [flags]\n{values.get_help()}")
      return 0
    model = load_model(Path(files.check_path(f["model"])), f["cell"], f["run"], f["corpus"])
    if f["suggest"]:
      found = suggest(model, f["prompt"], f["suggest"])
      if not found:
        begun = split_prompt(model.corpus, f["prompt"])[1]
        raise GenerateError(f"Nothing to suggest: no word of the vocabulary begins with {begun!r}.")
      for word, probability in found:
        print(f"{probability:.3f}  {word}")
    else:
      for key in jax.random.split(jax.random.key(f["key"]), f["samples"]):
        print(write(model, f["prompt"], f["tokens"], key, f["temperature"], f["top_k"], f["sentences"]))
  except (flags.Error, ValueError) as error:
    print(f"generate: {error}", file=sys.stderr)
    return 2
  return 0


if __name__ == "__main__":
  sys.exit(main())
