"""What was learned, as a table: for every training run the seeds that solved its task, with Wilson's 95 % interval.

python -m analysis.success --results=results/reference --out=docs

writes learning.md. Every row is one block of results: all seeds that share their settings.
"""

from collections.abc import Sequence
from pathlib import Path
import sys
from typing import Any

import numpy as np
import xarray as xr

from analysis import command
from analysis.style import success_rate
from sweepkit.store import Block, ResultsError, block_paths, read_block, write_atomically

# In the order of the argument; what is not on disk is left out.
EXPERIMENTS = ("adding", "temporal_order", "copy_memory", "solvable_lag", "flossing")


def varied(blocks: Sequence[Block]) -> list[str]:
  """The settings that differ between blocks."""
  settings = [name for name in blocks[0].points[0] if name != "seed"]
  return [name for name in settings if len({block.points[0][name] for block in blocks}) > 1]


def row(block: Block, names: Sequence[str]) -> list[str]:
  """The settings by name, seeds solved, interval, median update (– if half of them never solve it), best score, time."""
  solved = block.arrays["solved"]
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


def section(folder: Path) -> str:
  """The table of one experiment, with the commands that made it."""
  blocks = [read_block(path) for path in block_paths(folder)]
  names = varied(blocks) or ["cell"]
  order = lambda block: [_sortable(block.points[0][name]) for name in names]
  rows = [row(block, names) for block in sorted(blocks, key=order)]
  heads = [*names, "solved", "95 % interval", "median update", "median best score", "non-finite updates", "seconds"]
  lines = [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]
  commands = sorted({without_folder(block.provenance["command"]) for block in blocks})
  versions = sorted({f"jax {block.provenance['jax']}, {block.provenance['date']}" for block in blocks})
  listed = "\n".join(f"    {command}" for command in commands)
  return f"## {folder.name}\n\n{listed}\n\n" + "\n".join(lines) + f"\n\nMade with {'; '.join(versions)}.\n"


def _sortable(value: Any) -> tuple[bool, Any]:
  try:
    return False, float(value)
  except ValueError:
    return True, str(value)


def without_folder(command: str) -> str:
  return " ".join(word for word in command.split() if not word.startswith(("--out=", "--shard=")))


def write(results: Path, out: Path) -> list[Path]:
  """Writes the table of a folder of results; returns what was written."""
  folders = [results / name for name in EXPERIMENTS if block_paths(results / name)]
  if not folders:
    raise ResultsError(f"{results} holds no training runs; make learning makes some.")
  sections = [section(folder) for folder in folders]
  out.mkdir(parents=True, exist_ok=True)
  head = "# What was learned\n\nWritten by `python -m analysis.success`. Seconds are of one process, for all seeds of a row.\n\n"
  write_atomically(out / "learning.md", (head + "\n".join(sections)).encode())
  return [out / "learning.md"]


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the table from the command line and returns an exit code."""
  return command.run("success", write, argv, "docs", "learning.md", __doc__ or "")


if __name__ == "__main__":
  sys.exit(main())
