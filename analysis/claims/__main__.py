"""Writes the claims ledger: what the introductions say, what was measured, and whether it holds.

    python -m analysis.claims --results=results --out=report

writes claims.md and claims.json; --readme=README.md puts the table into that page too. Every claim is a function from results to
a measured number with its uncertainty and a verdict. The condition for each verdict is code in that function; no verdict is typed
by hand.
"""

from collections.abc import Sequence
import sys

from analysis import command
from analysis.claims.pages import write


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the ledger from the command line and returns an exit code."""
  readme = "A page to put the table into, between its two markers."
  return command.run("claims", write, argv, "report", "claims.md and claims.json", __doc__ or "", readme=readme)


if __name__ == "__main__":
  sys.exit(main())
