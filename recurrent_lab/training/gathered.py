"""Backpropagation through time with a few large matrix products.

    a_t = affine(θ, S_{t-1}, x_t),     (S_t, o_t) = pointwise(θ, S_{t-1}, a_t)          the two halves of a step

    δ_t = ∂L/∂a_t = (∂L/∂S_t, ∂L/∂o_t) · ∂pointwise/∂a_t                                from the last step to the first
    ∂L/∂S_{t-1} = (∂L/∂S_t, ∂L/∂o_t) · ∂pointwise/∂S_{t-1} + δ_t · ∂affine/∂S_{t-1}
    ∂L/∂θ = Σ_t δ_t · ∂affine/∂θ   (+ Σ_t … · ∂pointwise/∂θ if pointwise uses θ)

The reverse pass that JAX derives from a scan adds a matrix of the size of θ at every step. Here the loop only stores the δ_t, and
one product over all steps computes the sum over t. The forward pass stores S_{t-1} and a_t. The reverse pass recomputes the
nonlinearities, which is cheaper than writing and reading all their slopes.

Reference: Appleyard, Kočiský & Blunsom, "Optimizing performance of recurrent neural networks on GPUs" (2016), section 3.
"""

from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._chain import join, split
from recurrent_lab._compiled import compiled
from recurrent_lab.cell import Cell, Chain, Halves, Params, State
from recurrent_lab.sequences._steps import start
from recurrent_lab.sequences.alignment import Identity
from recurrent_lab.sequences.unrolling import unroll

# Inputs of at least this width are multiplied by the kernel for all steps at once, before the loop. For narrower inputs, writing
# and reading the products takes longer than computing them in the loop (measured on a CPU).
WIDE = 256
# With this many numbers or more, the δ_t overwrite the a_t: above this size, mapping fresh memory costs more than recomputing.
MANY = 2**22


@compiled("cell")
def reverse_unroll(
  cell: Cell, params: Params, xs: Float[Array, "T *batch I"], state: State | None = None
) -> tuple[State, Any]:
  """Computes `unroll` with a faster reverse pass. Values and gradients are those of `unroll` to rounding.

  Supports reverse mode only, not `jax.jvp`. A combined cell runs each of its cells over the whole sequence, one after the other.
  For a cell without halves this is `unroll` itself.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: inputs `[T, ..., I]`.
    state: S_0; by default the cell's initial state.

  Returns:
    `(S_T, outputs [T, ..., H])`.

  Raises:
    ValueError: in the cases of `unroll`.
  """
  if cell.halves is None and cell.chain is None:
    return unroll(cell, params, xs, state)
  state = start(cell, params, xs, state)
  if cell.chain is not None:
    return _by_link(cell.chain, params, xs, state)
  kernel = getattr(params, "input_kernel", None)
  if xs.shape[-1] >= WIDE and kernel is not None and not isinstance(kernel, Identity):
    params, xs = params._replace(input_kernel=Identity(kernel.shape[-1])), xs @ kernel
  assert cell.halves is not None
  return _gathered(cell.halves, params, xs, state)


def _by_link(chain: Chain, params: Params, xs: Array, state: State) -> tuple[State, Any]:
  """Runs `reverse_unroll` of every link over the outputs of the link before.

  A step accepts leading axes, so all steps enter and leave a link at once.
  """
  states = []
  for link, s in zip(chain.links, split(chain, state), strict=True):
    s, outputs = reverse_unroll(link.cell, link.params(params), link.enter(params, xs), s)
    xs = link.leave(params, outputs)
    states.append(s)
  return join(chain, states), xs


def _run(halves: Halves, params: Params, xs: Array, state: State) -> tuple[tuple[State, Any], tuple[State, Array]]:
  """Returns ((S_T, (o_1 … o_T)), (S_0 … S_{T-1}, a_1 … a_T))."""

  def step(s: State, x: Array) -> tuple[State, Any]:
    a = halves.affine(params, s, x)
    new, output = halves.pointwise(params, s, a)
    return new, (output, (s, a))

  final, (outputs, kept) = lax.scan(step, state, xs)
  return (final, outputs), kept


def _scan_back(step: Any, carry: Any, xs: Any, last: Float[Array, "T *batch A"]) -> tuple[Any, Array]:
  """Computes `lax.scan(step, carry, (xs, last), reverse=True)`. Large results overwrite `last`."""
  if last.size < MANY:
    return lax.scan(step, carry, (xs, last), reverse=True)
  steps = last.shape[0]
  row = lambda array, t: lax.dynamic_index_in_dim(array, t, keepdims=False)

  def back(i: Array, loop: tuple[Any, Array, Array]) -> tuple[Any, Array, Array]:
    carry, held, here = loop
    t = steps - 1 - i
    carry, result = step(carry, (jax.tree.map(lambda x: row(x, t), xs), here))
    # Reading the next row from the new `held` ensures that XLA never keeps two versions of it.
    held = lax.dynamic_update_index_in_dim(held, result, t, axis=0)
    return carry, held, row(held, jnp.maximum(t - 1, 0))

  carry, results, _ = lax.fori_loop(0, steps, back, (carry, last, last[-1]))
  return carry, results


def _gathered(halves: Halves, params: Params, xs: Array, state: State) -> tuple[State, Any]:
  """Computes `reverse_unroll` of a cell with these halves."""

  @jax.custom_vjp
  def gathered(params: Params, xs: Array, state: State) -> tuple[State, Any]:
    return _run(halves, params, xs, state)[0]

  def forward(params: Params, xs: Array, state: State) -> tuple[Any, Any]:
    result, kept = _run(halves, params, xs, state)
    return result, (params, xs, kept)

  def backward(saved: Any, cotangents: Any) -> tuple[Params, Array, State]:
    params, xs, (states, affine) = saved
    d_final, d_outputs = cotangents

    # The loop multiplies by transposed matrices. Transpose them once here, not at every step.
    turned = jax.tree.map(lambda p: lax.optimization_barrier(p.T).T, params)

    def step(carry: tuple[State, Params], at: Any) -> tuple[Any, Array]:
      d_state, d_params = carry
      (d_output, s, x), a = at
      _, pull = jax.vjp(halves.pointwise, params, s, a)
      d_here, direct, delta = pull((d_state, d_output))
      _, through = jax.vjp(lambda s: halves.affine(turned, s, x), s)
      return (jax.tree.map(jnp.add, direct, *through(delta)), jax.tree.map(jnp.add, d_params, d_here)), delta

    none = jax.tree.map(jnp.zeros_like, params)
    (d_state, d_params), deltas = _scan_back(step, (d_final, none), (d_outputs, states, xs), affine)
    # Flatten steps and batch into one axis, so that the products below contract a single long axis.
    rows = lambda a: a.reshape(-1, *a.shape[xs.ndim - 1 :])
    _, pull = jax.vjp(lambda p, x: halves.affine(p, jax.tree.map(rows, states), x), params, rows(xs))
    d_gathered, d_xs = pull(rows(deltas))
    return jax.tree.map(jnp.add, d_params, d_gathered), d_xs.reshape(xs.shape), d_state

  gathered.defvjp(forward, backward)
  return gathered(params, xs, state)
