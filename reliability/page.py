"""The page docs/reliability.md, written from the counts in docs/reliability.json."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reliability import disks, flips, kills, limits, refusals
from reliability.trials import Outcome


class Row(NamedTuple):
  """One kind of fault.

  Attributes:
    fault: its name.
    tries: how often it is tried.
    run: (an empty folder, tries, random generator) -> what came out.
    outcome: what came out, with the names of the counts in braces.
  """

  fault: str
  tries: int
  run: Callable[[Path, int, np.random.Generator], Outcome]
  outcome: str


KILLED = (
  "Folders: {folders}. Kills after the launch had written something: {writing}. Kills that left no damaged file: {undamaged}. "
  "Another launch finished each folder; it equals an undisturbed one and has no leftovers."
)
FULL = (
  "The file system was a tmpfs of a random size below the {size} KiB needed. The launch ended with exit code 2 and one sentence. "
  "All {intact} files that it left were intact, without leftovers. With more room, the next launch gave the undisturbed result."
)
ROWS = {
  1: Row("SIGKILL at a random moment of a sweep", 50, kills.kills_of_a_sweep, KILLED),
  2: Row("SIGKILL at a random moment of a training run", 10, kills.kills_of_a_training_run, KILLED),
  3: Row("Disk full in the middle of a sweep", 10, disks.full_disks_under_a_sweep, FULL),
  4: Row("Disk full in the middle of a training run", 10, disks.full_disks_under_a_training_run, FULL),
  5: Row(
    "One byte altered in a block, a journal or a checkpoint",
    200,
    flips.flips,
    "`sweepkit.verify` found {found}: {block} in blocks, {journal} in journals, {checkpoint} in checkpoints. The next launch "
    "restored {restored}; the results then equal undisturbed ones.",
  ),
  6: Row(
    "Points that are not finite",
    8,
    limits.points_that_are_not_finite,
    "They were stored with the status `nonfinite` and counted at the end of the launch, which exited with code 0. The {others} "
    "finite points of the same sweep were `ok`.",
  ),
  7: Row(
    "Results of another schema, or of an earlier form",
    5,
    refusals.other_schemas,
    "The launch, `load_results` and `sweepkit.verify` refused a block and a checkpoint of schema 0 by name. Journals without "
    "checksums were read, and runs resumed from them.",
  ),
  8: Row(
    "Names that lead elsewhere",
    14,
    refusals.names,
    "Flags, cell names and folders to merge held `..`, paths, control characters and links out of the folder. Each was refused "
    "in one sentence, and nothing was read or written there.",
  ),
  9: Row(
    "SIGKILL at a random moment of a merge",
    10,
    kills.kills_of_a_merge,
    "No kill left a damaged file. Merged again, the folder held the same as the two halves.",
  ),
  10: Row(
    "Two launchers in one folder",
    10,
    kills.two_launchers,
    "In {noticed} tries one launcher reported the other. Every point was stored once, with the same bytes as by one launcher.",
  ),
  11: Row(
    "Memory runs out in the middle of a sweep",
    10,
    limits.little_memory,
    "The error was injected where XLA raises it. Calls were halved until they fitted, which was reported and recorded. The sweep "
    "ended with the same bytes and exit code 0.",
  ),
}

HEAD = """# Reliability

`python -m reliability` (`make reliability`) tries each fault on real launches of small sweeps and training runs. It counts the
outcomes in `reliability.json` and writes this page from them.

A try passes when the launch keeps the promises below. "The same" means the same bytes: every array of every point, every row of
the journals except for its times, and the last state of every run. Short forms of these trials are tests (`tests/sweepkit/`).

| fault | tried | passed | what came out |
|---|---|---|---|
"""

FOOT = """
The promises:

- **A block exists when its JSON file does.** That file is written last: under another name, synced, then renamed. When a launch
  is killed, the next one removes what it was writing.
- **A checksum covers every byte.** The checksum of a block is in its JSON file, that of a checkpoint in its manifest, and that
  of a journal in each row. `python -m sweepkit.verify --out=results` reads everything, prints one sentence per problem, and
  exits with 1 if there is a problem.
- **The next launch recomputes what is damaged.** Points of a damaged block are computed again. A training run resumes from its
  other checkpoint. It starts again if no checkpoint is left or a row is lost. The numbers are the same on the same machine.
- **A write that fails** ends the launch with one sentence and exit code 2. Everything stored before is kept.
- **A merge** (`python -m sweepkit.merge a b --out=c`) checks before it copies, and replaces no intact file. It refuses by name a
  block that holds other numbers for stored points.

Not promised: rows of journals from before rows had checksums are read without a check. A run in use is not checked.
"""


def table(rows: Mapping[str, Mapping[str, Any]]) -> str:
  """Returns the page for stored rows."""
  lines, measured = [], set()
  for number, row in sorted(rows.items(), key=lambda item: int(item[0])):
    lines.append(f"| {row['fault']} | {row['tried']} | {row['passed']} | {_sentences(int(number), row)} |")
    measured.add(f"{row['date']}, {row['versions']}")
  return HEAD + "\n".join(lines) + "\n\nMeasured: " + "; ".join(sorted(measured)) + ".\n" + FOOT


def _sentences(number: int, row: Mapping[str, Any]) -> str:
  failed = "".join(f" Failed: {failure}." for failure in row["failures"])
  return ROWS[number].outcome.format(**row["counts"]) + failed
