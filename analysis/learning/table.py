"""The table of the learning study: for every training run the seeds that solved its task, with Wilson's 95 % interval.

python -m analysis.learning.table --results=results/reference --out=docs

writes learning.md. Every row is one block of results: all seeds that share their settings.
"""

from collections.abc import Sequence
from pathlib import Path
import sys
from typing import Any

import numpy as np
import xarray as xr

from analysis import command, study
from analysis.learning.success import success_rate
from analysis.provenance import without_folders
from sweepkit.store import Block, ResultsError, block_paths, read_block, write_atomically
from sweepkit.store.files import make_folder

SOLVED = "solved"  # stored by runs of a task that can be solved
HEAD = """# What was learned

Written by `python -m analysis.learning.table`. Seconds are of one process, for all seeds of a row.

"""


def varied(blocks: Sequence[Block]) -> list[str]:
  """Returns the settings that differ between blocks."""
  settings = [name for name in blocks[0].points[0] if name != "seed"]
  return [name for name in settings if len({block.points[0][name] for block in blocks}) > 1]


def row(block: Block, names: Sequence[str]) -> list[str]:
  """Returns one row of the table.

  Its cells are the settings of these names, seeds solved, interval, median update (– if half of the seeds never solve the task),
  best score, updates left out, and seconds.
  """
  solved = block.arrays[SOLVED]
  share = success_rate(xr.DataArray(solved, dims="seed"))
  median = float(np.median(np.where(solved == 1, block.arrays["solved_at"], np.inf)))
  return [
    *(f"{block.points[0][name]}" for name in names),
    f"{int(solved.sum())}/{len(solved)}",
    f"{float(share.low):.2f} – {float(share.high):.2f}",
    f"{median:.0f}" if np.isfinite(median) else "–",
    f"{float(np.median(block.arrays['best_score'])):.3g}",
    f"{int(block.arrays['nonfinite_updates'].sum())}",
    f"{block.provenance['wall_seconds']:.0f}",
  ]


def section(name: str, blocks: Sequence[Block]) -> str:
  """Returns the table of one experiment, with the commands that made it."""
  names = varied(blocks) or ["cell"]
  order = lambda block: [_sortable(block.points[0][name]) for name in names]
  rows = [row(block, names) for block in sorted(blocks, key=order)]
  heads = [*names, "solved", "95 % interval", "median update", "median best score", "non-finite updates", "seconds"]
  lines = [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]
  commands = sorted({without_folders(block.provenance["command"]) for block in blocks})
  versions = sorted({f"jax {block.provenance['jax']}, {block.provenance['date']}" for block in blocks})
  listed = "\n".join(f"    {command}" for command in commands)
  return f"## {name}\n\n{listed}\n\n" + "\n".join(lines) + f"\n\nMade with {'; '.join(versions)}.\n"


def _sortable(value: Any) -> tuple[bool, Any]:
  try:
    return False, float(value)
  except ValueError:
    return True, str(value)


def training_runs(results: Path) -> dict[str, list[Block]]:
  """Returns the blocks of every experiment that figures of the study read and that stores which seeds solved its task."""
  names = dict.fromkeys(name for figure in study.figures("learning") for name in figure.reads)
  read = {name: [read_block(path) for path in block_paths(results / name)] for name in names}
  return {name: blocks for name, blocks in read.items() if blocks and SOLVED in blocks[0].arrays}


def write(results: Path, out: Path) -> list[Path]:
  """Writes the table of a folder of results and returns the file.

  Raises:
    ResultsError: if the folder holds no training runs.
  """
  found = training_runs(results)
  if not found:
    raise ResultsError(f"{results} holds no training runs; make learning makes some.")
  sections = [section(name, blocks) for name, blocks in found.items()]
  make_folder(out)
  write_atomically(out / "learning.md", (HEAD + "\n".join(sections)).encode())
  return [out / "learning.md"]


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the table from the command line and returns an exit code."""
  return command.run("learning.table", write, argv, "docs", "learning.md", __doc__ or "")


if __name__ == "__main__":
  sys.exit(main())
