"""Log norms of Jacobian products."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
from jax import lax
from jax.custom_batching import custom_vmap
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._compiled import compiled
from recurrent_lab._generic import generic_vector
from recurrent_lab.scaled import log_scale, promoted, rescale


class ScaledMatrix(NamedTuple):
  """A Jacobian product `matrix · e^log_scale`, which neither underflows nor overflows."""

  matrix: Float[Array, "m n"]  # with its largest entry in [½, 1), unless it is 0 or a block of a larger product
  log_scale: Float[Array, ""]  # nats


def _normal(product: ScaledMatrix) -> ScaledMatrix:
  """Scales a product, which may be a block, so that its largest entry is in [½, 1) and squares stay in range."""
  product = promoted(product)
  scaled = rescale(product.matrix)
  return ScaledMatrix(scaled.array, log_scale(scaled) + product.log_scale)


@compiled()
def log_frobenius_norm(product: ScaledMatrix) -> Float[Array, ""]:
  """Computes ln (‖P‖_F / √n) in nats for a product `[m, n]`: the log of the root mean square of its singular values.

  It is 0 for an orthogonal product.
  """
  product = _normal(product)
  mean_square = jnp.sum(product.matrix**2) / product.matrix.shape[-1]
  return 0.5 * jnp.log(mean_square) + product.log_scale


#: Power-iteration steps. Beyond this they cost more than the squarings they save.
POWER_STEPS = 6


def _by_power_iteration(matrix: Array) -> tuple[Array, Array]:
  """Returns ln ‖P‖₂ by a few steps u ← G u / ‖G u‖ with G = P Pᵀ, and whether it is right to rounding.

  Let θ = uᵀ G u and r = G u - θ u. All directions other than u share the trace μ = ‖P‖_F² - θ. If μ < θ, none of these has the
  largest eigenvalue, which then lies between θ and θ + ‖r‖² / (θ - μ).
  """
  n = matrix.shape[0]
  new = matrix @ (matrix.T @ generic_vector(n, matrix.dtype))
  for _ in range(POWER_STEPS):
    u = new / jnp.linalg.norm(new)
    pulled = u @ matrix
    new = matrix @ pulled
  theta = jnp.sum(pulled**2)
  rest = jnp.sum(matrix**2) - theta
  error = jnp.sum((new - theta * u) ** 2)
  is_right = (rest < theta) & (error <= jnp.finfo(matrix.dtype).eps * theta * (theta - rest))
  return 0.5 * jnp.log(theta), is_right


def _by_squaring(matrix: Array, is_needed: Array) -> Array:
  """Returns ln ‖P‖₂ by U ← U Uᵀ / ‖U Uᵀ‖_F from U = P / ‖P‖_F on. The result is meaningless unless `is_needed`."""
  eps = jnp.finfo(matrix.dtype).eps

  def normalize(matrix: Array) -> tuple[Array, Array]:
    norm = jnp.linalg.norm(matrix)
    return matrix / jnp.where(norm == 0, 1, norm), jnp.log(norm)

  def square(carry: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
    unit, total, _, weight = carry
    unit, log_norm = normalize(unit @ unit.T)
    return unit, total + weight * log_norm, weight * log_norm, weight / 2

  def unfinished(carry: tuple[Array, Array, Array, Array]) -> Array:
    _, total, term, _ = carry
    return (jnp.abs(term) > eps) & jnp.isfinite(total)

  side = max(matrix.shape)
  unit, log_norm = normalize(jnp.pad(matrix, [(0, side - length) for length in matrix.shape]))
  first = jnp.where(is_needed, -jnp.inf, 0).astype(log_norm.dtype)
  _, total, _, _ = lax.while_loop(unfinished, square, (unit, log_norm, first, jnp.full_like(log_norm, 0.5)))
  return total


@custom_vmap
def _log_largest(matrix: Array) -> Array:
  """Returns ln ‖P‖₂."""
  by_power, is_right = _by_power_iteration(matrix)
  return jnp.where(is_right, by_power, _by_squaring(matrix, ~is_right))


@_log_largest.def_vmap
def _(axis_size: int, in_batched: list[bool], matrices: Array) -> tuple[Array, bool]:
  if not in_batched[0]:  # under jvp, for example, where only the tangent has a batch axis
    return _log_largest.fun(matrices), False
  # A batch keeps squaring until its last member is done. A CPU is as fast with one product at a time, each of which stops when
  # it is done; other devices are not.
  each = lambda matrices: lax.map(_log_largest, matrices)
  together = jax.vmap(_log_largest.fun)
  return lax.platform_dependent(matrices, cpu=each, default=together), True


@compiled()
def log_spectral_norm(product: ScaledMatrix) -> Float[Array, ""]:
  """Computes ln ‖P‖₂ in nats, by power iteration if its result can be certified, else by repeated squaring.

  Squaring U ← U Uᵀ / ‖U Uᵀ‖_F from U = P / ‖P‖_F gives ln ‖P‖_F + Σ_k 2^{-k} ln ‖U_k U_kᵀ‖_F, k = 1, 2, …. The partial sums are
  the logarithms of the 2, 4, 8, … norms of the singular values, which decrease to the log of the largest one. The terms are
  negative and at least halve, so the last term bounds the rest, and the sum stops when it falls below rounding. This takes a few
  squarings if one singular value dominates, and at worst, if all are equal, about as many as a float has bits.

  Only matrix products are used, so the function is fast on every kind of device. It supports forward-mode differentiation only.
  """
  product = _normal(product)
  return _log_largest(product.matrix) + product.log_scale


#: The log norms of products by name.
NORMS: Mapping[str, Callable[[ScaledMatrix], Array]] = {"spectral": log_spectral_norm, "frobenius": log_frobenius_norm}
