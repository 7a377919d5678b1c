"""Value and gradient by JAX, shared by all contenders that are written in JAX."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import problem
from benchmarks.worker import Prepared


class Layer(NamedTuple):
  """One layer of a net.

  Attributes:
    apply: `(params, xs [T, B, I]) -> outputs [T, B, H]`, or another layout if no layer follows.
    params: a pytree that holds the numbers of `problem`.
    recurrent_kernels: selects the kernels that multiply the state from a tree like `params`.
    note: the difference from the lab's function, if there is one. Its numbers then need not agree.
  """

  apply: Callable[[Any, jax.Array], jax.Array]
  params: Any
  recurrent_kernels: Callable[[Any], Any]
  note: str = ""


def prepare_layers(
  make_layer: Callable[[str, problem.Shape, problem.Problem], Layer], net: str, shape: Any
) -> Prepared:
  """Prepares a net of one or several layers, each made from `(cell, sizes, numbers)`."""
  shape = problem.Shape(*shape)
  made = [
    make_layer(cell, sizes, problem.problem(cell, sizes, seed=i))
    for i, (cell, sizes) in enumerate(problem.layers(net, shape))
  ]

  def apply(params: list[Any], xs: jax.Array) -> jax.Array:
    for layer, own in zip(made, params, strict=True):
      xs = layer.apply(own, xs)
    return xs

  kernels = lambda tree: [layer.recurrent_kernels(own) for layer, own in zip(made, tree, strict=True)]
  return prepare(apply, [layer.params for layer in made], kernels, net, shape, made[0].note)


def prepare(
  apply: Callable[[Any, jax.Array], jax.Array],
  params: Any,
  recurrent_kernels: Callable[[Any], Any],
  cell: str,
  shape: problem.Shape,
  note: str = "",
  is_parallel: bool = False,
) -> Prepared:
  """Prepares the jitted value and gradient of the mean square of `apply(params, xs)`.

  Args:
    apply: `(params, xs [T, B, I]) -> outputs` of any layout.
    params: a pytree that holds the numbers of `problem`.
    recurrent_kernels: selects the kernels that multiply the state from a tree like `params`.
    cell: name of the cell.
    shape: sizes of the problem.
    note: the difference from the lab's function, if there is one. Its numbers then need not agree.
    is_parallel: True if all local devices share the batch.
  """
  params = jax.tree.map(jnp.asarray, params)
  xs = jnp.asarray(problem.problem(problem.LAYERS[cell][0], shape).xs)
  gradient = jax.value_and_grad(lambda params, xs: jnp.mean(apply(params, xs) ** 2))
  if is_parallel:
    # Only the lab comes here. Its import changes XLA's flags, with which other libraries can take twice as long.
    from recurrent_lab.training import data_parallel

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
