"""Orthogonal networks: the recurrent kernel is a function of a free matrix W, and orthogonal for every W.

    A = W - Wᵀ
    O = exp(A)                          exponential map
    O = (I - A/2)⁻¹ (I + A/2)           Cayley map
    h_t = φ(x_t U + h_{t-1} O + b)

so that (∂h_t/∂h_{t-1})ᵀ = O diag(φ'), and gradients shrink only where |φ'| < 1. The papers take modReLU as φ; the cell takes any
activation of the lab.

References:
- Lezcano-Casado & Martínez-Rubio, "Cheap orthogonal constraints in neural networks", ICML (2019), for the exponential map.
- Helfrich, Willmott & Ye, "Orthogonal recurrent neural networks with scaled Cayley transform", ICML (2018). Its scaling by signs,
  which reaches O with an eigenvalue of -1, is left out.
- Higham, "The scaling and squaring method for the matrix exponential revisited", SIAM J. Matrix Anal. Appl. 26 (2005), for the
  rational approximation of order 13.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab._checks import check_choice
from recurrent_lab.activations import Activity, get_activation
from recurrent_lab.cell import Cell, Halves, holding, join, variants, whole_state

OPTIONS = ("recurrent_gain", "input_gain", "bias_scale", "dtype")

ORDER, SQUARINGS = 13, 3
# The coefficients of the numerator of the approximation of exp. Those of the denominator have alternating signs.
PADE = [math.comb(ORDER, k) * math.factorial(2 * ORDER - k) / math.factorial(2 * ORDER) for k in range(ORDER + 1)]


class OrthogonalRNNParams(NamedTuple):
  """Parameters of the orthogonal RNN."""

  input_kernel: Float[Array, "I H"]  # U
  recurrent_kernel: Float[Array, "H H"]  # W, of which only W - Wᵀ has an effect
  bias: Float[Array, "H"]  # b


def exponential_map(a: Float[Array, "H H"]) -> Float[Array, "H H"]:
  """Computes exp of an antisymmetric matrix.

  It is exact to rounding if no angle of rotation is above 43, which is 2^SQUARINGS times Higham's bound. Beyond, the result is
  still orthogonal, but of other angles. With a fixed number of products, XLA takes them out of a loop over steps.
  """
  eye = np.eye(a.shape[0], dtype=a.dtype)
  a = a / 2**SQUARINGS
  a_2 = a @ a
  a_4 = a_2 @ a_2
  a_6 = a_2 @ a_4
  inner = lambda k: PADE[k] * eye + PADE[k + 2] * a_2 + PADE[k + 4] * a_4 + PADE[k + 6] * a_6
  outer = lambda k: PADE[k] * a_2 + PADE[k + 2] * a_4 + PADE[k + 4] * a_6
  odd = a @ (inner(1) + a_6 @ outer(9))
  even = inner(0) + a_6 @ outer(8)
  found = jnp.linalg.solve(even - odd, even + odd)
  for _ in range(SQUARINGS):
    found = found @ found
  return found


def cayley_map(a: Float[Array, "H H"]) -> Float[Array, "H H"]:
  """Computes the Cayley map of an antisymmetric matrix, which has no eigenvalue of -1."""
  eye = np.eye(a.shape[0], dtype=a.dtype)
  return jnp.linalg.solve(eye - a / 2, eye + a / 2)


def initial_state(params: OrthogonalRNNParams, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns h_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, *params.bias.shape), params.bias.dtype)


@variants
def orthogonal_rnn(parametrization: str = "exponential", activation: str = "tanh") -> Cell:
  """Returns an orthogonal RNN. Its state is h `[*batch, H]`, which is also its output.

  Args:
    parametrization: `exponential` or `cayley`, the map from W - Wᵀ to O.
    activation: φ, a name in `ACTIVATIONS`.

  Raises:
    ValueError: for another parametrization or an unknown activation.
  """
  check_choice("parametrization", parametrization, ("exponential", "cayley"))
  f = get_activation(activation)
  is_cayley = parametrization == "cayley"
  orthogonal, angles = (cayley_map, (0, np.pi / 2)) if is_cayley else (exponential_map, (-np.pi, np.pi))

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> OrthogonalRNNParams:
    """Draws parameters. The options are those in `OPTIONS`.

    As in the papers, O rotates pairs of units, by angles that are uniform on [-π, π] for the exponential map and on [0, π/2] for
    the Cayley map. `recurrent_gain` multiplies the angles; at 0, O is the identity.
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    k_input, k_recurrent, k_bias = jax.random.split(key, 3)
    drawn = jax.random.uniform(k_recurrent, (hidden_size // 2,), o.dtype, *angles)
    angle = jnp.asarray(o.recurrent_gain, o.dtype) * drawn
    first = 2 * np.arange(hidden_size // 2)
    entries = 2 * jnp.tan(angle / 2) if is_cayley else angle
    return OrthogonalRNNParams(
      input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
      recurrent_kernel=jnp.zeros((hidden_size, hidden_size), o.dtype).at[first, first + 1].set(entries),
      bias=initializers.bias(k_bias, hidden_size, o),
    )

  def affine(params: OrthogonalRNNParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]) -> Array:
    kernel = orthogonal(params.recurrent_kernel - params.recurrent_kernel.T)
    return x @ params.input_kernel + state @ kernel + params.bias

  def pointwise(
    params: OrthogonalRNNParams, state: Array, a: Float[Array, "*batch H"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    new = f.function(a)
    return new, new

  def probe(params: OrthogonalRNNParams, state: Array, x: Array) -> dict[str, Activity]:
    return {"state": f.activity(affine(params, state, x))}

  halves = Halves(affine, pointwise)
  cell = Cell(init, initial_state, join(halves), probe, halves, whole_state, options=OPTIONS)
  return holding(OrthogonalRNNParams, cell)
