"""Tries faults on real launches, counts the outcomes, and writes docs/reliability.md.

    python -m reliability                    all rows; about 30 minutes on two cores
    python -m reliability --only=4           one row; the others keep what they had
    python -m reliability --tries=3          a few tries of each row

A row passes when each of its tries does.
"""

from collections.abc import Sequence
import datetime
import json
import os
from pathlib import Path
import platform
import sys
import tempfile
import time
from typing import Any

from absl import flags
import jax
import numpy as np

from reliability.page import ROWS, table
from sweepkit import terminal
from sweepkit.store.files import ResultsError, check_path, write_atomically


def _try(number: int, tries: int | None, seed: int | None) -> dict[str, Any]:
  """Tries a row and returns what is stored of it."""
  row = ROWS[number]
  if seed is None:
    seed = int(np.random.SeedSequence().generate_state(1)[0])
  begin = time.monotonic()
  with tempfile.TemporaryDirectory() as work:
    outcome = row.run(Path(work), tries or row.tries, np.random.default_rng(seed))
  return {
    "fault": row.fault,
    "tried": outcome.tried,
    "passed": outcome.passed,
    "counts": dict(outcome.counts),
    "failures": list(outcome.failures),
    "seed": seed,
    "seconds": round(time.monotonic() - begin),
    "date": datetime.date.today().isoformat(),
    "versions": f"Python {platform.python_version()}, jax {jax.__version__}, {os.uname().sysname}",
  }


def _parse(argv: Sequence[str]) -> flags.FlagValues:
  """Parses the flags. Raises `flags.Error` or `ResultsError` for one that cannot be used."""
  values = flags.FlagValues()
  flags.DEFINE_integer("only", None, "The row to try.", lower_bound=1, upper_bound=max(ROWS), flag_values=values)
  flags.DEFINE_integer("tries", None, "Tries per row, instead of its own number.", lower_bound=1, flag_values=values)
  flags.DEFINE_integer("seed", None, "Seed of the random moments and bytes; random by default.", flag_values=values)
  flags.DEFINE_string("out", "docs", "Folder of the table.", flag_values=values)
  flags.DEFINE_bool("help", False, "Print this and exit.", short_name="h", flag_values=values)
  rest = values(["reliability", *argv])[1:]
  if values.help:
    print(f"{__doc__}\n{values.get_help()}")
    raise SystemExit(0)
  if rest:
    raise flags.Error(f"{rest[0]!r} is not a flag; the flags are --only, --tries, --seed and --out.")
  check_path(values.out)
  return values


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Tries the rows asked for and writes the table. Returns 0 if every try passed."""
  try:
    values = _parse(sys.argv[1:] if argv is None else argv)
  except (flags.Error, ResultsError) as error:
    print(f"reliability: {error}", file=sys.stderr)
    return 2
  out = Path(values.out)
  jax.config.update("jax_platforms", "cpu")  # results are the same bit for bit on CPU
  failed = False
  out.mkdir(parents=True, exist_ok=True)
  path = out / "reliability.json"
  for number in [values.only] if values.only else ROWS:
    row = _try(number, values.tries, values.seed)
    rows = json.loads(path.read_text()) if path.exists() else {}
    rows[str(number)] = row
    write_atomically(path, (json.dumps(rows, indent=1, ensure_ascii=False) + "\n").encode())
    write_atomically(out / "reliability.md", table(rows).encode())
    print(f"{number}. {row['fault']}: {row['passed']} of {row['tried']} passed (seed {row['seed']}).", flush=True)
    print("".join(f"  Failed: {failure}\n" for failure in row["failures"]), end="", flush=True)
    failed = failed or row["passed"] < row["tried"]
  return 1 if failed else 0


if __name__ == "__main__":
  sys.exit(main())
