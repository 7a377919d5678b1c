"""The origin of results: the commands, grids, versions, devices and times that are stored with them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from analysis import coverage
from analysis.wording import short
from sweepkit.store import STATUS, block_paths, read_meta
from sweepkit.words import duration

UNKNOWN = "–"


class Sweep(NamedTuple):
  """An experiment on disk.

  Attributes:
    name: of its folder.
    commands: the commands as they were given, one per launch that stored something.
    points: `[(status, number)]`, for every status that some point has.
    missing: `120 of 288 planned points`; empty if all are stored.
    varied: `[(setting, values)]` of settings with several values.
    fixed: `[(setting, value)]` of all other settings.
    made: `[(heading, text)]`: versions, device, dates, time.
  """

  name: str
  commands: list[str]
  points: list[tuple[str, int]]
  missing: str
  varied: list[tuple[str, str]]
  fixed: list[tuple[str, str]]
  made: list[tuple[str, str]]


def sweep(folder: Path, data: xr.Dataset) -> Sweep:
  """Returns the stored origin of `data`, which was loaded from `folder`.

  Raises:
    ResultsError: if a file was altered.
  """
  metas = [read_meta(path) for path in block_paths(folder)]
  stored = [meta["provenance"] for meta in metas]
  points = [point for meta in metas for point in meta["points"]]
  settings = {name: list(dict.fromkeys(point[name] for point in points)) for name in points[0]}
  seconds = sum(one.get("wall_seconds", 0) for one in stored)
  count = np.bincount(data.status.values.ravel(), minlength=len(STATUS))
  return Sweep(
    folder.name,
    _distinct(stored, "command"),
    [(status, int(number)) for status, number in zip(STATUS, count, strict=True) if number],
    coverage.missing(data.attrs),
    [(name, values_text(values)) for name, values in settings.items() if len(values) > 1],
    [(name, str(values[0])) for name, values in settings.items() if len(values) == 1],
    [
      ("commit", "; ".join(commit[:12] for commit in _distinct(stored, "git_commit")) or UNKNOWN),
      ("software", _software(stored)),
      ("device", _joined(stored, "platform", "device", "precision")),
      (
        "date",
        " to ".join(sorted(_distinct(stored, "date"))[:: max(1, len(_distinct(stored, "date")) - 1)]) or UNKNOWN,
      ),
      ("wall time", duration(seconds) if seconds else UNKNOWN),
      ("checksum", data.attrs["checksum"][:12]),
    ],
  )


def wall_seconds(folder: Path) -> float:
  """Returns the stored times of all blocks of a folder together, in seconds of one process."""
  return float(sum(read_meta(path)["provenance"].get("wall_seconds", 0) for path in block_paths(folder)))


def _distinct(stored: Iterable[Mapping[str, Any]], name: str) -> list[str]:
  return list(dict.fromkeys(str(one[name]) for one in stored if one.get(name) is not None))


def _joined(stored: Iterable[Mapping[str, Any]], *names: str) -> str:
  """The distinct combinations of these fields, each as `cpu, float32`."""
  found = dict.fromkeys(", ".join(dict.fromkeys(str(one[n]) for n in names if n in one)) for one in stored)
  return "; ".join(part for part in found if part) or UNKNOWN


def _software(stored: Iterable[Mapping[str, Any]]) -> str:
  found = dict.fromkeys(
    ", ".join(f"{name} {one[name]}" for name in ("python", "jax", "jaxlib", "numpy") if name in one) for one in stored
  )
  return "; ".join(part for part in found if part) or UNKNOWN


def values_text(values: list[Any]) -> str:
  """Returns `0.5, 1, … 6 (12 values)`, or all values if there are at most eight."""
  if all(isinstance(value, int | float) for value in values):
    values = [short(value) for value in sorted(values)]
  texts = [str(value) for value in values]
  return ", ".join(texts) if len(texts) <= 8 else f"{texts[0]}, {texts[1]}, … {texts[-1]} ({len(texts)} values)"


def without_folders(command: str) -> str:
  """Returns a command without the flags that name a folder or a share of the work."""
  return " ".join(word for word in command.split() if not word.startswith(("--out=", "--shard=")))
