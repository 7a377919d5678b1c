"""The ascent on the largest exponent has closed forms: a linear unit, and the chaos-free network without input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.chaos_search import EXPERIMENT, Tangents, ascend, check, held, orthonormal, window_growth
from experiments.portrait import is_positive
import recurrent_lab as rl
from sweepkit import runner


def test_ascent_of_a_linear_unit_raises_ln_w():
  """λ₁ = ln |w|. The gradient has length 1, so Adam moves w by its rate at every update."""
  step = lambda w, s, x: w * s
  start = Tangents(jnp.ones(1), jnp.ones((1, 1)))
  growth_of = lambda w, key: window_growth(step, w, jnp.zeros((10, 1)), start)
  best, _, curve = ascend(growth_of, jnp.float32(0.5), start, jax.random.split(jax.random.key(0), 21), 0.1)
  expected = 0.5 + 0.1 * np.arange(21)
  np.testing.assert_allclose(curve, np.log(expected), atol=1e-4)
  assert best == pytest.approx(2.5, rel=1e-4)


def test_growth_of_a_volume_is_that_of_qr(rng):
  """Against NumPy, for a linear map of three dimensions and two tangents."""
  matrix, start = rng.normal(size=(3, 3)), rng.normal(size=(2, 3))
  step = lambda m, s, x: m @ s
  rows, _ = orthonormal(jnp.asarray(start, jnp.float32))
  growth, end = window_growth(step, jnp.float32(matrix), jnp.zeros((10, 1)), Tangents(jnp.ones(3), rows))
  volume = lambda tangents: np.log(np.abs(np.diag(np.linalg.qr(tangents.T)[1])))
  half, whole = (start @ np.linalg.matrix_power(matrix, steps).T for steps in (5, 10))
  np.testing.assert_allclose(growth, (volume(whole) - volume(half)) / 5, atol=1e-4)
  np.testing.assert_allclose(end.rows @ end.rows.T, np.eye(2), atol=1e-5)


def test_a_chaos_free_net_without_input_has_the_largest_gate_at_zero(key):
  """λ₁ = max ln σ(b_f) for any kernel; the bias of the candidate, which the paper has not, is held at 0."""
  cell = rl.get_cell("cfn")
  params = cell.init(key, 2, 5, recurrent_gain=20.0, bias_scale=1.0)
  step = lambda params, h, x: cell.step(held(params), h, x)[0]
  start = Tangents(jax.random.normal(key, (5,)), jnp.eye(5)[:1] + 0.1)
  growth, _ = window_growth(step, params, jnp.zeros((2000, 2)), start)
  expected = -np.log1p(np.exp(-np.asarray(params.bias[:5], np.float64))).min()
  assert float(growth[0]) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("exponent", "error", "expected"), [(0.1, 0.01, True), (0.1, 0.03, False), (0.005, 0, False)])
def test_only_a_certain_growth_counts(exponent, error, expected):
  """Five standard errors, and a factor of e^10 over 1000 steps."""
  assert bool(is_positive(jnp.asarray(exponent), jnp.asarray(error), 1000)) is expected


def test_a_window_that_is_no_multiple_of_two_segments_is_refused():
  point = runner.parse(EXPERIMENT, ["--cells=rnn"]).points[0]
  with pytest.raises(ValueError, match="seq_len is 15; it must be a multiple of 10 steps"):
    check({**point, "seq_len": 15})
