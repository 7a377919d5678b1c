"""Compares the kept numbers of other libraries with the lab: python -m oracles.layouts"""

import sys

import jax

from oracles.layouts.table import rows

TOLERANCE = 1e-6  # outputs are below 3, and float32 holds them to 1e-7


def main() -> int:
  """Returns 1 if a table of the lab reads weights differently from their package."""
  jax.config.update("jax_enable_x64", True)
  wrong = [row for row in rows() if not row.difference <= TOLERANCE]
  for row in wrong:
    print(f"{row.label}: {row.package} {row.version} differs by {row.difference:.1e}.", file=sys.stderr)
  return 1 if wrong else 0


if __name__ == "__main__":
  sys.exit(main())
