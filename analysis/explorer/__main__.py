"""Writes a page on which a reader chooses a random net, and sees where its gradients go.

    python -m analysis.explorer --results=results --out=report

writes explore.html, one file that needs no network. A reader chooses the cell, W_s, the forget bias, the saturation and the norm.
The page shows ln of the norm of the Jacobian product by lag, the growth rate against its axis, the spectrum, the gates and the
memory. It tells the story of the introductions in six steps, in English and Chinese. Sweeps that were not run are named on it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
import sys

from analysis import command


def write(results: Path, out: Path) -> Iterable[Path]:
  """Writes the page of a folder of results and returns its file."""
  # After the flags are read, since these import what draws.
  from analysis import figure
  from analysis.paper.explore import WEB_PAGE
  from analysis.report.assembly import check_not_of_others
  from sweepkit.store import ResultsError, write_atomically
  from sweepkit.store.files import make_folder

  path = out / f"{WEB_PAGE.name}.html"
  check_not_of_others(path, results)
  try:
    content = WEB_PAGE.content(figure.load(WEB_PAGE, results))
  except ResultsError as error:
    raise ResultsError(f"--results={results}: {error}") from None
  make_folder(out)
  write_atomically(path, content.encode())
  return [path]


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the page from the command line and returns an exit code."""
  return command.run("explorer", write, argv, "report", "explore.html", __doc__ or "")


if __name__ == "__main__":
  sys.exit(main())
