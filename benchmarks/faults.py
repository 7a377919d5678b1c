"""Faults, tried for real and counted: launches killed, disks filled, bytes flipped, names that lead elsewhere.

    python -m benchmarks.faults                    all rows, some 30 minutes on two cores
    python -m benchmarks.faults --only=4           one row; the others keep what they had
    python -m benchmarks.faults --tries=3          few tries, to see whether it works

Writes the table in `docs/reliability.md` from the rows in `docs/reliability.json`. A row passes when every try does.
"""

from collections.abc import Callable, Sequence
import datetime
import json
import os
from pathlib import Path
import platform
import sys
import tempfile
import time
from typing import NamedTuple

from absl import flags
import jax
import numpy as np

from benchmarks import fault_rows, refusal_rows
from benchmarks.trials import Outcome
from sweepkit import terminal
from sweepkit.store.files import ResultsError, check_path, write_atomically


class Row(NamedTuple):
  """A fault: what it is, how often it is tried, and the function that tries it."""

  fault: str
  tries: int
  run: Callable[[Path, int, np.random.Generator], Outcome]


ROWS = {
  1: Row("SIGKILL at a random moment of a sweep", 50, fault_rows.kills_of_a_sweep),
  2: Row("SIGKILL at a random moment of a training run", 10, fault_rows.kills_of_a_training_run),
  3: Row("Disk full in the middle of a sweep", 10, fault_rows.full_disks_under_a_sweep),
  4: Row("Disk full in the middle of a training run", 10, fault_rows.full_disks_under_a_training_run),
  5: Row("One byte altered in a block, a journal or a checkpoint", 200, fault_rows.flips),
  6: Row("Points that are not finite", 8, refusal_rows.points_that_are_not_finite),
  7: Row("Results of another schema, or of an earlier form", 5, refusal_rows.other_schemas),
  8: Row("Names that lead elsewhere", 14, refusal_rows.names),
  9: Row("SIGKILL at a random moment of a merge", 10, fault_rows.kills_of_a_merge),
  10: Row("Two launchers in one folder", 10, fault_rows.two_launchers),
  11: Row("Memory runs out in the middle of a sweep", 10, refusal_rows.little_memory),
}

HEAD = """# Reliability

Each fault was tried for real on launches of small sweeps and training runs, and counted by `python -m benchmarks.faults`
(`make reliability`), which writes this page from `reliability.json`. A try passes when what is promised is what came out;
"the same" means byte by byte: every array of every point, every row of the journals but for its times, and the last state of
every run. The short forms of these trials are tests (`tests/experiments/`).

| fault | tried | passed | what came out |
|---|---|---|---|
"""

FOOT = """
What is promised:

- **A block exists when its JSON does**, and that is written last, under another name, synced and renamed. What a killed
  launch was writing is removed by the next one, as soon as its process is dead.
- **Every byte is vouched for**: of a block by its JSON, of a checkpoint by its manifest, of a journal by the checksum in each
  row. `python -m sweepkit.verify --out=results` reads them all, says one sentence a problem and exits with 1 if there is one.
- **The next launch makes anew what is damaged**: points of a damaged block are computed again; a run goes on from its other
  checkpoint, or is trained from the start if none is left or a row is lost. The numbers come out the same on the same machine.
- **A write that fails** ends the launch with one sentence and exit code 2; what was stored before is kept.
- **Joining** (`python -m sweepkit.merge a b --out=c`) checks before it copies, replaces nothing that is intact, and refuses
  by name a block that holds other numbers for points that are there.

Not promised: rows of journals written before rows had checksums are read as they are; a run in use is not checked.
"""


def table(rows: dict[str, dict[str, object]]) -> str:
  """The page, from the stored rows."""
  lines = [
    f"| {row['fault']} | {row['tried']} | {row['passed']} | {row['outcome']} |"
    for _, row in sorted(rows.items(), key=lambda item: int(item[0]))
  ]
  made = sorted({f"{row['date']}, {row['versions']}" for row in rows.values()})
  return HEAD + "\n".join(lines) + "\n\nMeasured: " + "; ".join(made) + ".\n" + FOOT


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Tries the rows asked for and writes the table; 0 if every try of theirs passed."""
  values = flags.FlagValues()
  flags.DEFINE_integer("only", None, "The row to try.", lower_bound=1, upper_bound=max(ROWS), flag_values=values)
  flags.DEFINE_integer(
    "tries", None, "Tries of every row instead of its own number.", lower_bound=1, flag_values=values
  )
  flags.DEFINE_integer("seed", None, "Of the random moments and bytes; drawn afresh by default.", flag_values=values)
  flags.DEFINE_string("out", "docs", "Folder of the table.", flag_values=values)
  try:
    values(["faults", *(sys.argv[1:] if argv is None else argv)])
    out = Path(check_path(values.out))
  except (flags.Error, ResultsError) as error:
    print(f"faults: {error}", file=sys.stderr)
    return 2
  jax.config.update("jax_platforms", "cpu")  # what is the same bit for bit is so on CPU
  failed = 0
  out.mkdir(parents=True, exist_ok=True)
  path = out / "reliability.json"
  for number in [values.only] if values.only else ROWS:
    row = ROWS[number]
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if values.seed is None else values.seed
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
      outcome = row.run(Path(work), values.tries or row.tries, np.random.default_rng(seed))
    rows = json.loads(path.read_text()) if path.exists() else {}
    rows[str(number)] = {
      "fault": row.fault,
      "tried": outcome.tried,
      "passed": outcome.passed,
      "outcome": outcome.text,
      "seed": seed,
      "seconds": round(time.monotonic() - begin),
      "date": datetime.date.today().isoformat(),
      "versions": f"Python {platform.python_version()}, jax {jax.__version__}, {os.uname().sysname}",
    }
    write_atomically(path, (json.dumps(rows, indent=1, ensure_ascii=False) + "\n").encode())
    write_atomically(out / "reliability.md", table(rows).encode())
    print(
      f"{number}. {row.fault}: {outcome.passed} of {outcome.tried} passed (seed {seed}). {outcome.text}", flush=True
    )
    failed += outcome.passed < outcome.tried
  return 1 if failed else 0


if __name__ == "__main__":
  sys.exit(main())
