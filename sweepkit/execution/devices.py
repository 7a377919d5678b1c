"""The devices of this process as one: points in tiles, the tiles spread over the devices.

A call computes at most `call` points. They are cut into tiles of `TILE`. On CPU the cores take tile after tile, each with the
same program, compiled once for one tile. So the bits of a point depend neither on the size of a call nor on the number of cores,
shards or hosts. (A program over all devices rounds otherwise for one device than for two: XLA partitions it before it chooses
what to fuse.) Only a call of fewer points than a tile is a smaller tile, whose last bits may differ.

GPU and TPU are idle at eight points. There a tile is a device's whole share of a call, and one program over all devices, made by
`shard_map`, computes the call; nothing is promised about bits.

A call that runs out of memory is halved, down to one point, and so are all later ones of its group.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
import contextlib
import dataclasses
import math
import os
import threading
import time
from typing import Any, NamedTuple

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
import numpy as np

from sweepkit import words
from sweepkit.execution import cores, traces
from sweepkit.execution.progress import say

TILE = 8


@dataclasses.dataclass
class Group:
  """Points that share a program, and what was learned about it on the way.

  Attributes:
    name: for messages.
    function: (trees of arrays with a leading axis of points) -> {name: array with that axis}; pure.
    call: the most points in one call.
    identity: a name of all code that the function runs, under which its program is kept; None to keep nothing.
    halvings: how often `call` was halved since memory ran out.
    compile_seconds: spent in compiling since they were last reported.
    programs: points in a tile -> the compiled program.
    lock: held while a program is compiled.
  """

  name: str
  function: Callable[..., Mapping[str, Any]]
  call: int
  identity: str | None = None
  halvings: int = 0
  compile_seconds: float = 0
  programs: dict[int, Any] = dataclasses.field(default_factory=dict)
  lock: Any = dataclasses.field(default_factory=threading.Lock)


class Started(NamedTuple):
  """A call that has started: JAX computes while the program continues."""

  outputs: list[Future[dict[str, np.ndarray]]]  # one dictionary per tile, or one for the whole call
  points: int
  call: int  # the size of a call that was in force


def is_out_of_memory(error: BaseException) -> bool:
  """Returns True if an error reports a lack of memory. JAX has no type of its own for it."""
  text = str(error).lower()
  return isinstance(error, MemoryError) or "resource_exhausted" in text or "out of memory" in text


def missing() -> str | None:
  """Returns a sentence that says why JAX has no device to run on; None if it has one."""
  try:
    jax.devices()
  except (RuntimeError, AssertionError):  # AssertionError without a message where a platform has no plugin
    return (
      f"JAX_PLATFORMS: {os.environ.get('JAX_PLATFORMS', 'what JAX chose')!r} does not start on this machine; "
      "install what it needs (its driver and JAX's plugin), or set JAX_PLATFORMS=cpu."
    )
  return None


def count() -> int:
  """Number of devices that compute at once: cores on CPU."""
  return cores.in_use() if jax.default_backend() == "cpu" else jax.local_device_count()


def described() -> str:
  """The devices of this process, such as `2 CPU cores` or `1 GPU device (NVIDIA H100 80GB HBM3)`."""
  local = jax.local_devices()
  platform, kinds = local[0].platform, dict.fromkeys(device.device_kind for device in local)
  named = ", ".join(kind for kind in kinds if kind.lower() != platform.lower())
  noun = "core" if platform == "cpu" else "device"
  return words.count(count(), f"{platform.upper()} {noun}") + (f" ({named})" if named else "")


def tile_size(call: int) -> int:
  """Points that a device computes at once."""
  return min(TILE, call) if jax.default_backend() == "cpu" else math.ceil(call / jax.local_device_count())


def calls_ahead(call: int) -> int:
  """Calls of so many points that are started besides the one waited for: on CPU enough that every core has a tile."""
  return math.ceil(count() / max(1, call // TILE)) if jax.default_backend() == "cpu" else 1


def _length(arguments: Any) -> int:
  return len(jax.tree.leaves(arguments)[0])


def tiled(function: Callable[..., Any], mesh: Mesh) -> Callable[..., Any]:
  """The function of trees over a leading axis that a 1-D mesh shares out."""
  spec = PartitionSpec("device")
  return jax.shard_map(function, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False)


def _options() -> dict[str, Any]:
  """Options of XLA on CPU, where a tile is one core's. Threads that all tiles share would split sums by the number of cores.

  Level 1 compiles a portrait in half the time and is as fast, since its products and factorisations are calls of libraries.
  """
  if jax.default_backend() != "cpu":
    return {}
  return {"xla_cpu_multi_thread_eigen": False, "xla_backend_optimization_level": 1}


def _program(group: Group, tile: int, arguments: Sequence[Any]) -> Any:
  """The program of a tile on CPU, or of a tile on every device elsewhere; compiled at first use."""
  with group.lock:
    if tile not in group.programs:
      begin = time.perf_counter()
      function = tiled(group.function, Mesh(np.array(jax.local_devices()), ("device",)))
      if jax.default_backend() == "cpu":
        function = traces.traced(group.function, arguments, group.identity)
      group.programs[tile] = jax.jit(function).lower(*arguments).compile(_options())
      group.compile_seconds += time.perf_counter() - begin
    return group.programs[tile]


def compile_ahead(group: Group, arguments: Sequence[Any]) -> None:
  """Compiles the program of points that will be started later, in another thread. `start` raises its errors."""

  def compiled() -> None:
    tile = tile_size(group.call)
    rows = np.minimum(np.arange(tile), _length(arguments) - 1)
    with contextlib.suppress(Exception):
      _program(group, tile, jax.tree.map(lambda a: a[rows], tuple(arguments)))

  if jax.default_backend() == "cpu":
    cores.compiler().submit(compiled)


def _computed(program: Any, arguments: Sequence[Any]) -> dict[str, np.ndarray]:
  """Runs a program and waits for its arrays."""
  return {name: np.asarray(array) for name, array in program(*arguments).items()}


def start(group: Group, arguments: Sequence[Any]) -> Started:
  """Starts the first call of some points, compiling its program if there is none yet."""
  tile, on_cpu = tile_size(group.call), jax.default_backend() == "cpu"
  points = min(_length(arguments), group.call)
  width = tile if on_cpu else tile * jax.local_device_count()
  outputs = []
  for first in range(0, points, width):
    rows = np.minimum(first + np.arange(width), points - 1)  # the rest of a tile repeats the last point
    chosen = jax.tree.map(lambda a, rows=rows: a[rows], tuple(arguments))
    if not on_cpu:
      mesh = Mesh(np.array(jax.local_devices()), ("device",))
      chosen = jax.device_put(chosen, NamedSharding(mesh, PartitionSpec("device")))
    outputs.append(cores.executor(count()).submit(_computed, _program(group, tile, chosen), chosen))
  return Started(outputs, points, group.call)


def collect(started: Started) -> dict[str, np.ndarray]:
  """The arrays of a call, the points on their leading axis; waits for them."""
  tiles = [output.result() for output in started.outputs]
  return {name: np.concatenate([tile[name] for tile in tiles])[: started.points] for name in tiles[0]}


def finish(group: Group, arguments: Sequence[Any], started: Started | None) -> dict[str, np.ndarray]:
  """The arrays of all points of `arguments`, whose first call may have been started; halves calls while memory runs out.

  Raises:
    RuntimeError, MemoryError: what JAX raised, if it is something else or happens with a single point.
  """
  parts: list[dict[str, np.ndarray]] = []
  done, total = 0, _length(arguments)
  while done < total:
    was_started = started is not None
    try:
      started = started or start(group, jax.tree.map(lambda a, done=done: a[done:], arguments))
      parts.append(collect(started))
      done += started.points
    except (RuntimeError, MemoryError) as error:
      size = min(started.call if started else group.call, total - done)
      if not is_out_of_memory(error) or size == 1:
        raise
      # A call that was started ahead may have failed because the previous call held memory, or before calls were halved.
      if not was_started:
        halve(group, size)
    started = None
  return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def halve(group: Group, size: int) -> None:
  """Makes calls half as large as one of `size` points that ran out of memory, in whole tiles while there are two or more."""
  half = math.ceil(size / 2)
  group.call = max(TILE, half - half % TILE) if size > TILE else half
  group.halvings += 1
  group.programs.clear()
  say(f"{group.name}: out of memory with {size} points in a call; going on with {group.call}.")


def prepare(cpu_devices: int | None, hosts: Sequence[Any] | None) -> tuple[int, int]:
  """Chooses the devices of this process, and returns its number and the number of processes.

  Args:
    cpu_devices: cores that compute at once; None for all that the process may use.
    hosts: address of the coordinator, number of processes, number of this one, all None where the
      cluster provides them; None if this process is alone.

  Raises:
    ValueError: if JAX has started with too few threads, the number of this process is unknown, or the others do not come.
  """
  cores.prepare(cpu_devices)
  process = (0, 1) if hosts is None else _join(hosts)
  if cpu_devices is not None and jax.default_backend() != "cpu":
    raise ValueError(f"--cpu_devices: JAX runs on {jax.default_backend()} here; set JAX_PLATFORMS=cpu to run on cores.")
  return process


def _join(hosts: Sequence[Any]) -> tuple[int, int]:
  """All processes meet, learn their numbers from JAX, and disconnect, so that one that exits later affects no other."""
  # JAX's own handler of SIGTERM would replace ours.
  jax.config.update("jax_enable_preemption_service", False)
  try:
    jax.distributed.initialize(*hosts)
  except ValueError:
    raise ValueError(
      "--distributed: there is no Slurm, Open MPI or TPU pod here that says which process this is; "
      "give --coordinator_address, --num_processes and --process_id."
    ) from None
  except RuntimeError as error:
    raise ValueError(f"--distributed: {str(error).splitlines()[0]}") from None
  process = jax.process_index(), jax.process_count()
  jax.distributed.shutdown()
  return process
