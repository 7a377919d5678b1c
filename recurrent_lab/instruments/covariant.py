"""Covariant Lyapunov vectors: the directions in which small differences of the state grow at the Lyapunov exponents.

A Jacobian maps every covariant vector to a multiple of the next one:

    J_{j+1} v_i(S_j) = ± e^{γ_i(j)} v_i(S_{j+1}),       ‖v_i‖ = 1,       mean of γ_i(j) = λ_i,   nats per step.

They are the eigenvectors of J where J is constant, and need not be orthogonal. They come from a pass forward and a pass back:

    J_{j+1} Q_j = Q_{j+1} R_{j+1},       C_j = R_{j+1}⁻¹ C_{j+1} D_j,       V_j = Q_j C_j,

where C_j is upper triangular, D_j scales its columns to length 1, and γ_i(j) = ln D_j[i, i]. Forward, the first i columns of Q
turn into the i fastest growing directions. Backward, a vector within them turns into the slowest one of them.

References: Ginelli, Poggi, Turchi, Chaté, Livi & Politi, "Characterizing dynamics with covariant Lyapunov vectors", Phys. Rev.
Lett. 99 (2007); Ginelli, Chaté, Livi & Politi, "Covariant Lyapunov vectors", J. Phys. A 46 (2013).
"""

from typing import NamedTuple

from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab._checks import say_size
from recurrent_lab._compiled import compiled
from recurrent_lab._generic import generic_directions, generic_vector
from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.instruments._flat import checked_start, flat_trajectory
from recurrent_lab.instruments._linear import step_jacobian


class CovariantVectors(NamedTuple):
  """The k first covariant Lyapunov vectors at M states in the middle of a trajectory.

  Attributes:
    vectors: column i at state S_j is v_i, of length 1. Its sign is arbitrary.
    growth_rates: γ_i(j) = ln ‖J_{j+1} v_i(S_j)‖, nats per step; -inf where the step loses the direction.
    exponents: the means of the growth rates over the M steps, nats per step.
    angles: the angles between v_i and v_{i+1}, radians from 0 to π/2. Two vectors that come close are a sign that the net is
      not hyperbolic there.
  """

  vectors: Float[Array, "M n k"]
  growth_rates: Float[Array, "M k"]
  exponents: Float[Array, "k"]
  angles: Float[Array, "M k-1"]


def _check(steps: int, size: int, k: int, burn_in: int, burn_out: int) -> None:
  """Raises a `ValueError` that names the first impossible value."""
  if not 1 <= k <= size:
    raise ValueError(f"k is {k}; it must lie between 1 and the {size} directions of the state.")
  for name, value in (("burn_in", burn_in), ("burn_out", burn_out)):
    if value < 0:
      raise ValueError(f"{name} is {value}; it must be at least 0 steps.")
  if burn_in + burn_out >= steps:
    raise ValueError(
      f"burn_in + burn_out is {burn_in + burn_out}; it must be below the {steps} steps, so that one counts."
    )


def _back(c: Float[Array, "k k"], r: Float[Array, "k k"]) -> tuple[Float[Array, "k k"], Float[Array, "k"]]:
  """Returns (R⁻¹ C D, ln of the diagonal of D).

  If R loses its last directions, their columns are those that R maps to 0, at a growth rate of -inf. If it loses one that is not
  among the last, that direction and the slower ones are NaN.
  """
  size, lengths = r.shape[0], jnp.abs(jnp.diagonal(r))
  is_small = lengths <= size * jnp.finfo(r.dtype).eps * jnp.max(jnp.abs(r))
  is_lost = jnp.flip(jnp.cumprod(jnp.flip(is_small))) > 0
  is_unknown = jnp.cumsum(is_small & ~is_lost) > 0
  right = jnp.where(is_lost, jnp.eye(size, dtype=r.dtype), c)
  found = lax.linalg.triangular_solve(jnp.where(jnp.diag(is_small), 1, r), right, left_side=True, lower=False)
  norms = jnp.linalg.norm(found, axis=0)
  rates = jnp.where(is_unknown, jnp.nan, jnp.where(is_lost, -jnp.inf, -jnp.log(norms)))
  return jnp.where(is_unknown, jnp.nan, found / norms), rates


