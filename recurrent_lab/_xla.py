"""Keeps XLA from computing wrong numbers on a CPU, on the releases of jaxlib that are known to do so.

Each fault is a default of XLA that a flag can change. (docs/numerics.md describes one more fault, whose flag costs too much.)
XLA reads `XLA_FLAGS` when JAX starts its first backend, so it is enough to import `recurrent_lab` before that. The import adds
missing flags and keeps those that the user has set. XLA aborts on a flag that it does not know, so each flag is set only on the
releases it was tested with.
"""

import os
import platform
import sys
from typing import NamedTuple
import warnings

from jaxlib.version import __version_info__ as JAXLIB


class MiscompilationWarning(UserWarning):
  """XLA may compute wrong numbers in this process, and the lab can no longer prevent it."""


class Fault(NamedTuple):
  """A default of XLA on x86 CPUs that gives wrong numbers."""

  option: str  # the flag without its dashes, which is also the name of the compiler option
  right: tuple[bool | str, ...]  # values that give right numbers; the first is set
  first: tuple[int, ...]  # the first release of jaxlib on which the flag is set
  end: tuple[int, ...]  # the first later release on which it is not set


FAULTS = (
  # Instructions of AVX-512 give wrong gradients of gated cells in float64 with two batch axes: those of a scan by default, and
  # without fusion emitters those of a loop or of `reverse_unroll` for some cells. Seen with jaxlib 0.10.1, 0.10.2 and 0.11.0.
  Fault("xla_cpu_max_isa", ("AVX2", "AVX", "SSE4_2"), (0, 10), (0, 11, 1)),
  # With them, far more programs meet the fault above, and compilation takes a fifth longer. 0.11.1 aborts on the flag.
  Fault("xla_cpu_use_fusion_emitters", (False,), (0, 10), (0, 11, 1)),
)
X86 = ("x86_64", "AMD64")


def faults(version: tuple[int, ...] = JAXLIB, machine: str = platform.machine()) -> tuple[Fault, ...]:
  """Returns the faults of a release of jaxlib on a kind of CPU."""
  return tuple(fault for fault in FAULTS if machine in X86 and fault.first <= version < fault.end)


def _flag(fault: Fault) -> str:
  return f"--{fault.option}={'false' if fault.right[0] is False else fault.right[0]}"


def _named(flags: str) -> dict[str, str]:
  """Parses flags as XLA does: the last of several flags of one name counts, and a flag without a value is true."""
  pairs = (word.lstrip("-").partition("=") for word in flags.split())
  return {name: value if equals else "true" for name, equals, value in pairs}


def add_flags(flags: str, version: tuple[int, ...] = JAXLIB) -> str:
  """Returns `flags` with those added that this release needs and that are not set. The name of a flag file stays as it is."""
  if flags.strip() and not flags.lstrip().startswith("-"):
    return flags
  missing = [_flag(fault) for fault in faults(version) if fault.option not in _named(flags)]
  return " ".join([*flags.split(), *missing])


def unsafe(flags: str, version: tuple[int, ...] = JAXLIB) -> tuple[str, ...]:
  """Returns the flags that this release needs and that `flags` does not set, or sets to another value."""
  safe = lambda fault, value: value in (("false", "False", "0") if fault.right[0] is False else fault.right)
  named = _named(flags)
  return tuple(_flag(f) for f in faults(version) if f.option not in named or not safe(f, named[f.option]))


def _started() -> bool:
  """Returns True if JAX has started a backend. XLA_FLAGS are not read after that."""
  bridge = sys.modules.get("jax._src.xla_bridge")
  return bridge is not None and bridge.backends_are_initialized()


def _elsewhere() -> bool:
  """Returns True if JAX has started and does not compute on a CPU."""
  return _started() and sys.modules["jax"].default_backend() != "cpu"


# The faults that a top-level jit must avoid by compiler options, because XLA had read its flags before the lab was imported.
_late: tuple[Fault, ...] = ()


def protect() -> None:
  """Adds the needed flags to `XLA_FLAGS` if JAX has not started. Warns once if a needed flag is not set."""
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
  """Returns True if this process compiles for a CPU on a release with a fault, without the flag against it."""
  return bool(unsafe(os.environ.get("XLA_FLAGS", ""))) and not _elsewhere()


def compiler_options() -> dict[str, bool | str] | None:
  """Returns options for a top-level `jax.jit(..., compiler_options=...)` where the flags came too late, else None.

  JAX refuses compiler options inside another jit, and only the CPU needs them. Options that the user has set are kept.
  """
  return {fault.option: fault.right[0] for fault in _late} if _late and not _elsewhere() else None
