"""Trained language models that write: what follows a prompt, and which words may come next."""

from functools import partial
from pathlib import Path
import re
import shlex
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array
import numpy as np

from experiments.language import sources, text
from experiments.language.settings import LanguageSettings
from experiments.training import build, final_states
import recurrent_lab as rl
from recurrent_lab import sequence, training
from sweepkit import commands, store
from sweepkit.points import read

BOUNDARY_TOKEN, UNKNOWN_TOKEN = (text.SPECIAL.index(token) for token in (text.BOUNDARY, text.UNKNOWN))


class Model(NamedTuple):
  """A trained language model.

  Attributes:
    cell: one cell, or a stack of them.
    params: its parameters.
    corpus: the text that it was trained on.
  """

  cell: rl.Cell
  params: rl.WithReadoutParams
  corpus: text.Corpus


class GenerateError(ValueError):
  """Raised if a text cannot be generated; the message says why in one sentence."""


def _find_text(name: str, run: Path, corpus: str | None) -> None:
  """Finds the text that a model was trained on: in the file given, or where it lay, or where its older name says.

  Raises:
    TextError: if another text or none is there.
  """
  if corpus is not None:
    found = sources.canonical(corpus)
    if not sources.is_same(found, name):
      raise sources.TextError(f"--corpus: {corpus!r} is {found}, but the model was trained on {name}; give that text.")
    return
  path = sources.noted(run)
  try:
    sources.canonical(name)
  except sources.TextError:
    if name in sources.CORPORA:
      raise
    there = f"is no longer {path}" if path else "is not there"
    raise sources.TextError(f"The text of the model, {name}, {there}; say where it lies with --corpus=FILE.") from None


def load_model(folder: Path, cell: str | None = None, run: str | None = None, corpus: str | None = None) -> Model:
  """The language model of a results folder that has this cell, or is the run of this name.

  Args:
    corpus: the file that holds its text, if that has been moved.

  Raises:
    GenerateError: if there is none, or more than one.
    ResultsError: if results or checkpoint are missing or altered.
    TextError: if its text is missing or another.
  """
  if not store.block_paths(folder):
    name = folder.name if folder.name in ("word_model", "character_model") else "word_model"
    out = folder.parent if folder.name == name else folder
    train = commands.python(f"experiments.{name}", f"--out={out}")
    raise GenerateError(
      f"{folder} holds no trained model; train one first ({train}), which is {shlex.quote(f'--model={out / name}')} then."
    )
  paths = [path for path in store.block_paths(folder) if run in (None, path.stem)]
  if cell is not None:
    paths = [path for path in paths if store.read_meta(path)["points"][0]["cell"] == cell]
  if len(paths) != 1:
    names = ", ".join(path.stem for path in paths or store.block_paths(folder))
    raise GenerateError(f"{folder} has {len(paths)} runs that fit; choose one with --run (there are: {names}).")
  points = store.read_block(paths[0]).points
  if points[0].get("task") != "language":
    raise GenerateError(f"{paths[0]} is a run of {points[0].get('task', 'another kind')}, not of a language model.")
  settings, run_folder = read(LanguageSettings, points[0]), folder / "runs" / paths[0].stem
  _find_text(settings.corpus, run_folder, corpus)
  states = final_states(LanguageSettings, points, run_folder)
  return Model(build(settings).cell, jax.tree.map(lambda a: a[0], states.params), settings.load())


def _read(model: Model, tokens: np.ndarray) -> tuple[Any, Any, Array]:
  """(cell params for rows as inputs, state, logits) after the tokens."""
  net, xs = training.lookup(model.params.cell, jnp.asarray(tokens))
  state, outputs = rl.unroll(model.cell, net, xs)
  return net, state, rl.readout(model.params.readout, outputs[-1])


@partial(jax.jit, static_argnums=(0, 3, 5, 6))
def _write(
  cell: rl.Cell,
  params: rl.WithReadoutParams,
  prompt: Array,
  count: int,
  key: Array,
  temperature: float,
  top_k: int | None,
) -> Array:
  net, xs = training.lookup(params.cell, prompt)
  state = rl.unroll(cell, net, xs[:-1])[0] if len(prompt) > 1 else None

  def feed(output: Array, key: Array) -> tuple[Array, Array]:
    logits = rl.readout(params.readout, output).at[UNKNOWN_TOKEN].set(-jnp.inf)
    token = sequence.choose(logits, key, temperature, top_k)
    return token, training.lookup(params.cell, token[None])[1][0]

  return sequence.one_to_many(cell, net, xs[-1], count, feed, key, state)[1]


def write(
  model: Model,
  prompt: str,
  tokens: int,
  key: Array,
  temperature: float = 1.0,
  top_k: int | None = None,
  sentences: int = 1,
) -> str:
  """The prompt, and what the model writes after it.

  Raises:
    TextError: for a prompt with unknown words.
    ValueError: for a temperature, `top_k` or number that is not allowed.
  """
  if min(tokens, sentences) < 1:
    raise ValueError(f"{tokens} tokens and {sentences} sentences are asked for; both must be at least 1.")
  before = _with_boundary(text.encode(model.corpus, text.prompt(prompt)))
  written = np.asarray(_write(model.cell, model.params, before, tokens, key, temperature, top_k))
  ends = np.flatnonzero(written == BOUNDARY_TOKEN)
  if len(ends) >= sentences:
    written = written[: ends[sentences - 1]]
  return text.decode(model.corpus, np.concatenate([before[1:], written]))


def split_prompt(corpus: text.Corpus, prompt: str) -> tuple[str, str]:
  """Splits a prompt into (the text before the last word, the last word). The word is empty after a space, and for characters.

  A word may end in its apostrophe or hyphen, as `don'` does on the way to `don't`, if a word of the vocabulary begins so.
  """
  prompt = text.prompt(prompt)
  if corpus.unit == "char" or not prompt or prompt[-1].isspace():
    return prompt, ""
  prompt = text.spelled(prompt)
  *_, last = text.WORD.finditer(prompt)
  longer = re.search(r"[^\W_]+(?:['-][^\W_]+)*['-]$", prompt)
  is_begun = longer and any(word.startswith(longer[0]) for word in corpus.vocabulary)
  start = (longer if longer and is_begun else last).start()
  return prompt[:start], prompt[start:]


def suggest(model: Model, prompt: str, count: int) -> list[tuple[str, float]]:
  """The most probable next words with their probabilities: words that complete the last one, unless the prompt ends with space.

  Raises:
    TextError: for unknown words before the last.
    ValueError: for a count below 1.
  """
  if count < 1:
    raise ValueError(f"{count} suggestions are asked for; it must be at least 1.")
  prompt, begun = split_prompt(model.corpus, prompt)
  logits = np.array(_read(model, _with_boundary(text.encode(model.corpus, prompt)))[2])
  special = (BOUNDARY_TOKEN, UNKNOWN_TOKEN)
  fits = np.array([i not in special and word.startswith(begun) for i, word in enumerate(model.corpus.vocabulary)])
  probabilities = np.asarray(jax.nn.softmax(logits))
  order = [i for i in np.argsort(-probabilities) if fits[i]][:count]
  return [(model.corpus.vocabulary[i], float(probabilities[i])) for i in order]


def _with_boundary(tokens: np.ndarray) -> np.ndarray:
  return np.concatenate([[BOUNDARY_TOKEN], tokens]).astype(np.int32)
