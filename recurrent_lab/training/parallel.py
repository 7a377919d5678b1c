"""The gradient of a batch on several devices: each takes its share of the members, and what they find is averaged.

    g = 1/D Σ_d g_d,      g_d = ∇ (1/|B_d| Σ_{b∈B_d} L_b)      for shares B_d of equal size

which is the gradient of the mean over the batch. On a CPU this is how both the products and the nonlinearities of a scan use
all cores: start with `jax.config.update("jax_num_cpu_devices", n)`, which makes n devices of them. If the loss factorises
matrices (`flossing`), set the environment's `PJRT_NPROC` to more than n before: a batch of QRs waits for threads of XLA's pool
on one of them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax import lax
from jax.sharding import Mesh, PartitionSpec
import numpy as np

Gradient = Callable[[Any, Any], Any]  # (params, batch) -> a pytree of means over the batch, such as (loss, gradient)


def data_parallel(gradient: Gradient, devices: Sequence[Any] | None = None, axis: int = 1) -> Gradient:
  """`gradient` of the whole batch, computed by all devices at once.

  Args:
    gradient: `(params, batch) -> means`; every result is a mean over members of the batch, all of the same weight.
    devices: those that take part; the local ones by default.
    axis: of every array of the batch, the one that runs over its members; 1 for sequences `[T, B, ...]`.

  Returns:
    A function of the same arguments, whose results every device holds.

  Raises:
    ValueError: when called, if the devices do not divide the members, or an array of the batch lacks the axis.
  """
  chosen = jax.local_devices() if devices is None else list(devices)
  mesh = Mesh(np.array(chosen), ("device",))
  share = PartitionSpec(*[None] * axis, "device")

  def average(mean: Any) -> Any:
    """The mean over devices; the sum is taken of means over a power of two, since it may be out of range where they are not."""
    power = 2 ** (len(chosen) - 1).bit_length()
    return lax.psum(mean / power, "device") * (power / len(chosen))

  def averaged(params: Any, batch: Any) -> Any:
    return jax.tree.map(average, gradient(params, batch))

  mapped = jax.shard_map(
    averaged, mesh=mesh, in_specs=(PartitionSpec(), share), out_specs=PartitionSpec(), check_vma=False
  )

  def parallel(params: Any, batch: Any) -> Any:
    for leaf in jax.tree.leaves(batch):
      if np.ndim(leaf) <= axis:
        raise ValueError(
          f"The batch holds an array of shape {np.shape(leaf)}; its members are to run over axis {axis}, so give"
          f" labels [B] as [1, B], or another axis."
        )
      if leaf.shape[axis] % len(chosen):
        raise ValueError(
          f"A batch of {leaf.shape[axis]} cannot be shared out to {len(chosen)} devices; give a multiple of their number."
        )
    return mapped(params, batch)

  return parallel
