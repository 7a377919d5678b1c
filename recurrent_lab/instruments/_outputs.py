"""The output of a step as a function of the new or the old state, for adjoints of the state.

    o_t = output(θ, S_t)                      if the cell declares its output
    o_t = a part of S_t                       if the cell does not, and the output is a part of the new state
    o_t = step(θ, S_{t-1}, x_t) without S_t   for any other cell

To find out whether the output is a part of the state, the step is run on two generic points and the numbers are compared. The
result depends only on the map, so a step that is jitted, checkpointed or written in another way gives the same result.
"""

from collections.abc import Callable
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from recurrent_lab._generic import generic_vector
from recurrent_lab.cell import Cell, Params, State

# (params, S_{t-1}, x_t, S_t) -> o_t
Output = Callable[[Params, State, Array, State], Any]

# The largest difference in ε between an output and the same part of the state. Two programs may round differently.
NOISE = 64


def output_of(cell: Cell, params: Params, state: State, x: Array) -> Output:
  """Returns the output of a step as a function. Only the shapes of the arguments are used."""
  if cell.output is not None:
    declared = cell.output
    return lambda params, before, x, after: declared(params, after)
  is_part = _parts(cell, params, state, x)

  def put_out(params: Params, before: State, x: Array, after: State) -> Any:
    _, output = cell.step(params, before, x)
    for i, part in reversed(list(enumerate(jax.tree.leaves(after)))):
      if i in is_part:
        output = jnp.where(is_part[i], part, output)
    return output

  return put_out


def _parts(cell: Cell, params: Params, state: State, x: Array) -> dict[int, Bool[Array, ""]]:
  """Returns, for every leaf of the state with the shape of the output, whether it is the output."""
  found: dict[int, Array] = {}
  for sign in (1, -1):  # a relu is the identity on one side only
    params, (state, x) = _generic(params, 1), _generic((state, x), sign)
    after, output = cell.step(params, state, x)
    if not isinstance(output, jax.Array):
      return {}
    for i, part in enumerate(jax.tree.leaves(after)):
      if part.shape == output.shape and part.dtype == output.dtype:
        is_same = jnp.all(
          jnp.isclose(part, output, rtol=NOISE * float(jnp.finfo(part.dtype).eps), atol=0, equal_nan=True)
        )
        found[i] = found.get(i, jnp.array(True)) & is_same
  return found


def _generic(tree: Any, sign: int) -> Any:
  """Replaces all floats of a tree by generic ones, in float32 or wider.

  No two are equal, and they are scaled by the inputs of a kernel, so that no nonlinearity saturates.
  """
  leaves, structure = jax.tree.flatten(tree)
  is_float = [jnp.issubdtype(jnp.result_type(leaf), jnp.floating) for leaf in leaves]
  total = sum(jnp.size(leaf) for leaf, floats in zip(leaves, is_float, strict=True) if floats)
  numbers = sign * lax.optimization_barrier(generic_vector(total, jnp.float32)) / 4
  new, used = [], 0
  for leaf, floats in zip(leaves, is_float, strict=True):
    if floats:
      shape, size = jnp.shape(leaf), jnp.size(leaf)
      fan_in = max(1, size // shape[-1]) if shape else 1
      dtype = jnp.promote_types(jnp.result_type(leaf), jnp.float32)
      leaf, used = (numbers[used : used + size].reshape(shape) / fan_in).astype(dtype), used + size
    new.append(leaf)
  return jax.tree.unflatten(structure, new)
