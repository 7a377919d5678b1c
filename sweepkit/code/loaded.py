"""The files behind the code that this process has loaded, as one name, for what must not outlive any change of them.

The identity of a result (`identity.py`) overlooks comments and follows only what a function names. A program that is kept for
later processes is held to more: the bytes of all files of its packages, and the releases of all that is installed.
"""

from collections.abc import Iterator
import hashlib
import os
from pathlib import Path
import sys
import time

from sweepkit.code.scope import MACHINERY, Scope


def process_start() -> float | None:
  """The time at which this process started, in seconds since the epoch; None where the system does not tell."""
  try:
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    uptime = float(Path("/proc/uptime").read_text().split()[0])
  except (OSError, ValueError, IndexError):
    return None
  return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")


def _files(scope: Scope) -> Iterator[Path]:
  """Every file of the packages that belong to a measure and of this one, and of each module of the user that is loaded."""
  for name, module in list(sys.modules.items()):
    if name in (MACHINERY, *scope.packages) and hasattr(module, "__path__"):
      for folder in module.__path__:
        yield from Path(folder).rglob("*.py")
    elif scope.is_own_module(name) and getattr(module, "__file__", None):
      yield Path(str(module.__file__))


def _installed() -> Iterator[str]:
  for folder in dict.fromkeys(sys.path):
    try:
      yield from (name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info")))
    except OSError:
      continue


def installed() -> list[str]:
  """The names and releases of what is installed, as pip's folders are called."""
  return sorted(set(_installed()))


def name_of(scope: Scope) -> str | None:
  """Names the content of all files and releases; None if a file may have changed after this process loaded it."""
  start = process_start()
  if start is None:
    return None
  found = hashlib.sha256("\n".join(installed()).encode())
  try:
    for path in sorted(set(_files(scope))):
      status = path.stat()
      if max(status.st_mtime, status.st_ctime) > start - 1:
        return None
      found.update(f"{path} {status.st_size}\n".encode() + path.read_bytes())
  except OSError:
    return None
  return found.hexdigest()
