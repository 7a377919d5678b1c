"""Writes a ledger of claims: what was said, what was measured, and whether it holds.

    python -m analysis.claims --results=results --out=report                                 of the introductions
    python -m analysis.claims --results=results/landmarks --out=report --ledger=landmarks    of the literature

writes claims.md and claims.json, or landmarks.md and landmarks.json; --readme=README.md puts the table into that page too. Every
claim is a function from results to a measured number with its uncertainty and a verdict. The condition for each verdict is code
in that function; no verdict is typed by hand.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
import sys

from analysis import command


def write(results: Path, out: Path, readme: str | None, ledger: str | None) -> Iterable[Path]:
  """Writes a ledger and returns its files."""
  from analysis.claims import pages  # after the flags are read, since the claims import JAX

  return pages.write(results, out, readme, ledger)


def main(argv: Sequence[str] | None = None) -> int:
  """Writes a ledger from the command line and returns an exit code."""
  readme = "A page to put the table into, between its two markers."
  ledger = "The ledger to write: claims or landmarks; the first by default."
  holds = "the ledger as Markdown and as JSON"
  return command.run("claims", write, argv, "report", holds, __doc__ or "", {"readme": readme, "ledger": ledger})


if __name__ == "__main__":
  sys.exit(main())
