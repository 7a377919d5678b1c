"""Compiled programs that later launches find again: JAX's persistent compilation cache, in a folder of the user.

JAX finds a program by its code, by the versions and by the flags of XLA. A program also depends on what JAX does not look at: the
processor, and the number of threads in XLA's pool, for which loops are shared out. Each combination of these has a folder of its
own, so that a program from the cache is the one that would be compiled. A folder that is set for JAX itself, as by
JAX_COMPILATION_CACHE_DIR, is used as it is.

The size is bounded here, because JAX's own bound needs another package, and stops to store anything once a process was killed
between the two files of an entry.
"""

from collections.abc import Iterator
import contextlib
import hashlib
from pathlib import Path
import platform
import re
from typing import Any
import warnings

import jax
from jax.experimental.compilation_cache import compilation_cache

from sweepkit.execution import cores
from sweepkit.execution.progress import say
from sweepkit.store.places import user_cache

MOST_BYTES = 2**29  # in one folder; the portrait of an LSTM takes 0.9 MB
_place: Path | None = None
_FAILED = "Error (reading|writing) persistent compilation cache entry for '(.*?)'"  # a warning of JAX


@contextlib.contextmanager
def configured(**settings: Any) -> Iterator[None]:
  """Configures JAX for a while, in all threads, unlike JAX's own context managers."""
  before = {name: getattr(jax.config, name) for name in settings}
  try:
    for name, value in settings.items():
      jax.config.update(name, value)
    yield
  finally:
    for name, value in before.items():
      jax.config.update(name, value)


def _processor() -> str:
  """The model of the processor and its instruction sets."""
  info = Path("/proc/cpuinfo")
  lines = info.read_text().split("\n\n")[0].splitlines() if info.exists() else [platform.processor()]
  return "\n".join(
    line for line in lines if not re.match(r"(cpu MHz|bogomips|processor|core id|(initial )?apicid)\b", line)
  )


def place() -> Path | None:
  """The folder in which this launch keeps programs; None if it keeps none of its own."""
  return _place


def folder() -> Path:
  """The folder of the programs for this processor and this number of threads."""
  machine = f"{platform.machine()}\n{_processor()}\n{cores.pool_size()}"
  return user_cache() / "sweepkit" / "programs" / hashlib.sha256(machine.encode()).hexdigest()[:16]


def tidy(folder: Path, most: int = MOST_BYTES) -> None:
  """Removes the files that were not used for the longest time until the folder has at most so many bytes."""
  found = []
  with contextlib.suppress(OSError):  # another launch may remove the same files
    found = [
      (max(stat.st_atime, stat.st_mtime), stat.st_size, path) for path in folder.iterdir() if (stat := path.stat())
    ]
  excess = sum(size for _, size, _ in found) - most
  for _, size, path in sorted(found):
    if excess <= 0:
      return
    with contextlib.suppress(OSError):
      path.unlink()
    excess -= size


def _mending(folder: Path, show: Any) -> Any:
  """Shows warnings as before, except for those about entries: JAX compiles instead. An entry that it cannot read is removed."""

  def shown(message: Any, *arguments: Any, **named: Any) -> None:
    failed = re.match(_FAILED, str(message))
    if not failed:
      show(message, *arguments, **named)
    elif failed[1] == "reading":
      for path in folder.glob(f"{failed[2]}-*"):
        path.unlink(missing_ok=True)

  return shown


@contextlib.contextmanager
def kept(wanted: bool) -> Iterator[None]:
  """Compiles programs once for this launch and later ones, or, where that is not wanted, without any cache."""
  if wanted and getattr(jax.config, "jax_compilation_cache_dir"):  # noqa: B009  # it has no type
    yield
    return
  global _place
  kept_in = folder()
  try:
    if wanted:
      kept_in.mkdir(parents=True, exist_ok=True, mode=0o700)  # a program in it is run, so only the user may write there
      tidy(kept_in)
  except OSError as error:
    say(f"Compiled programs are not kept: {kept_in} cannot be made ({error.strerror}).")
    wanted = False
  settings = {
    "jax_compilation_cache_dir": str(kept_in),
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
  }
  with configured(**settings if wanted else {"jax_enable_compilation_cache": False}), warnings.catch_warnings():
    warnings.filterwarnings("always", _FAILED)
    warnings.showwarning = _mending(kept_in, warnings.showwarning)
    compilation_cache.reset_cache()
    _place = kept_in if wanted else None
    try:
      yield
    finally:
      _place = None
      compilation_cache.reset_cache()
