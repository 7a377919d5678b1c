"""The continuous Hopfield network. A step of the cell is an Euler step of its differential equation.

    τ du/dt = -u + φ(u) W + x U + b
    u_t = (1 - α) u_{t-1} + α (φ(u_{t-1}) W + x_t U + b)          α = dt / τ

so that ∂u_t/∂u_{t-1} = (1 - α) I + α Wᵀ diag(φ'(u_{t-1})). Hebbian storage of P patterns ξ^p in {-1, 1}^H,

    W = (gain / H) Σ_p ξ^p ξ^pᵀ   with a zero diagonal,

makes u = gain m ξ^p with m = tanh(gain m) nearly a fixed point. There φ' is small, so the Jacobian product shrinks by nearly
1 - α per step: a net that recalls a pattern forgets where it started.

References: Hopfield, "Neural networks and physical systems with emergent collective computational abilities", PNAS 79
(1982), eq. 2, for the storage; Hopfield, "Neurons with graded response ...", PNAS 81 (1984), eq. 5, for the dynamics.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import Activity, get_activation
from recurrent_lab.cell import Cell, holding, variants, whole_state


class HopfieldParams(NamedTuple):
  """Parameters of the continuous Hopfield net."""

  input_kernel: Float[Array, "I H"]  # U
  recurrent_kernel: Float[Array, "H H"]  # W, symmetric if it is Hebbian
  bias: Float[Array, "H"]  # b


def hebbian_kernel(patterns: Float[Array, "P H"]) -> Float[Array, "H H"]:
  """Returns Σ_p ξ^p ξ^pᵀ / H with a zero diagonal, for patterns ξ^p in the rows of `patterns`."""
  size = patterns.shape[-1]
  return (patterns.T @ patterns) * (1 - jnp.eye(size, dtype=patterns.dtype)) / size


def init(
  key: Key[Array, ""], input_size: int, hidden_size: int, *, patterns: Float[Array, "P H"] | None = None, **options: Any
) -> HopfieldParams:
  """Draws parameters whose recurrent kernel stores `patterns` by Hebb's rule.

  By default the patterns are max(1, H // 16) random ones, well below the capacity of 0.138 H. The other options are those of
  `InitOptions`, except that `recurrent_gain` is 4 by default, because recall needs a gain above 1. `recurrent_init` is ignored.
  The cell has no gates, so `forget_bias` and `write_bias` are ignored too.

  Raises:
    ValueError: if `patterns` is not `[P, hidden_size]`.
  """
  sizes = {"input_size": input_size, "hidden_size": hidden_size}
  o = initializers.parse_options(sizes, options, recurrent_gain=4.0)
  k_input, k_patterns, k_bias = jax.random.split(key, 3)
  if patterns is None:
    patterns = jax.random.rademacher(k_patterns, (max(1, hidden_size // 16), hidden_size), o.dtype)
  if patterns.ndim != 2 or patterns.shape[1] != hidden_size:
    raise ValueError(f"patterns have shape {patterns.shape}; [P, {hidden_size}] is needed.")
  return HopfieldParams(
    input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
    recurrent_kernel=jnp.asarray(o.recurrent_gain, o.dtype) * hebbian_kernel(patterns.astype(o.dtype)),
    bias=initializers.bias(k_bias, hidden_size, o),
  )


def initial_state(params: HopfieldParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns u_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, *params.bias.shape), params.bias.dtype)


@variants
def hopfield(activation: str = "tanh", rate: float = 0.1) -> Cell:
  """Returns a continuous Hopfield network. Its state is u `[*batch, H]`, which is also its output.

  Args:
    activation: φ, a name in `ACTIVATIONS`.
    rate: the Euler rate α in (0, 1]. A rate of 1 gives the synchronous network in discrete time.

  Raises:
    ValueError: for an unknown activation or a rate outside (0, 1].
  """
  f = get_activation(activation)
  if not 0 < rate <= 1:
    raise ValueError(f"rate is {rate}; it must lie in (0, 1].")

  def step(
    params: HopfieldParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    drive = f.function(state) @ params.recurrent_kernel + x @ params.input_kernel + params.bias
    new = (1 - rate) * state + rate * drive
    return new, new

  def probe(params: HopfieldParams, state: Array, x: Array) -> dict[str, Activity]:
    del params, x  # the nonlinearity acts on the old state
    return {"state": f.activity(state)}

  return holding(HopfieldParams, Cell(init, initial_state, step, probe, output=whole_state))
