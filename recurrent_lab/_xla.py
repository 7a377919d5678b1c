"""Keeps XLA from compiling wrong numbers on a CPU, on the releases of jaxlib known to do so.

Each fault is a default of XLA that can be set otherwise (docs/numerics.md has one more, whose flag costs too much). XLA
reads `XLA_FLAGS` when JAX starts its first backend, so importing `recurrent_lab` before that is enough: it adds the flags
that are missing and keeps those that the user has set. Newer releases do not know every flag and abort on an unknown one,
so each is bounded by the releases that it was tried on.
"""

import os
import sys
from typing import NamedTuple
import warnings

from jaxlib.version import __version_info__ as JAXLIB


class MiscompilationWarning(UserWarning):
  """XLA may compile wrong numbers in this process, and the lab can no longer prevent it."""


class Fault(NamedTuple):
  """A default of XLA on CPU that gives wrong numbers."""

  option: str  # the flag without its dashes, which is also the name of the compiler option
  value: bool | str  # the value that is right
  first: tuple[int, ...]  # the first release of jaxlib on which it is set
  end: tuple[int, ...]  # the first release after it on which it is not set


FAULTS = (
  # Gradients of a scan over a gated cell in float64 with two batch axes: seen with jaxlib 0.10.2 on a CPU with AVX-512, not with
  # AVX2. Set on every allowed release that knows the flag: 0.11.1 is the first that aborts on it.
  Fault("xla_cpu_use_fusion_emitters", False, (0, 10), (0, 11, 1)),
)


def faults(version: tuple[int, ...] = JAXLIB) -> tuple[Fault, ...]:
  """The faults of this release of jaxlib."""
  return tuple(fault for fault in FAULTS if fault.first <= version < fault.end)


def _flag(fault: Fault) -> str:
  return f"--{fault.option}={'false' if fault.value is False else fault.value}"


def _named(flags: str) -> dict[str, str]:
  """Flag -> value, as XLA reads them: the last of equal names counts, and a flag alone is true."""
  pairs = (word.lstrip("-").partition("=") for word in flags.split())
  return {name: value if equals else "true" for name, equals, value in pairs}


def add_flags(flags: str, version: tuple[int, ...] = JAXLIB) -> str:
  """`XLA_FLAGS` with what this release needs, except options that are set there; the name of a file of flags stays as it is."""
  if flags.strip() and not flags.lstrip().startswith("-"):
    return flags
  missing = [_flag(fault) for fault in faults(version) if fault.option not in _named(flags)]
  return " ".join([*flags.split(), *missing])


def unsafe(flags: str, version: tuple[int, ...] = JAXLIB) -> tuple[str, ...]:
  """The flags that this release needs and that `flags` do not set, or set otherwise."""
  safe = lambda fault, value: value in (("false", "False", "0") if fault.value is False else (fault.value, ""))
  named = _named(flags)
  return tuple(_flag(f) for f in faults(version) if f.option not in named or not safe(f, named[f.option]))


def _started() -> bool:
  """Whether JAX has started a backend, after which XLA_FLAGS are not read again."""
  bridge = sys.modules.get("jax._src.xla_bridge")
  return bridge is not None and bridge.backends_are_initialized()


def _elsewhere() -> bool:
  """Whether JAX has started and computes on something else than a CPU."""
  return _started() and sys.modules["jax"].default_backend() != "cpu"


# What a top-level jit must set itself, because XLA had read its flags before the lab was imported.
_late: tuple[Fault, ...] = ()


def protect() -> None:
  """Adds the flags to `XLA_FLAGS` if JAX has not started; warns once, and only on releases with a fault, if some are not set."""
  global _late
  flags = os.environ.get("XLA_FLAGS", "")
  if not _started() and faults():
    flags = os.environ["XLA_FLAGS"] = add_flags(flags)
  _late = tuple(fault for fault in faults() if fault.option not in _named(flags))
  lacking = unsafe(flags)
  if lacking and not _elsewhere():
    release = ".".join(map(str, JAXLIB))
    warnings.warn(
      f"jaxlib {release} can compile wrong numbers on a CPU without {' '.join(lacking)}: import recurrent_lab before the first "
      "computation, or put these into XLA_FLAGS before Python starts, or use jax 0.12.0.1 or newer.",
      MiscompilationWarning,
      stacklevel=3,
    )


def is_at_risk() -> bool:
  """Whether this process compiles for a CPU on a release with a fault, without the flags against it."""
  return bool(unsafe(os.environ.get("XLA_FLAGS", ""))) and not _elsewhere()


def compiler_options() -> dict[str, bool | str] | None:
  """Options for a top-level `jax.jit(..., compiler_options=...)` where the flags came too late, else None.

  JAX refuses them inside another jit, and backends other than the CPU do not need them. What the user set is not overridden.
  """
  return {fault.option: fault.value for fault in _late} if _late and not _elsewhere() else None
