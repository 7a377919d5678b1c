"""Traced programs that later launches find again.

JAX's cache keeps what XLA compiled, but a launch still has to trace and to lower a program to look for it, which takes seconds of
Python for a portrait. So the lowered program is kept too, as `jax.export` writes it. Its name holds whatever a trace can depend
on: the code, all files of its packages, the releases of what is installed, the shapes, and the settings of JAX and XLA.

A program is compiled from its export whether it was kept or not, so its bits do not depend on that. What `jax.export` cannot
write, such as a call back into Python, is traced in every launch.
"""

from collections.abc import Callable, Sequence
import contextlib
import hashlib
import os
from pathlib import Path
import sys
from typing import Any

import jax
from jax import export

from sweepkit.execution import programs
from sweepkit.store import files

_DIGEST = hashlib.sha256().digest_size


def _described(arguments: Sequence[Any]) -> str:
  leaves, tree = jax.tree.flatten(tuple(arguments))
  return f"{tree} {[(leaf.shape, str(leaf.dtype), getattr(leaf, 'weak_type', False)) for leaf in leaves]}"


def _surroundings() -> str:
  """The settings of JAX, of XLA and of Python that a trace can depend on."""
  settings = {
    name: getattr(jax.config, name, value) for name, value in jax.config.values.items() if "cache" not in name
  }
  environment = {name: value for name, value in os.environ.items() if name.startswith(("JAX_", "XLA_"))}
  return f"{sorted(settings.items(), key=str)} {sorted(environment.items())} {sys.version} {jax.default_backend()}"


def _path(identity: str | None, arguments: Sequence[Any]) -> Path | None:
  """The file of a program; None if programs are not kept."""
  place = programs.place()
  if identity is None or place is None:
    return None
  words = "\n".join([identity, _described(arguments), _surroundings()])
  return place / f"trace-{hashlib.sha256(words.encode()).hexdigest()}"


def _read(path: Path) -> export.Exported | None:
  """Reads a program. A file that is not whole is removed."""
  try:
    content = path.read_bytes()
  except OSError:
    return None
  digest, written = content[:_DIGEST], content[_DIGEST:]
  if hashlib.sha256(written).digest() == digest:
    with contextlib.suppress(Exception):  # another release of JAX may have written it
      return export.deserialize(bytearray(written))
  with contextlib.suppress(OSError):
    path.unlink()
  return None


def traced(function: Callable[..., Any], arguments: Sequence[Any], identity: str | None) -> Callable[..., Any]:
  """Returns the function as a program that is lowered already, or the function itself if it cannot be exported.

  Args:
    function: of trees of arrays, pure.
    arguments: arrays of the shapes and dtypes of the call.
    identity: a name of all code that the function runs; None to keep nothing.
  """
  path = _path(identity, arguments)
  found = _read(path) if path else None
  if found is not None:
    return found.call
  try:
    made = export.export(jax.jit(function))(*arguments)
    written = made.serialize()
  except (ValueError, NotImplementedError):
    return function
  if path:
    with contextlib.suppress(files.ResultsError):
      files.write_atomically(path, hashlib.sha256(written).digest() + written)
  return made.call
