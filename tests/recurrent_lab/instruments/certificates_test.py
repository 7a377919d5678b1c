"""The share of exponents below a rate: against closed forms, a dense pseudoinverse, and the counts of `lyapunov_spectrum`."""

import itertools

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab._generic import generic_signs
from tests.linear_cells import constant_cell
from tests.nets import by_default, random_net

PLATFORMS = ["cpu", "cuda", "rocm", "tpu"]


def response_by_pseudoinverse(jacobians, s):
  """1/n tr ∂δ_{t+1}/∂b_t for all t, from the pseudoinverse of the whole system."""
  steps, size, _ = jacobians.shape
  system = np.zeros((steps, size, steps + 1, size))
  for t in range(steps):
    system[t, :, t + 1] = np.eye(size)
    system[t, :, t] = -np.exp(-s) * jacobians[t]
  inverse = np.linalg.pinv(system.reshape(steps * size, -1), rcond=1e-13).reshape(steps + 1, size, steps, size)
  return np.array([np.trace(inverse[t + 1, :, t]) for t in range(steps)]) / size


def test_a_constant_diagonal_map_in_closed_form(x64):
  """(1 - a^{2(t+1)}) / (1 - a^{2(T+1)}) for every unit and step, with a = e^{-s} A, and (t+1)/(T+1) for a = 1."""
  steps, rates, diagonal = 40, np.array([-2.0, -0.3, 0.0, 0.1, 1.0]), np.array([0.5, -0.9, 1.2, 1.0])
  cell = constant_cell(np.diag(diagonal))
  found = rl.trace_certificate(cell, cell.init(None, 1, 4), jnp.zeros((steps, 1)), thresholds=rates, margin=0)
  t, a = np.arange(steps)[:, None], diagonal * np.exp(-rates)[:, None, None]
  with np.errstate(invalid="ignore"):
    expected = (1 - a ** (2 * (t + 1))) / (1 - a ** (2 * (steps + 1)))
  expected = np.where(np.isclose(np.abs(a), 1), (t + 1) / (steps + 1), expected).mean(-1)
  np.testing.assert_allclose(found.local_share, expected, rtol=1e-10, atol=1e-12)
  np.testing.assert_allclose(found.share, expected.mean(-1), rtol=1e-10)
  np.testing.assert_array_equal(found.standard_error, np.zeros(5))
  assert np.all(found.residual < 1e-12)


def test_a_turning_map_counts_moduli(x64, rng):
  """The shares are the counts of |eigenvalues| below e^s, although the matrix turns and is not normal."""
  turning = np.zeros((5, 5))
  turning[:2, :2], turning[2:, 2:] = 0.8 * np.array([[0.6, -0.8], [0.8, 0.6]]), np.diag([-1.25, 0.5, 1.9])
  basis = rng.normal(size=(5, 5)) + 2 * np.eye(5)
  matrix = basis @ turning @ np.linalg.inv(basis)
  rates = np.log([0.4, 0.63, 1.0, 1.54, 2.5])
  found = rl.trace_certificate(constant_cell(matrix), jnp.asarray(matrix), jnp.zeros((240, 1)), thresholds=rates)
  np.testing.assert_allclose(found.share, [0, 0.2, 0.6, 0.8, 1], atol=1e-6)


@pytest.mark.parametrize("name", by_default(("rnn",), ("rnn", "lstm", "gru")))
def test_matches_the_pseudoinverse_of_the_whole_system(name, key, x64):
  cell, params, xs = random_net(name, key, steps=12, hidden=3, dtype=np.float64)
  jacobians, rates = np.asarray(rl.state_jacobians(cell, params, xs)), np.array([-1.0, -0.4, 0.1])
  found = rl.trace_certificate(cell, params, xs, thresholds=rates, margin=2)
  expected = [response_by_pseudoinverse(jacobians, s)[2:-2] for s in rates]
  np.testing.assert_allclose(found.local_share, expected, atol=1e-9)
  np.testing.assert_allclose(found.share, np.mean(expected, axis=1), atol=1e-9)


def gaps(exponents, least):
  """The middles of the gaps between exponents that are at least so wide, from the smallest, and rates outside of all."""
  rising = exponents[::-1]
  middles = [(a + b) / 2 for a, b in itertools.pairwise(rising) if b - a > least]
  return np.array([rising[0] - 1, *middles, rising[-1] + 1])


@pytest.mark.parametrize("driven", [True, False])
@pytest.mark.parametrize("name", by_default(("rnn",), ("rnn", "lstm", "gru")))
def test_counts_the_exponents_of_the_spectrum(name, driven, key, x64):
  """In every gap that the window resolves, to a tenth of an exponent; without inputs the net moves on its own."""
  cell, params, xs = random_net(name, key, steps=240, hidden=4, dtype=np.float64, recurrent_gain=1.5)
  xs, state = xs * driven, jax.tree.map(lambda s: s + 0.3, cell.initial_state(params))
  exponents = np.asarray(rl.lyapunov_spectrum(cell, params, xs[:180], state, burn_in=60).exponents)
  rates = gaps(exponents, 0.15)
  assert len(rates) > 2
  found = rl.trace_certificate(cell, params, xs, state, thresholds=rates)
  np.testing.assert_allclose(found.share, [np.mean(exponents < s) for s in rates], atol=0.1 / len(exponents))
  assert np.all(found.residual < 1e-4)


