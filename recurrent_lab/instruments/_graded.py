"""Graded matrices, in which each row has its own scale, and their products.

A product of many Jacobians may have singular values e^{-10}, e^{-500} and e^{-3000}. Written as diag(e^d) U with unit rows in U,
it keeps all of them. QR keeps the rows ordered by size. The relative accuracy of every singular value then depends on the
condition of U, not on the range of d. `_windows.py` computes them.

Reference: Stewart, "On graded QR decompositions of products of matrices", ETNA 3 (1995).
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float


class Graded(NamedTuple):
  """The matrix `diag(e^log_norms) rows`. Rows have unit norm; a zero row has log norm -inf."""

  log_norms: Float[Array, "n"]
  rows: Float[Array, "n n"]


def normalize(log_norms: Float[Array, "n"], rows: Float[Array, "n m"]) -> Graded:
  """Moves the norms of the rows into `log_norms`."""
  norms = jnp.linalg.norm(rows, axis=-1)
  return Graded(log_norms + jnp.log(norms), rows / jnp.where(norms == 0, 1, norms)[:, None])


def from_matrix(matrix: Float[Array, "n m"]) -> Graded:
  return normalize(jnp.zeros(matrix.shape[0], matrix.dtype), matrix)


def _scale_columns(left: Float[Array, "n n"], log_scales: Float[Array, "n"]) -> tuple[Array, Array]:
  """Computes `left @ diag(e^log_scales)` as (d, W), the matrix diag(e^d) W in which the largest entry of a row of W is 1."""
  log_terms = jnp.log(jnp.abs(left)) + log_scales
  largest = jnp.max(log_terms, axis=1)
  largest = jnp.where(jnp.isneginf(largest), 0, largest)
  return largest, jnp.sign(left) * jnp.exp(log_terms - largest[:, None])


def multiply(left: Float[Array, "n n"], right: Graded) -> Graded:
  """Computes `left @ right`. Row i is summed relative to its largest term."""
  largest, weights = _scale_columns(left, right.log_norms)
  return normalize(largest, weights @ right.rows)


def transposed(matrix: Graded) -> Graded:
  """Performs an unshifted QR step: a matrix with the same singular values that is closer to diagonal.

  With sorted rows, (diag(e^d) U)ᵀ = Uᵀ diag(e^d) = Q R diag(e^d). Relative to their rows, the off-diagonal entries of R diag(e^d)
  are smaller than those of U by the ratio of two scales.
  """
  order = jnp.argsort(-matrix.log_norms)
  r = jnp.linalg.qr(matrix.rows[order].T, mode="r")
  return normalize(*_scale_columns(r, matrix.log_norms[order]))
