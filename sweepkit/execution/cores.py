"""The CPU cores of this process: each computes one tile at a time, in a thread of its own, and all run the same program.

XLA shares loops and products out among the threads of its pool (`PJRT_NPROC`). With a pool of one thread, tiles wait for each
other. With two threads or more, neither the program nor its bits depend on their number (jax 0.10.2 and 0.12.0.1, x86-64).
"""

from concurrent.futures import ThreadPoolExecutor
import functools
import os

import jax

_in_use = 1


def available() -> int:
  """Number of cores that this process may use."""
  count = getattr(os, "process_cpu_count", os.cpu_count)() or 1  # Python 3.13 knows the cores of the process
  return min(count, len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else count


def is_started() -> bool:
  """Returns True if JAX has chosen its devices, after which no setting of them counts."""
  name = "jax_num_cpu_devices"
  before = getattr(jax.config, name)
  try:
    jax.config.update(name, before + 3)  # the same value would be allowed
  except RuntimeError:
    return True
  jax.config.update(name, before)
  return False


def pool_size() -> int:
  """Threads in XLA's pool."""
  return int(os.environ.get("PJRT_NPROC") or available())


def prepare(wanted: int | None) -> int:
  """Sets up XLA's pool if JAX has not started. Returns the number of cores that compute at once.

  Args:
    wanted: the number that was asked for; None for all that the process may use.

  Raises:
    ValueError: if the pool is too small for the number that was asked for.
  """
  global _in_use
  cores = wanted or available()
  if not is_started():
    os.environ.setdefault("PJRT_NPROC", str((os.cpu_count() or 1) + max(cores, available())))
  # A batch of QR factorisations waits, on a thread of the pool, for the pool to compute it. If every thread waits at once, none
  # continues. So the pool has more threads than there are calls.
  most = max(1, pool_size() - 1)
  if wanted and wanted > most:
    raise ValueError(
      f"--cpu_devices: {wanted} is not allowed in a process whose JAX has a pool of {pool_size()} threads; "
      f"at most {most} can compute at once."
    )
  _in_use = min(cores, most)
  return _in_use


def in_use() -> int:
  """Number of cores that compute at once."""
  return _in_use


@functools.lru_cache(maxsize=1)
def executor(cores: int) -> ThreadPoolExecutor:
  """The threads that compute tiles."""
  return ThreadPoolExecutor(cores, thread_name_prefix="tile")


@functools.cache
def compiler() -> ThreadPoolExecutor:
  """The thread that compiles what will be needed next. XLA compiles without Python's lock."""
  return ThreadPoolExecutor(1, thread_name_prefix="compiler")