def test_lost_directions_lie_below_every_rate(key, x64):
  """An LSTM without kernels keeps ln σ(b_f) along its cells, and loses ∂/∂h."""
  cell = rl.lstm()
  params = cell.init(key, 2, 4, recurrent_gain=0.0, input_gain=0.0, forget_bias=1.0, dtype=np.float64)
  kept = float(rl.theory.cell_path_exponent(1.0))
  rates = np.array([-40.0, kept - 0.1, kept + 0.1])
  found = rl.trace_certificate(cell, params, jax.random.normal(key, (200, 2), np.float64), thresholds=rates)
  np.testing.assert_allclose(found.share, [0.5, 0.5, 1.0], atol=1e-4)


def test_probes_agree_with_the_exact_trace(key, x64):
  """Above all exponents conjugate gradients converge, and the estimate differs from the trace by its standard error."""
  cell, params, xs = random_net("rnn", key, steps=60, hidden=5, dtype=np.float64, recurrent_gain=0.5)
  rates = np.array([0.1, 0.5])
  exact = rl.trace_certificate(cell, params, xs, thresholds=rates)
  found = rl.trace_certificate(cell, params, xs, thresholds=rates, probes=16, iterations=200)
  assert np.all(found.residual < 1e-8)
  assert np.all(found.standard_error < 0.05)
  assert np.all(np.abs(found.share - exact.share) < 5 * found.standard_error)
  one = rl.trace_certificate(cell, params, xs, thresholds=rates, probes=1, iterations=1)
  assert np.all(one.residual > 1e-8)
  assert np.all(np.isnan(one.standard_error))


def test_single_precision_and_a_batch(key):
  cell, params, xs = random_net("rnn", key, steps=40, hidden=3, recurrent_gain=0.5)
  rates = jnp.array([-0.3, 0.2])
  batch = jnp.stack([xs, -xs])
  found = jax.vmap(lambda xs: rl.trace_certificate(cell, params, xs, thresholds=rates))(batch)
  alone = rl.trace_certificate(cell, params, -xs, thresholds=rates)
  assert alone.share.dtype == jnp.float32
  np.testing.assert_allclose(found.share[1], alone.share, atol=1e-5)
  with jax.enable_x64(True):
    double = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), params)
    expected = rl.trace_certificate(cell, double, -jnp.asarray(xs, jnp.float64), thresholds=rates)
  np.testing.assert_allclose(alone.share, expected.share, atol=1e-4)


def test_signs_are_random():
  """Means, and products of neighbours in every axis, are those of independent signs, to four standard errors."""
  signs = np.asarray(generic_signs((8, 50, 40), jnp.float32))
  assert set(np.unique(signs)) == {-1.0, 1.0}
  assert abs(signs.mean()) < 4 / signs.size**0.5
  for axis in range(3):
    along = np.moveaxis(signs, axis, 0)
    assert abs((along[1:] * along[:-1]).mean()) < 4 / along[1:].size ** 0.5


@pytest.mark.parametrize("probes", [None, 2])
def test_lowers_for_every_platform(probes):
  cell = rl.lstm()
  params = jax.eval_shape(lambda key: cell.init(key, 3, 4), jax.random.key(0))
  xs, rates = jax.ShapeDtypeStruct((10, 3), jnp.float32), jax.ShapeDtypeStruct((2,), jnp.float32)
  measure = lambda params, xs, rates: rl.trace_certificate(cell, params, xs, thresholds=rates, probes=probes)
  assert set(export.export(jax.jit(measure), platforms=PLATFORMS)(params, xs, rates).platforms) == set(PLATFORMS)


@pytest.mark.parametrize(
  ("thresholds", "options", "words"),
  [
    ([0.0, np.nan], {}, "thresholds holds nan; thresholds must be finite"),
    ([np.inf], {}, "thresholds holds inf"),
    ([], {}, "at least one rate"),
    (0.0, {}, r"thresholds has shape \(\)"),
    ([0.0], {"margin": 5}, "margin is 5; it must lie between 0 and 4"),
    ([0.0], {"margin": -1}, "margin is -1"),
    ([0.0], {"probes": 0}, "probes is 0"),
    ([0.0], {"probes": 1, "iterations": 0}, "iterations is 0"),
  ],
)
def test_impossible_values_are_named(thresholds, options, words, key):
  cell, params, xs = random_net("rnn", key, steps=10)
  with pytest.raises(ValueError, match=words):
    rl.trace_certificate(cell, params, xs, thresholds=np.asarray(thresholds), **options)
