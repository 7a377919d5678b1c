"""What the language study came to, as a table: every score beside a trivial baseline.

python -m analysis.uses --results=results/reference --out=docs

writes language.md. A score is the mean over seeds with the lowest and the highest of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
import sys

import numpy as np

from analysis import command
from analysis.coverage import seeds
from analysis.figure import only_axes, runs
from analysis.recall import counts_of
from analysis.style import cell_style
from analysis.success import without_folder
from analysis.words import spread
from sweepkit.store import ResultsError, block_paths, load_results, read_meta, write_atomically
from recurrent_lab.tasks.sessions import BAYES_ERROR, MARKOV_ERROR
from recurrent_lab.tasks.stories import CHANCE_ERROR

Row = tuple[str, str, str]  # who, score, baseline


def label(cell: object) -> str:
  return cell_style(str(cell)).label


def perplexities(name: str, results: Path) -> Iterator[Row]:
  data = only_axes(load_results(results / name), "learning_rate")
  for (cell, rate), one in runs(data, "cell", "learning_rate"):
    yield f"{label(cell)}, rate {rate:g}", spread(np.exp(one.test_nats)), f"{spread(np.exp(one.first_nats))} untrained"


def counts(results: Path) -> Iterator[Row]:
  for (unit, order), one in runs(
    only_axes(load_results(results / "ngram"), "unit", "order", "vocabulary", "length"), "unit", "order"
  ):
    yield f"{order}-gram, {unit}s", spread(np.exp(one.test_nats)), ""


def recall(results: Path) -> Iterator[Row]:
  data = only_axes(load_results(results / "recall"), "length")
  ngrams = counts_of(load_results(results / "ngram_tasks"), "long_range_recall")
  assert ngrams is not None
  ngrams = ngrams.isel(order=-1)
  for (length, cell), one in runs(data, "length", "cell"):
    among = (
      f"{int(ngrams.order)}-gram {spread(ngrams.sel(length=length), 100)}, " if length in ngrams.length.values else ""
    )
    yield f"gap {length}, {label(cell)}", spread(one.final_score, 100), f"{among}guessing {100 * CHANCE_ERROR:.1f}"


def tagging(results: Path) -> Iterator[Row]:
  for (length, cell), one in runs(only_axes(load_results(results / "tagging"), "length"), "length", "cell"):
    yield f"{length} word{'s' * (length > 1)}, {label(cell)}", spread(one.final_score, 100), "chance 50"


def vowels(results: Path) -> Iterator[Row]:
  for (task, cell), one in runs(only_axes(load_results(results / "vowels"), "task"), "task", "cell"):
    yield f"{task.replace('_', ' ')}, {label(cell)}", spread(one.final_score, 100), "guessing one of nine 88.9"


def captions(results: Path) -> Iterator[Row]:
  for (cell,), one in runs(only_axes(load_results(results / "captions")), "cell"):
    yield label(cell), spread(one.exact, 100), f"most frequent name {spread(one.most_frequent[:1], 100)}"


def forecast(results: Path) -> Iterator[Row]:
  for (cell,), one in runs(only_axes(load_results(results / "forecast")), "cell"):
    beside = f"least squares {spread(one.linear[:1])}, last value {spread(one.persistence[:1])}"
    yield label(cell), spread(one.final_score), beside


def next_item(results: Path) -> Iterator[Row]:
  for (cell,), one in runs(only_axes(load_results(results / "next_item")), "cell"):
    yield (
      label(cell),
      spread(one.final_score, 100),
      f"last item alone {100 * MARKOV_ERROR:.3g}, best of all {100 * BAYES_ERROR:.3g}",
    )


def translation(results: Path) -> Iterator[Row]:
  for (cell,), one in runs(only_axes(load_results(results / "translation")), "cell"):
    chrf = {str(t): one.chrf.sel(translator=t) for t in one.translator.values}
    beside = f"word by word {spread(chrf['dictionary'][:1])}, the source {spread(chrf['source'][:1])}"
    yield label(cell), f"{spread(chrf['net'])}; exact {spread(one.exact.sel(translator='net'), 100)} %", beside


# Experiment -> (what the score is, its rows).
TABLES: Mapping[str, tuple[str, Callable[[Path], Iterator[Row]]]] = {
  "word_model": ("perplexity of the test text, per word", lambda results: perplexities("word_model", results)),
  "character_model": (
    "perplexity of the test text, per character",
    lambda results: perplexities("character_model", results),
  ),
  "ngram": ("perplexity of the test text", counts),
  "recall": ("wrong answers, %", recall),
  "tagging": ("wrong tags of the ambiguous word, %", tagging),
  "translation": ("chrF of held-out sentences", translation),
  "vowels": ("wrong speakers, % of the held-out", vowels),
  "captions": ("exact names, % of held-out images", captions),
  "forecast": ("mean squared error / variance", forecast),
  "next_item": ("wrong next items, %", next_item),
}


def section(name: str, results: Path) -> str:
  """The table of one experiment, with the commands that made it and how long they took."""
  metas = [read_meta(path) for path in block_paths(results / name)]
  commands = sorted({without_folder(meta["provenance"]["command"]) for meta in metas})
  seconds = sum(meta["provenance"]["wall_seconds"] for meta in metas)
  score, make_rows = TABLES[name]
  lines = [f"| {' | '.join(cells)} |" for cells in (("", score, "baseline"), ("---",) * 3, *make_rows(results))]
  made = seeds(load_results(results / name))
  return "\n".join(
    [
      f"## {name}\n",
      *(f"    {command}" for command in commands),
      "",
      *lines,
      "",
      f"{made} each; {seconds:.0f} s of one process.\n",
    ]
  )


def write(results: Path, out: Path) -> list[Path]:
  """Writes the tables of a folder of results; returns what was written."""
  names = [name for name in TABLES if block_paths(results / name)]
  if not names:
    raise ResultsError(f"{results} holds nothing of the language study; make language makes some.")
  sections = [section(name, results) for name in names]
  out.mkdir(parents=True, exist_ok=True)
  head = (
    "# Language and other sequences\n\nWritten by `python -m analysis.uses`. A score is the mean over seeds, with the lowest and "
    "the highest of them. Seconds are wall time, and of the kept runs on a machine that did other work besides.\n\n"
  )
  write_atomically(out / "language.md", (head + "\n".join(sections)).encode())
  return [out / "language.md"]


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the tables from the command line and returns an exit code."""
  return command.run("uses", write, argv, "docs", "language.md", __doc__ or "")


if __name__ == "__main__":
  sys.exit(main())
