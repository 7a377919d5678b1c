"""Folders: which folder of results is meant where one too high or too deep is named, and the cache folder of the user."""

import os
from pathlib import Path
import sys

from sweepkit.store.blocks import block_paths

MOST_NAMED = 4  # experiments that a sentence lists


def why_empty(folder: Path) -> str:
  """Says why a folder is not that of an experiment, and which folder is, if that can be seen."""
  above = next((parent for parent in list(folder.resolve().parents)[:4] if block_paths(parent)), None)
  if above is not None:
    return f"{folder} lies in the folder of an experiment; give that one, {above}."
  below = (
    sorted(path.name for path in folder.iterdir() if path.is_dir() and block_paths(path)) if folder.is_dir() else []
  )
  if below:
    more = ", …" if len(below) > MOST_NAMED else ""
    return f"{folder} is the folder of all results; give that of one experiment: {', '.join(below[:MOST_NAMED])}{more}."
  return f"{folder} holds no results; run its experiment first."


def why_too_deep(folder: Path) -> str:
  """Says that a folder is that of one experiment, or lies in one, where the folder of all results is asked for; else empty."""
  place = folder.resolve()
  above = next((one for one in [place, *place.parents][:3] if one.is_dir() and block_paths(one)), None)
  if above is None:
    return ""
  where = "is the folder of one experiment" if above == place else "lies in the folder of one experiment"
  return f"{folder} {where}; give the folder of all results, {above.parent}."


def as_flag(word: str, flag: str) -> str:
  """Says how a folder is given, where a word without a flag may be one; empty for any other word."""
  return f"a folder is given as --{flag}={word}" if "/" in word or Path(word).is_dir() else ""


def user_cache() -> Path:
  """The folder of the user for files that can be made again."""
  chosen = os.environ.get("XDG_CACHE_HOME", "")
  if os.path.isabs(chosen):
    return Path(chosen)
  return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
