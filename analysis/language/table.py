"""The table of the language study: every score beside a simple baseline.

python -m analysis.language.table --results=results/reference --out=docs

writes language.md. A score is the mean over seeds, with the lowest and the highest of them.
"""

from collections.abc import Sequence
from pathlib import Path
import sys

from analysis import command
from analysis.coverage import seeds
from analysis.language.scores import Scores
from analysis.provenance import without_folders
from analysis.study import declared
from sweepkit.store import ResultsError, block_paths, load_results, read_meta, write_atomically
from sweepkit.store.files import make_folder

HEAD = (
  "# Language and other sequences\n\nWritten by `python -m analysis.language.table`. A score is the mean over seeds, with the "
  "lowest and the highest of them. Seconds are wall time, and of the kept runs on a machine that did other work besides.\n\n"
)


def section(scores: Scores, results: Path) -> str:
  """Returns the table of one experiment, with the commands that made it and how long they took."""
  metas = [read_meta(path) for path in block_paths(results / scores.experiment)]
  commands = sorted({without_folders(meta["provenance"]["command"]) for meta in metas})
  seconds = sum(meta["provenance"]["wall_seconds"] for meta in metas)
  there = [scores.experiment, *(name for name in scores.overlays if block_paths(results / name))]
  datasets = {name: load_results(results / name) for name in there}
  lines = [
    f"| {' | '.join(cells)} |" for cells in (("", scores.score, "baseline"), ("---",) * 3, *scores.rows(datasets))
  ]
  made = f"{seeds(datasets[scores.experiment])} each; {seconds:.0f} s of one process.\n"
  return "\n".join([f"## {scores.experiment}\n", *(f"    {text}" for text in commands), "", *lines, "", made])


def write(results: Path, out: Path) -> list[Path]:
  """Writes the tables of a folder of results and returns the file.

  Raises:
    ResultsError: if the folder holds no results of the language study.
  """
  every: list[Scores] = sorted(declared("language", "SCORES"), key=lambda scores: scores.order)
  there = [scores for scores in every if block_paths(results / scores.experiment)]
  if not there:
    raise ResultsError(f"{results} holds nothing of the language study; make language makes some.")
  sections = [section(scores, results) for scores in there]
  make_folder(out)
  write_atomically(out / "language.md", (HEAD + "\n".join(sections)).encode())
  return [out / "language.md"]


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the table from the command line and returns an exit code."""
  return command.run("language.table", write, argv, "docs", "language.md", __doc__ or "")


if __name__ == "__main__":
  sys.exit(main())
