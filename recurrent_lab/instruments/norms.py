"""Log norms of Jacobian products."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
from jax import lax
from jax.custom_batching import custom_vmap
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from recurrent_lab._compiled import compiled
from recurrent_lab._generic import generic_vector
from recurrent_lab.scaled import log_scale, promoted, rescale


class ScaledMatrix(NamedTuple):
  """A Jacobian product `matrix · e^log_scale`, which neither underflows nor overflows."""

  matrix: Float[Array, "m n"]  # with its largest entry in [½, 1), unless it is 0 or a block of a larger product
  log_scale: Float[Array, ""]  # nats


def normal(product: ScaledMatrix) -> ScaledMatrix:
  """Scales a product, which may be a block, so that its largest entry is in [½, 1) and squares stay in range."""
  product = promoted(product)
  scaled = rescale(product.matrix)
  return ScaledMatrix(scaled.array, log_scale(scaled) + product.log_scale)


@compiled()
def log_frobenius_norm(product: ScaledMatrix) -> Float[Array, ""]:
  """Computes ln (‖P‖_F / √n) in nats for a product `[m, n]`: the log of the root mean square of its singular values.

  It is 0 for an orthogonal product.
  """
  return frobenius_of_normal(normal(product))


def frobenius_of_normal(product: ScaledMatrix) -> Float[Array, ""]:
  """Computes ln (‖P‖_F / √n) of a product in normal form."""
  mean_square = jnp.sum(product.matrix**2) / product.matrix.shape[-1]
  return 0.5 * jnp.log(mean_square) + product.log_scale


# Power-iteration steps. A step costs a thirtieth of a squaring for n = 128, and most products need fewer than ten.
POWER_STEPS = 24
# Steps after which a matrix that is not dominated by one direction is squared instead.
FIRST_STEPS = 3


class _Guess(NamedTuple):
  """A guess of the largest eigenvalue λ₁ of a positive semidefinite G."""

  vector: Float[Array, "m"]  # u, the direction of G u for the previous u
  eigenvalue: Float[Array, ""]  # θ = uᵀ G u
  rest: Float[Array, ""]  # the trace that all directions but u share
  is_right: Bool[Array, ""]


def _guess(new: Float[Array, "m"], apply: Callable[[Array], Array], trace: Array, allowed: float | Array) -> _Guess:
  """Takes one power-iteration step u = v / ‖v‖ and checks θ.

  Let r = G u - θ u and μ = tr G - θ. If μ < θ, none of the directions other than u has the largest eigenvalue, which then lies
  between θ and θ + ‖r‖² / (θ - μ).

  Args:
    new: v, the direction of the guess, of any norm.
    apply: u -> G u.
    trace: tr G.
    allowed: the allowed error of ln λ₁.
  """
  u = new / jnp.linalg.norm(new)
  image = apply(u)
  theta = u @ image
  rest = trace - theta
  error = jnp.sum((image - theta * u) ** 2)
  return _Guess(image, theta, rest, (rest < theta) & (error <= allowed * theta * (theta - rest)))


def _by_power_iteration(
  start: Float[Array, "m"], apply: Callable[[Array], Array], trace: Array, allowed: float | Array
) -> _Guess:
  """Takes as many steps as it needs, or as show that one direction does not dominate. Arguments as in `_guess`."""

  def unfinished(carry: tuple[_Guess, Array]) -> Array:
    guess, count = carry
    hopeful = (guess.rest < guess.eigenvalue) | (count < FIRST_STEPS)
    return ~guess.is_right & hopeful & (count < POWER_STEPS)

  step = lambda carry: (_guess(carry[0].vector, apply, trace, allowed), carry[1] + 1)
  nothing = jnp.zeros((), start.dtype)
  first = _Guess(start, nothing, nothing, jnp.zeros((), bool))
  return lax.while_loop(unfinished, step, (first, jnp.zeros((), int)))[0]


def _by_squaring(matrix: Float[Array, "m n"], start: Float[Array, "m"]) -> Float[Array, ""]:
  """Returns ln ‖P‖₂ by U ← U Uᵀ / ‖U Uᵀ‖_F from U = P / ‖P‖_F on, until power iteration is certified.

  After k squarings, ln ‖P‖₂ = Σ_{j≤k} 2^{-j} ln ‖U_j U_jᵀ‖_F + 2^{-k} ln λ₁(U_k), in which j = 0 stands for ln ‖P‖_F.
  """
  eps = float(jnp.finfo(matrix.dtype).eps)

  def normalize(matrix: Array) -> tuple[Array, Array]:
    norm = jnp.linalg.norm(matrix)
    return matrix / jnp.where(norm == 0, 1, norm), jnp.log(norm)

  def square(carry: Any) -> Any:
    unit, total, _, weight, new, _, _ = carry
    unit, log_norm = normalize(unit @ unit.T)
    term = weight * log_norm
    guess = _by_power_iteration(new, lambda u: unit @ u, jnp.trace(unit), eps / weight)
    value = jnp.where(guess.is_right, total + term + weight * jnp.log(guess.eigenvalue), total + term)
    return unit, total + term, term, weight / 2, guess.vector, guess.is_right, value

  def unfinished(carry: Any) -> Array:
    _, total, term, _, _, is_right, _ = carry
    return ~is_right & (jnp.abs(term) > eps) & jnp.isfinite(total)

  side = max(matrix.shape)
  unit, log_norm = normalize(jnp.pad(matrix, [(0, side - length) for length in matrix.shape]))
  new, half = jnp.pad(start, (0, side - len(start))), jnp.full_like(log_norm, 0.5)
  carry = unit, log_norm, jnp.full_like(log_norm, jnp.inf), half, new, jnp.zeros((), bool), log_norm
  return lax.while_loop(unfinished, square, carry)[-1]


@custom_vmap
def _squared_if_needed(matrix: Array, start: Array) -> Array:
  """Returns ln ‖P‖₂ by squaring, or 0 if `start` is zero."""
  nothing = lambda matrix, start: jnp.zeros((), matrix.dtype)
  return lax.cond(jnp.all(start == 0), nothing, _by_squaring, matrix, start)


@_squared_if_needed.def_vmap
def _(axis_size: int, in_batched: list[bool], matrices: Array, starts: Array) -> tuple[Array, bool]:
  if not any(in_batched):  # under jvp, for example, where only the tangent has a batch axis
    return _squared_if_needed.fun(matrices, starts), False
  matrices, starts = (
    a if batched else jnp.broadcast_to(a, (axis_size, *a.shape))
    for a, batched in zip((matrices, starts), in_batched, strict=True)
  )
  # A batch keeps squaring until its last member is done. A CPU is as fast with one product at a time, each of which stops when
  # it is done; other devices are not.
  each = lambda *batch: lax.map(lambda one: _squared_if_needed(*one), batch)
  together = jax.vmap(_squared_if_needed.fun)
  chosen = lambda *batch: lax.platform_dependent(*batch, cpu=each, default=together)
  nothing = lambda matrices, _: jnp.zeros(axis_size, matrices.dtype)
  return lax.cond(jnp.all(starts == 0), nothing, chosen, matrices, starts), True


def spectral_of_normal(product: ScaledMatrix, start: Float[Array, "m"]) -> tuple[Float[Array, ""], Float[Array, "m"]]:
  """Computes ln ‖P‖₂ of a product in normal form. Also returns where to start for a product with nearly the same direction.

  A part √ε of that start is generic, so that a direction that takes over is found.
  """
  matrix, log_scale = product
  eps = float(jnp.finfo(matrix.dtype).eps)
  guess = _by_power_iteration(start, lambda u: matrix @ (u @ matrix), jnp.sum(matrix**2), eps)
  squared = _squared_if_needed(matrix, jnp.where(guess.is_right, 0, guess.vector))
  value = jnp.where(guess.is_right, 0.5 * jnp.log(guess.eigenvalue), squared)
  generic = generic_vector(matrix.shape[0], matrix.dtype)
  size = jnp.linalg.norm(guess.vector)
  is_usable = jnp.isfinite(size) & (size > 0)
  known = jnp.where(is_usable, guess.vector / jnp.where(is_usable, size, 1), 0)
  return value + log_scale, known + eps**0.5 / jnp.linalg.norm(generic) * generic


@compiled()
def log_spectral_norm(product: ScaledMatrix) -> Float[Array, ""]:
  """Computes ln ‖P‖₂ in nats, by power iteration if its result can be certified, else by repeated squaring.

  Power iteration is certified if one direction has more than half of ‖P‖_F². Squaring makes every spectrum such a one.
  Squaring U ← U Uᵀ / ‖U Uᵀ‖_F from U = P / ‖P‖_F gives ln ‖P‖_F + Σ_k 2^{-k} ln ‖U_k U_kᵀ‖_F, k = 1, 2, …. The partial sums are
  the logarithms of the 2, 4, 8, … norms of the singular values, which decrease to the log of the largest one. The terms are
  negative and at least halve, so the last term bounds the rest, and the sum stops when it falls below rounding. This takes a few
  squarings if one singular value dominates, and at worst, if all are equal, about as many as a float has bits.

  Only matrix products are used, so the function is fast on every kind of device. It supports forward-mode differentiation only.
  """
  value, _ = spectral_of_normal(
    normal(product), generic_vector(product.matrix.shape[0], promoted(product).matrix.dtype)
  )
  return value


#: The log norms of products by name.
NORMS: Mapping[str, Callable[[ScaledMatrix], Array]] = {"spectral": log_spectral_norm, "frobenius": log_frobenius_norm}
