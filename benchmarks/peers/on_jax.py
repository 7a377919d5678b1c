"""What the peers on JAX share."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import problem
from benchmarks.worker import Prepared
from recurrent_lab.training import data_parallel


def prepare(
  apply: Callable[[Any, jax.Array], jax.Array],
  params: Any,
  recurrent_kernels: Callable[[Any], Any],
  cell: str,
  shape: problem.Shape,
  note: str = "",
  is_parallel: bool = False,
) -> Prepared:
  """The jitted value and gradient of the mean square of `apply(params, xs)`, whatever its layout.

  Args:
    apply: `(params, xs [T, B, I]) -> outputs`.
    params: a pytree with the numbers of `problem` in it.
    recurrent_kernels: picks what multiplies the state from a tree like `params`.
    cell: by name.
    shape: of the problem.
    note: how the function differs from the lab's, in which case its numbers need not agree.
    is_parallel: whether all local devices share the batch.
  """
  params = jax.tree.map(jnp.asarray, params)
  xs = jnp.asarray(problem.problem(cell, shape).xs)
  gradient = jax.value_and_grad(lambda params, xs: jnp.mean(apply(params, xs) ** 2))
  if is_parallel:
    mesh = jax.sharding.Mesh(np.array(jax.local_devices()), ("device",))
    place = lambda tree, *axes: jax.device_put(tree, jax.sharding.NamedSharding(mesh, jax.P(*axes)))
    params, xs, gradient = place(params), place(xs, None, "device"), data_parallel(gradient)
  step = jax.jit(gradient)

  def facts(result: tuple[jax.Array, Any]) -> dict[str, Any]:
    loss, gradient = result
    recurrent = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(recurrent_kernels(gradient))])
    told = problem.facts(cell, shape, float(loss), recurrent, sum(leaf.size for leaf in jax.tree.leaves(params)))
    return {name: value for name, value in told.items() if name != "check"} | {"note": note} if note else told

  return Prepared(lambda: jax.block_until_ready(step(params, xs)), facts)
