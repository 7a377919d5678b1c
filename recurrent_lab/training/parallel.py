"""Gradients of a batch on several devices. Each device computes the gradient of its share, and the results are averaged.

    g = 1/D Σ_d g_d,      g_d = ∇ (1/|B_d| Σ_{b∈B_d} L_b)      for shares B_d of equal size

This is the gradient of the mean over the batch. On a CPU, it lets a scan use all cores: start with
`jax.config.update("jax_num_cpu_devices", n)`, which makes n devices out of the cores. If the loss factorises matrices
(`flossing`), first set the environment variable `PJRT_NPROC` to more than n. Otherwise the program may hang, because batched QRs
occupy threads of XLA's pool while they wait for others.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax import lax
from jax.sharding import Mesh, PartitionSpec
import numpy as np

Gradient = Callable[[Any, Any], Any]  # (params, batch) -> a pytree of means over the batch, such as (loss, gradient)


def data_parallel(gradient: Gradient, devices: Sequence[Any] | None = None, axis: int = 1) -> Gradient:
  """Makes `gradient` run on all devices at once, each with its share of the batch.

  Args:
    gradient: `(params, batch) -> means`. Every result is a mean over the members of the batch with equal weights.
    devices: the devices to use; by default the local devices.
    axis: the batch axis of every array of the batch; 1 for sequences `[T, B, ...]`.

  Returns:
    A function with the same arguments. Every device holds its results.

  Raises:
    ValueError: when called, if the batch size is not a multiple of the number of devices, or an array lacks the batch axis.
  """
  chosen = jax.local_devices() if devices is None else list(devices)
  mesh = Mesh(np.array(chosen), ("device",))
  share = PartitionSpec(*[None] * axis, "device")

  def average(mean: Any) -> Any:
    """Averages over devices. Divides by a power of two before the sum, because the sum may overflow where the means do not."""
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
