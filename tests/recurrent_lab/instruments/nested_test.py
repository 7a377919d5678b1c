"""Nested subspaces by LU against QR in 60 digits, the rule of the interval, and Jacobians by halves."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from recurrent_lab.instruments._flat import flat_trajectory
from recurrent_lab.instruments._interval import AIM, LIMIT, LONGEST, adapted, begin_pace
from recurrent_lab.instruments._linear import step_jacobian
from recurrent_lab.instruments._nested import factor, follow_blocks
from recurrent_lab.instruments._sums import sample_blocks
from tests.nets import EVERY_FAMILY, random_net


def exact_log_r(factors, start):
  """ln R_ii of the product of the factors and the start, in 60 digits beyond their spread."""
  with mpmath.workdps(300):
    product = mpmath.matrix(start.tolist())
    for one in factors:
      product = mpmath.matrix(one.tolist()) * product
    _, r = mpmath.qr(product, mode="skinny")
    return np.array([float(mpmath.log(abs(r[i, i]))) for i in range(r.cols)])


def follow(factors, start, dtype, edges, interval=None):
  """Σ ln |R_ii| of every block, and the pace."""
  matrices = jnp.asarray(factors, dtype)
  multiply = lambda j, rows: rows @ matrices[j].T
  pace = begin_pace(interval or 1, dtype)
  rows, is_fixed = jnp.asarray(start.T, dtype), interval is not None
  return jax.tree.map(np.asarray, follow_blocks(multiply, rows, np.asarray(edges), False, pace, is_fixed))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-4), (np.float64, 1e-11)])
def test_saturated_units_cost_no_digits(dtype, tolerance, rng):
  """Rows of J that are e^80 apart, further than float64 resolves: QR at every step would lose the slowest directions."""
  with jax.enable_x64(dtype == np.float64):
    slopes = np.exp(-20.0 * rng.permuted(np.tile(np.arange(5.0), (6, 1)), axis=1))
    factors = np.asarray(slopes[:, :, None] * rng.normal(size=(6, 5, 5)), dtype)
    start = np.asarray(np.linalg.qr(rng.normal(size=(5, 3)))[0], dtype)
    log_r, pace = follow(factors, start, dtype, [0, 2, 6])
  exact = [exact_log_r(factors[:2], start), exact_log_r(factors, start)]
  np.testing.assert_allclose(np.cumsum(log_r, axis=0), exact, rtol=tolerance)
  assert int(pace.longest) == 1


def test_intervals_grow_where_directions_stay_together(rng):
  factors = np.array([np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(200)], np.float32)
  log_r, pace = follow(factors, np.eye(4), np.float32, [0, 200])
  assert int(pace.longest) == LONGEST
  np.testing.assert_allclose(log_r, np.zeros((1, 4)), atol=1e-3)


def test_an_interval_that_lost_digits_is_computed_again(rng):
  """Forty rotations, then sixty factors with gaps of two nats: the first interval that reaches them is too long."""
  rotations = [np.linalg.qr(rng.normal(size=(6, 6)))[0] for _ in range(100)]
  sizes = np.exp(-2.0 * np.arange(6.0))
  factors = np.array([r * (sizes if j >= 43 else 1) for j, r in enumerate(rotations)])
  start = np.linalg.qr(rng.normal(size=(6, 6)))[0]
  with jax.enable_x64(True):
    adaptive, pace = follow(factors, start, np.float64, [0, 100])
    every_step, _ = follow(factors, start, np.float64, [0, 100], interval=1)
    too_long, _ = follow(factors, start, np.float64, [0, 100], interval=20)
  assert int(pace.longest) == LONGEST
  np.testing.assert_allclose(adaptive, every_step, atol=1e-4)
  assert np.abs(too_long - every_step)[0, -1] > 10
  # The determinant identity sees it, since the sum is wrong too.
  np.testing.assert_allclose(np.sum(every_step), np.linalg.slogdet(factors)[1].sum(), rtol=1e-10)
  assert abs(np.sum(too_long) - np.linalg.slogdet(factors)[1].sum()) > 10


@pytest.mark.parametrize(
  ("steps", "loss", "log_r", "every", "is_lost"),
  [
    (1, 0.0, [0.0, -1.0], 10, False),  # 1 + 0.6 · 15.9 / 1
    (4, 0.99 * AIM * 15.94, [0.0, -8.0], 4, False),
    (4, 1.01 * LIMIT * 15.94, [0.0, -8.0], 2, True),
    (1, 1.01 * LIMIT * 15.94, [0.0, -8.0], 1, False),  # there is no shorter one
    (2, 0.0, [-30.0, -30.0], 2, False),  # e^-45 would be the smallest
    (5, np.nan, [np.nan, np.nan], 1, True),
    (5, np.nan, [0.0, -np.inf], 1, True),
  ],
)
def test_the_rule_of_the_interval(steps, loss, log_r, every, is_lost):
  values = jnp.asarray([loss, *log_r], jnp.float32)
  pace, again = adapted(begin_pace(steps, jnp.float32), jnp.asarray(steps), values[0], values[1:])
  assert (int(pace.every), bool(again)) == (every, is_lost)


def test_a_batch_shares_the_interval_of_its_worst_member():
  log_r = jnp.array([[0.0, -1.0], [0.0, -4.0]])
  one = lambda log_r: adapted(begin_pace(1, jnp.float32), jnp.asarray(1), jnp.zeros(()), log_r)[0].every
  np.testing.assert_array_equal(jax.vmap(one)(log_r), [one(log_r[1])] * 2)
  assert one(log_r[0]) > one(log_r[1])


def test_lu_spans_what_it_was_given(rng):
  rows = jnp.asarray(rng.normal(size=(3, 7)), jnp.float32)
  found = factor(rows)
  upper = np.linalg.lstsq(np.asarray(found.rows).T, np.asarray(rows).T, rcond=None)[0]
  np.testing.assert_allclose(upper, np.triu(upper), atol=1e-5)
  np.testing.assert_allclose(np.log(np.abs(np.diagonal(upper))), found.log_r, rtol=1e-4)
  np.testing.assert_allclose(found.rows.T @ upper, rows.T, atol=1e-5)


@pytest.mark.parametrize("name", EVERY_FAMILY)
def test_jacobians_by_halves_are_those_of_the_step(name, key):
  cell, params, xs = random_net(name, key)
  flat = flat_trajectory(cell, params, xs)
  size = flat.states.shape[1]
  jacobian = step_jacobian(flat, size)
  s, x, rows = flat.states[3], flat.xs[3], jnp.eye(size)[:2] + 0.5
  expected = jax.jacrev(flat.step)(s, x)
  np.testing.assert_allclose(jacobian.dense(s, x), expected, rtol=1e-5, atol=1e-6)
  np.testing.assert_allclose(jacobian.push(rows, s, x), rows @ expected.T, rtol=1e-5, atol=1e-6)
  np.testing.assert_allclose(jacobian.pull(rows, s, x), rows @ expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("lengths", [[1], [5, 5], [10] * 20, [500] * 20, [1] * 8, [100]])
def test_the_sample_has_enough_steps_and_is_spread(lengths):
  lengths = np.array(lengths)
  sample = sample_blocks(lengths)
  assert lengths[sample].sum() >= min(20, lengths.sum())
  assert np.all(np.diff(sample) <= 8)
  assert sample[-1] >= len(lengths) - 8
