"""Gradients of a sum of losses, carried forward in time: real-time recurrent learning and its cheaper estimates.

    P_t = ∂S_t/∂θ = J_t P_{t-1} + I_t,        J_t = ∂S_t/∂S_{t-1},  I_t = ∂S_t/∂θ |_{S_{t-1} held},  P_0 = ∂S_0/∂θ
    dL_t/dθ = ∂L_t/∂S_t P_t + ∂L_t/∂S_{t-1} P_{t-1} + ∂L_t/∂θ |_{S_t, S_{t-1} held}

P is the influence matrix `[n, p]`. No step looks back, so the gradient of L_1 + … + L_t is known at step t. RTRL carries P
itself, and its gradient is that of backpropagation. The other methods carry an estimate P̃ in its place:

    rtrl          P_t = J_t P_{t-1} + I_t                                             exact, n² p operations per step
    snap1         P̃_t = M_t ⊙ (J_t P̃_{t-1} + I_t)                                     M_t: 1 where I acted on a unit by step t
    eprop         P̃_t = B(J_t) P̃_{t-1} + I_t                                          B: the blocks of J within one unit
    eprop_carry   P̃_t = ∂pointwise/∂S_{t-1} |_{a_t held} P̃_{t-1} + I_t                a: the affine half of the step
    uoro          P̃_t = s_t u_tᵀ,  s_t = ρ₀ J_t s_{t-1} + ρ₁ ν,  u_t = u_{t-1} / ρ₀ + I_tᵀ ν / ρ₁,  ν random signs

A unit is all state variables at one place, such as h_i and c_i of an LSTM. SnAp-1 keeps the influence of a parameter on the units
on which it acts within one step. `eprop` cuts every path from one unit to another: it keeps the diagonal f'(a_i) W_ii of a dense
tanh net, and the 2×2 blocks of (h_i, c_i) of an LSTM. Where a parameter acts on one unit alone within a step, as in both, the two
are the same estimate. `eprop_carry` also cuts the path of a unit to itself through its recurrent weights, as the paper of e-prop
does by holding the outputs of all units. It keeps f_t of an LSTM and z_t of a GRU, and nothing of a tanh net.

UORO is unbiased: E[P̃_t] = P_t, with ρ₀² = ‖u_{t-1}‖ / ‖J_t s_{t-1}‖ and ρ₁² = ‖I_tᵀ ν‖ / ‖ν‖ for a small variance.

References: Williams & Zipser, "A learning algorithm for continually running fully recurrent neural networks", Neural
Computation 1 (1989); Menick et al., "A practical sparse approximation for real time recurrent learning", ICLR (2021); Bellec et
al., "A solution to the learning dilemma for recurrent networks of spiking neurons", Nature Communications 11 (2020); Tallec &
Ollivier, "Unbiased online recurrent optimization", ICLR (2018).
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
from jax import lax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab._checks import check_choice, say_size, tree_bytes
from recurrent_lab._compiled import compiled
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments._flat import checked_start
from recurrent_lab.instruments._outputs import output_of
from recurrent_lab.training._influence import METHODS, Here, influence_of, net_of

StepLoss = Callable[[Any, Any], Array]


def _check(named: Mapping[str, Any]) -> None:
  method, cell = named["method"], named["cell"]
  check_choice("method", method, METHODS)
  if method == "uoro" and named["key"] is None:
    raise ValueError("key is None; method 'uoro' is random and needs a key.")
  if method == "eprop_carry" and cell.halves is None:
    raise ValueError("The cell has no halves; method 'eprop_carry' needs a cell with halves, or use 'eprop'.")
  steps = jnp.shape(named["xs"])[:1]
  for leaf in jax.tree.leaves(named["targets"]):
    if jnp.shape(leaf)[:1] != steps:
      raise ValueError(f"A target has shape {jnp.shape(leaf)}; its first axis must be the {steps[0]} steps of xs.")


@compiled("loss", "cell", "method", check=_check)
def online_gradient(
  loss: StepLoss,
  cell: Cell,
  params: Params,
  xs: Float[Array, "T I"],
  targets: Any,
  state: State | None = None,
  *,
  method: str = "rtrl",
  key: Key[Array, ""] | None = None,
) -> Params:
  """Computes the gradient of Σ_t loss(o_t, target_t) with respect to the parameters, or an estimate of it, forward in time.

  Memory does not grow with T. It is n times that of the parameters, or twice that of the parameters for `uoro`.

  Args:
    loss: `(output [H], target) -> scalar`, the loss of one step.
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`; use `vmap` for more.
    targets: a pytree of arrays with a leading axis T.
    state: S_0; by default the cell's initial state, whose dependence on the parameters counts.
    method: one of `METHODS`.
    key: the random key of `uoro`.

  Returns:
    A pytree like `params`.

  Raises:
    ValueError: for an unknown method, `uoro` without a key, `eprop_carry` for a cell without halves, targets that do not have T
      steps, and in the cases of `state_jacobians`.
  """
  summands = _forward(loss, cell, params, xs, targets, state, method, key, 1)
  return jax.tree.map(lambda a: a[0], summands)


@compiled("loss", "cell", "method", check=_check)
def online_gradient_by_lag(
  loss: StepLoss,
  cell: Cell,
  params: Params,
  xs: Float[Array, "T I"],
  targets: Any,
  state: State | None = None,
  *,
  method: str = "rtrl",
  key: Key[Array, ""] | None = None,
) -> Params:
  """Computes the summands of `online_gradient` in the order of the steps, as `gradient_by_lag` does for backpropagation.

  The influence is kept apart by the step at which it entered, which takes T times the memory and the time. A result of more than
  4 GiB is said first (`MemoryWarning`).

  Args:
    loss: as in `online_gradient`.
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`.
    targets: a pytree of arrays with a leading axis T.
    state: S_0; by default the cell's initial state, whose dependence on the parameters belongs to step 1.
    method: one of `METHODS`.
    key: the random key of `uoro`.

  Returns:
    A pytree like `params` with a leading axis T. Entry k-1 belongs to step k, at lag T - k from the end. The sum over this axis
    is `online_gradient` with the same key.

  Raises:
    ValueError: in the cases of `online_gradient`.
  """
  steps = xs.shape[0]
  say_size(f"The gradient by lag of {steps} steps", steps * tree_bytes(params), "online_gradient adds all steps up")
  return _forward(loss, cell, params, xs, targets, state, method, key, xs.shape[0])


def _forward(
  loss: StepLoss,
  cell: Cell,
  params: Params,
  xs: Array,
  targets: Any,
  state: State | None,
  method: str,
  key: Array | None,
  slots: int,
) -> Params:
  """Returns the gradient with a leading axis of slots: one for the whole, or one per step."""
  begin = checked_start(cell, params, xs, state)
  net = net_of(cell, params, begin)
  put_out = output_of(cell, params, begin, xs[0])
  influence = influence_of(method, net, slots)
  keys = None if key is None else jax.random.split(key, xs.shape[0] + 1)

  def first(p: Params) -> Array:
    return net.flat if state is not None else ravel_pytree(cell.initial_state(p, ()))[0]

  def seen(p: Params, before: Array, after: Array, x: Array, target: Any) -> Array:
    return loss(put_out(p, net.unravel(before), x, net.unravel(after)), target)

  def step(loop: Any, at: Any) -> tuple[Any, None]:
    s, carried, gradient = loop
    slot, here_key, x, target = at
    after = net.step(params, s, x)
    direct, to_before, to_after = jax.grad(seen, (0, 1, 2))(params, s, after, x, target)
    advanced = influence.advance(carried, Here(slot, here_key, s, x))
    summands = influence.read(carried, to_before), influence.read(advanced, to_after)
    gradient = jax.tree.map(lambda g, a, b, d: (g + a + b).at[slot].add(d), gradient, *summands, direct)
    return (after, advanced, gradient), None

  _, pull = jax.vjp(first, params)
  carried = influence.start(lambda row: pull(row)[0], None if keys is None else keys[0])
  slot = jnp.minimum(jnp.arange(xs.shape[0]), slots - 1)
  zeros = jax.tree.map(lambda p: jnp.zeros((slots, *jnp.shape(p)), jnp.result_type(p)), params)
  rest = None if keys is None else keys[1:]
  return lax.scan(step, (net.flat, carried, zeros), (slot, rest, xs, targets))[0][2]