def _line_angles(vectors: Float[Array, "M n k"]) -> Float[Array, "M k-1"]:
  """Returns the angles between neighbouring lines, accurate for small and for right angles."""
  a, b = vectors[..., :-1], vectors[..., 1:]
  along = jnp.sum(a * b, axis=-2)
  return jnp.arctan2(jnp.linalg.norm(b - along[..., None, :] * a, axis=-2), jnp.abs(along))


@compiled("cell", "k", "burn_in", "burn_out")
def covariant_vectors(
  cell: Cell,
  params: Params,
  xs: Float[Array, "T I"],
  state: State | None = None,
  *,
  k: int | None = None,
  burn_in: int | None = None,
  burn_out: int | None = None,
) -> CovariantVectors:
  """Computes the k first covariant Lyapunov vectors along one trajectory.

  A step loses a direction if its Jacobian is singular, or if the precision does not resolve the direction beside the others. The
  vector is then one that the Jacobian maps to 0, its growth rate of this step is -inf, and so is its exponent. Rates are NaN if
  that direction was not the slowest one. The memory grows with T k (n + 2k); more than 4 GiB are said first (`MemoryWarning`).

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: one example `[T, I]`; use `vmap` for more.
    state: S_0; by default the cell's initial state.
    k: the number of vectors, from the fastest growing one on. By default all n.
    burn_in: the number of first steps, in which Q turns into its directions; by default a quarter of the steps.
    burn_out: the number of last steps, in which C turns into its directions; by default a quarter of the steps. An error at
      either end shrinks by e^{-(λ_i - λ_{i+1})} per step, so close exponents need more.

  Returns:
    The vectors at S_burn_in … S_{T-burn_out-1}, M = T - burn_in - burn_out of them, and the growth rates of the steps from there.

  Raises:
    ValueError: if `k`, `burn_in` or `burn_out` is out of bounds, and in the cases of `state_jacobians`.
  """
  state = checked_start(cell, params, xs, state)
  flat = flat_trajectory(cell, params, xs, state)
  steps, size = flat.states.shape
  k = size if k is None else k
  burn_in = steps // 4 if burn_in is None else burn_in
  burn_out = steps // 4 if burn_out is None else burn_out
  _check(steps, size, k, burn_in, burn_out)
  jacobian, dtype = step_jacobian(flat, k), flat.states.dtype
  needed = steps * k * (size + 2 * k) * dtype.itemsize
  say_size(
    f"The vectors of {steps} steps", needed, "a smaller k, or parts of the trajectory one after the other, take less"
  )

  def forward(q: Array, at: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
    new, r = jnp.linalg.qr(jacobian.push(q.T, *at).T)
    return new, (q, r)

  def backward(c: Array, r: Array) -> tuple[Array, tuple[Array, Array]]:
    c, rates = _back(c, r)
    return c, (c, rates)

  _, (qs, rs) = lax.scan(forward, generic_directions(size, k, dtype), (flat.states, flat.xs))
  last = jnp.triu(generic_vector(k * k, dtype).reshape(k, k))
  _, (cs, rates) = lax.scan(backward, last / jnp.linalg.norm(last, axis=0), rs, reverse=True)
  counted = slice(burn_in, steps - burn_out)
  vectors, rates = qs[counted] @ cs[counted], rates[counted]
  return CovariantVectors(vectors, rates, jnp.mean(rates, axis=0), _line_angles(vectors))


@compiled("leading")
def splitting_angles(vectors: Float[Array, "M n k"], leading: int) -> Float[Array, "M"]:
  """Computes the smallest angle between the span of the leading covariant vectors and that of the others, in radians.

  With as many leading vectors as there are positive exponents, it is the angle between the unstable and the stable subspace.

  Args:
    vectors: from `covariant_vectors`.
    leading: the number of vectors in the first subspace.

  Returns:
    `[M]`, from 0 to π/2.

  Raises:
    ValueError: if `leading` does not leave a vector on both sides.
  """
  k = vectors.shape[-1]
  if not 1 <= leading < k:
    raise ValueError(
      f"leading is {leading}; it must lie between 1 and {k - 1}, so that both subspaces have a direction."
    )
  bases = [jnp.linalg.qr(part)[0] for part in jnp.split(vectors, [leading], axis=-1)]
  first, rest = sorted(bases, key=lambda basis: -basis.shape[-1])
  common = jnp.swapaxes(first, -1, -2) @ rest
  sine = jnp.linalg.svd(rest - first @ common, compute_uv=False)[..., -1]
  cosine = jnp.linalg.svd(common, compute_uv=False)[..., 0]
  return jnp.arctan2(sine, cosine)
