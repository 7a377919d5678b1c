"""The linear recurrent unit: complex units that rotate and shrink, and to which the input is added.

    λ = exp(-e^ν + i e^θ)
    z_t = λ ⊗ z_{t-1} + e^γ ⊗ (x_t B)
    y_t = Re(z_t C)

so that every unit has the exponent -e^ν twice. Stability needs no constraint, because |λ| < 1 for all ν. The skip connection D x
of the paper is left out, because it bypasses the state.

Reference: Orvieto et al., "Resurrecting recurrent neural networks for long sequences", ICML (2023), sections 3.3 and 3.4, and
lemma 3.2 for the initialisation on a ring.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab.cell import Cell
from recurrent_lab.cells._complex import by_real, diagonal, exponential, pair_of, zeros
from recurrent_lab.cells._linear import linear
from recurrent_lab.transitions import Pair, Transition

OPTIONS = ("input_gain", "timescale", "dtype")


class LRUParams(NamedTuple):
  """Parameters of the linear recurrent unit."""

  input_kernel: Float[Array, "I 2H"]  # columns of Re B, Im B, in this order
  log_decay: Float[Array, "H"]  # ν
  log_angle: Float[Array, "H"]  # θ
  log_scale: Float[Array, "H"]  # γ
  output_kernel: Float[Array, "2H H"]  # rows of Re C, -Im C


def _ring(key: Key[Array, ""], size: int, dtype: np.dtype, low: float, high: float) -> Float[Array, "H"]:
  """Returns squared radii of points that are uniform on the ring low <= |λ| <= high, kept off 0 and 1."""
  eps = jnp.finfo(dtype).eps
  return jnp.clip(jax.random.uniform(key, (size,), dtype, low**2, high**2), eps, 1 - eps)


def init(
  key: Key[Array, ""],
  input_size: int,
  hidden_size: int,
  *,
  min_radius: float = 0.0,
  max_radius: float = 1.0,
  max_angle: float = 2 * np.pi,
  **options: Any,
) -> LRUParams:
  """Draws parameters. The other options are those in `OPTIONS`.

  λ is uniform on a ring, γ = ln √(1 - |λ|²) keeps the variance of z near that of its input, B has the variance 1 / (2I) and C the
  variance 1 / H in each part.

  Args:
    key: the random key.
    input_size: I.
    hidden_size: H.
    min_radius: the least |λ|.
    max_radius: the largest |λ|. Near 1, units remember for about 1 / (1 - |λ|) steps.
    max_angle: the largest angle of λ in radians per step.
    **options: init options.

  Raises:
    ValueError: unless 0 <= min_radius <= max_radius <= 1 and max_angle is above 0.
  """
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
  if not 0 <= min_radius <= max_radius <= 1:
    raise ValueError(
      f"The radii lie between {min_radius} and {max_radius}; they need 0 <= min_radius <= max_radius <= 1."
    )
  if not max_angle > 0:
    raise ValueError(f"max_angle is {max_angle!r}; it must be above 0.")
  k_input, k_radius, k_angle, k_output = jax.random.split(key, 4)
  square = _ring(k_radius, hidden_size, o.dtype, min_radius, max_radius)
  log_radius = 0.5 * jnp.log(square) / jnp.asarray(o.timescale, o.dtype)
  angle = max_angle * jax.random.uniform(k_angle, (hidden_size,), o.dtype, jnp.finfo(o.dtype).eps, 1)
  return LRUParams(
    input_kernel=initializers.input_kernel(k_input, input_size, 2 * hidden_size, o) / np.sqrt(2).astype(o.dtype),
    log_decay=jnp.log(-log_radius),
    log_angle=jnp.log(angle) - jnp.log(jnp.asarray(o.timescale, o.dtype)),
    log_scale=0.5 * jnp.log(-jnp.expm1(2 * log_radius)),
    output_kernel=jax.random.normal(k_output, (2 * hidden_size, hidden_size), o.dtype)
    / np.sqrt(hidden_size).astype(o.dtype),
  )


def initial_state(params: LRUParams, batch_shape: tuple[int, ...] = ()) -> Pair:
  """Returns z_0 = 0, a pair of `[*batch, H]`."""
  return zeros((*batch_shape, *params.log_decay.shape), params.log_decay.dtype)


def transition(params: LRUParams, x: Float[Array, "*batch I"]) -> Transition:
  """Returns the rotations λ and the written e^γ ⊗ (x B)."""
  factors = exponential(-jnp.exp(params.log_decay), jnp.exp(params.log_angle))
  return diagonal(factors, by_real(pair_of(x @ params.input_kernel), jnp.exp(params.log_scale)))


def output(params: LRUParams, state: Pair) -> Float[Array, "*batch H"]:
  """Returns Re(z C)."""
  return jnp.concatenate(state, axis=-1) @ params.output_kernel


#: The linear recurrent unit. Its state is z, a `Pair` of `[*batch, H]`; its output is y `[*batch, H]`.
lru: Cell = linear(LRUParams, init, initial_state, transition, OPTIONS, output)
