"""Lyapunov spectra against closed forms, a NumPy loop, their own certificate, and mean-field theory."""

import inspect
import math

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.instruments._flat import flat_trajectory
from recurrent_lab.instruments._nested import first_directions
from recurrent_lab.instruments.attractor import (
  entropy_rate,
  kaplan_yorke_dimension,
  participation_ratio,
  positive_share,
)
from recurrent_lab.instruments.lyapunov import lyapunov_spectrum
from tests.nets import by_default, random_net


def numpy_spectrum(cell, params, xs, burn_in, k=None):
  """A QR at every step, in float64, from the same start."""
  jacobians = rl.state_jacobians(cell, params, xs)
  start = first_directions(flat_trajectory(cell, params, xs, None), k or jacobians.shape[1])
  q, sums = np.asarray(start, np.float64), 0.0
  for j, jacobian in enumerate(np.asarray(jacobians, np.float64)):
    q, r = np.linalg.qr(jacobian @ q)
    sums = sums + (np.log(np.abs(np.diagonal(r))) if j >= burn_in else 0)
  return np.sort(sums / (len(jacobians) - burn_in))[::-1]


def certified(spectrum, share=1e-3):
  return np.all(np.asarray(spectrum.residual) < share * np.abs(np.mean(np.asarray(spectrum.exponents), axis=-1)))


@pytest.mark.parametrize("gain", [0.01, pytest.param(0.5, marks=pytest.mark.slow), 2.0])
def test_scaled_orthogonal_linear_net(gain, key):
  """All exponents are ln g, however long; even where a longer interval would underflow."""
  cell = rl.rnn("identity")
  params = cell.init(key, 1, 16, recurrent_gain=gain, recurrent_init="orthogonal")
  spectrum = lyapunov_spectrum(cell, params, jnp.zeros((10_000, 1)), blocks=100)
  np.testing.assert_allclose(spectrum.exponents, np.full(16, math.log(gain)), rtol=1e-5)
  assert int(spectrum.interval) == (9 if gain == 0.01 else 20)
  assert certified(spectrum, 1e-5)
  assert np.all(spectrum.standard_error < 1e-5)


@pytest.mark.slow
def test_diagonal_net(key):
  """ln |u_i|, sorted, once the tangents have turned into their directions; -inf for a unit without memory."""
  cell = rl.indrnn("identity")
  params = cell.init(key, 1, 5)
  params = params._replace(recurrent_kernel=jnp.array([0.5, -1.25, 0.0, 0.01, 0.9]))
  spectrum = lyapunov_spectrum(cell, params, jax.random.normal(key, (100, 1)), burn_in=50)
  np.testing.assert_allclose(spectrum.exponents, [*np.log([1.25, 0.9, 0.5, 0.01]), -np.inf], rtol=1e-5)
  assert np.isneginf(spectrum.log_det_rate)
  assert np.isnan(spectrum.residual)
  np.testing.assert_allclose(spectrum.standard_error, np.zeros(5), atol=1e-6)
  largest = lyapunov_spectrum(cell, params, jnp.zeros((400, 1)), k=2, burn_in=200)
  np.testing.assert_allclose(largest.exponents, np.log([1.25, 0.9]), atol=1e-4)


@pytest.mark.parametrize("bias", [0.0, 3.0])
@pytest.mark.slow
def test_lstm_without_weights(bias, key):
  """ln σ(b_f) along the cell path and -inf for ∂/∂h."""
  cell = rl.lstm()
  params = cell.init(key, 2, 4, recurrent_gain=0.0, input_gain=0.0, forget_bias=bias)
  for k in (8, 6, 3):
    spectrum = lyapunov_spectrum(cell, params, jax.random.normal(key, (300, 2)), k=k, burn_in=100)
    expected = [float(rl.theory.cell_path_exponent(bias))] * min(k, 4) + [-np.inf] * max(k - 4, 0)
    np.testing.assert_allclose(spectrum.exponents, expected, rtol=1e-4, atol=1e-6)
    assert np.isnan(spectrum.residual)
    assert not np.any(np.isnan(spectrum.standard_error))


def test_no_recurrence_and_dead_units(key):
  cell = rl.rnn("relu")
  params = cell.init(key, 1, 6, recurrent_gain=0.0)
  spectrum = lyapunov_spectrum(cell, params, jnp.zeros((30, 1)))
  np.testing.assert_array_equal(spectrum.exponents, np.full(6, -np.inf))
  assert np.isnan(spectrum.residual)
  # Two units never fire. The others see each other through a positive kernel K, so the exponents are ln |eigenvalues of K|.
  kernel = jnp.abs(cell.init(key, 1, 6, recurrent_init="orthogonal").recurrent_kernel) / 4  # so that nothing overflows
  params = params._replace(bias=jnp.array([-1e4, -1e4, 1e3, 1e3, 1e3, 1e3]))
  spectrum = lyapunov_spectrum(cell, params._replace(recurrent_kernel=kernel), jnp.zeros((60, 1)), burn_in=20)
  np.testing.assert_array_equal(np.isneginf(spectrum.exponents), [False] * 4 + [True] * 2)
  np.testing.assert_array_equal(np.isneginf(spectrum.local_exponents), [[False] * 4 + [True] * 2] * 20)
  eigenvalues = np.linalg.eigvals(np.asarray(kernel, np.float64)[2:, 2:])
  np.testing.assert_allclose(spectrum.exponents[0], np.log(np.abs(eigenvalues).max()), atol=2e-3)


@pytest.mark.parametrize("name", ["rnn", pytest.param("lstm", marks=pytest.mark.slow)])
def test_matches_a_numpy_loop(name, key):
  """To rounding, all of them with an interval of its own choice, and the first ones."""
  with jax.enable_x64(True):
    cell, params, xs = random_net(name, key, steps=300, hidden=6, dtype=np.float64)
    expected, first = (numpy_spectrum(cell, params, xs, burn_in=150, k=k) for k in (None, 4))
    double = lyapunov_spectrum(cell, params, xs, burn_in=150)
    partial = lyapunov_spectrum(cell, params, xs, burn_in=150, k=4, interval=1)
  np.testing.assert_allclose(double.exponents, expected, rtol=1e-5, atol=1e-6)
  np.testing.assert_allclose(partial.exponents, first, rtol=1e-5, atol=1e-6)
  assert int(double.interval) > 1
  assert certified(double, 1e-6)
  assert np.isnan(partial.residual)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnn", "lstm"])
def test_matches_a_numpy_loop_in_single_precision(name, key):
  cell, params, xs = random_net(name, key, steps=300, hidden=6)
  single = lyapunov_spectrum(cell, params, xs, burn_in=150)
  assert single.exponents.dtype == jnp.float32
  assert certified(single)
  np.testing.assert_allclose(single.exponents, numpy_spectrum(cell, params, xs, burn_in=150), rtol=2e-3, atol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnn", "lstm"])
def test_interval_is_chosen_so_that_the_certificate_holds(name, key):
  """Too long an interval shows in the residual, but not in the largest exponent."""
  cell, params, xs = random_net(name, key, steps=400, hidden=32)
  xs = 0.3 * xs  # no unit so saturated that float32 rounds its slope to 0
  chosen, every_step, too_long = (lyapunov_spectrum(cell, params, xs, interval=i) for i in (None, 1, 20))
  assert certified(chosen)
  assert certified(every_step)
  np.testing.assert_allclose(chosen.exponents, every_step.exponents, atol=5e-3)
  assert int(too_long.interval) == 20
  assert not certified(too_long)
  assert float(too_long.spread) > 15.0
  np.testing.assert_allclose(too_long.exponents[0], every_step.exponents[0], atol=1e-3)


@pytest.mark.slow
def test_slow_gates_need_few_decompositions(key):
  """Close to the identity all directions stay together, and the interval is the longest the pilot can vouch for."""
  cell = rl.gru()
  params = cell.init(key, 2, 8, forget_bias=6.0)
  spectrum = lyapunov_spectrum(cell, params, jax.random.normal(key, (800, 2)))
  assert int(spectrum.interval) == 20
  assert certified(spectrum)


@pytest.mark.slow
def test_a_batch_is_the_loop_and_shares_its_interval(key):
  cell = rl.gru()
  xs = jax.random.normal(key, (120, 2))
  gains = jnp.array([0.5, 3.0])
  measure = lambda key, gain: lyapunov_spectrum(cell, cell.init(key, 2, 6, recurrent_gain=gain), xs, burn_in=20)
  keys = jax.random.split(key, 3)
  batch = jax.jit(jax.vmap(jax.vmap(measure, (0, None)), (None, 0)))(keys, gains)
  assert batch.exponents.shape == (2, 3, 6)
  loop = [[measure(k, g) for k in keys] for g in gains]
  for i in range(2):
    for j in range(3):
      np.testing.assert_allclose(batch.exponents[i, j], loop[i][j].exponents, rtol=5e-3, atol=5e-3)
  assert np.all(batch.interval == batch.interval[0, 0])
  assert np.all(batch.interval <= np.array([[int(s.interval) for s in row] for row in loop]))


@pytest.mark.parametrize("name", ["rnn", "lstm"])
@pytest.mark.parametrize("k", [None, 2])
def test_lowers_for_every_platform(name, k):
  cell = rl.get_cell(name)
  params = jax.eval_shape(lambda key: cell.init(key, 3, 8), jax.random.key(0))
  xs = jax.ShapeDtypeStruct((10, 3), jnp.float32)
  export.export(
    jax.jit(lambda params, xs: lyapunov_spectrum(cell, params, xs, k=k)), platforms=["cpu", "cuda", "rocm", "tpu"]
  )(params, xs)


@pytest.mark.parametrize("name", by_default(("lstm",), ("rnn", "lstm")))
def test_largest_exponent_is_the_slope_of_the_norms(name, key):
  cell, params, xs = random_net(name, key, steps=1000, recurrent_gain=0.7)
  spectrum = lyapunov_spectrum(cell, params, xs, k=1)
  rate = rl.growth_rate(rl.product_log_norms(cell, params, xs)).rate
  np.testing.assert_allclose(spectrum.exponents[0], rate, atol=6 * float(spectrum.standard_error[0]) + 5e-3)


@pytest.mark.slow
def test_local_exponents_average_to_the_global_ones(key, x64):
  cell, params, xs = random_net("rnn", key, steps=107, dtype=np.float64)
  spectrum = lyapunov_spectrum(cell, params, xs, burn_in=7, interval=1, blocks=100)
  np.testing.assert_allclose(spectrum.local_exponents.mean(0), spectrum.exponents, rtol=1e-12)
  jacobians = rl.state_jacobians(cell, params, xs)[7:]
  np.testing.assert_allclose(spectrum.local_exponents.sum(1), np.linalg.slogdet(jacobians)[1], atol=1e-9)
  assert np.all(np.isnan(lyapunov_spectrum(cell, params, xs, blocks=1).standard_error))


@pytest.mark.slow
def test_standard_error_is_the_spread_over_independent_runs(key):
  cell, params, _ = random_net("rnn", key, hidden=4)
  xs = jax.random.normal(key, (48, 500, 3))
  spectra = jax.jit(jax.vmap(lambda x: lyapunov_spectrum(cell, params, x, burn_in=20)))(xs)
  ratio = jnp.sqrt(jnp.mean(spectra.standard_error**2, axis=0)) / jnp.std(spectra.exponents, axis=0, ddof=1)
  assert np.all((ratio > 0.5) & (ratio < 2.5)), ratio


def test_overflow_is_nan(key):
  cell = rl.rnn("relu")
  params = cell.init(key, 1, 4, recurrent_gain=1.0, recurrent_init="identity")
  params = params._replace(recurrent_kernel=1e3 * params.recurrent_kernel, bias=jnp.ones(4))
  for k in (4, 2):
    assert np.all(np.isnan(lyapunov_spectrum(cell, params, jnp.zeros((40, 1)), k=k).exponents))


@pytest.mark.parametrize(
  ("exponents", "dimension", "entropy", "share"),
  [
    ([0.9, 0.0, -14.6], 2 + 0.9 / 14.6, 0.9, 1 / 3),
    ([0.5, 0.1, -0.2, -1.0], 3.4, 0.6, 0.5),
    ([-0.1, -0.2], 0.0, 0.0, 0.0),
    ([0.3, -0.3], 2.0, 0.3, 0.5),
    ([0.3, 0.2, -0.1], 3.0, 0.5, 2 / 3),
    ([0.4, -0.1, -math.inf, -math.inf], 2.0, 0.4, 0.25),
    ([-math.inf, -math.inf], 0.0, 0.0, 0.0),
    ([0.0, -2.0], 1.0, 0.0, 0.0),
    ([math.nan, -1.0], math.nan, math.nan, math.nan),
  ],
)
def test_dimension_and_entropy_by_hand(exponents, dimension, entropy, share):
  exponents = jnp.array(exponents)
  for transform in (jax.jit, lambda f: lambda e: jax.vmap(f)(e[None])[0]):
    for function, expected in ((kaplan_yorke_dimension, dimension), (entropy_rate, entropy), (positive_share, share)):
      np.testing.assert_allclose(transform(function)(exponents), expected, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])
def test_participation_ratio(scale, rng):
  states = rng.normal(size=(200, 6)) * [5, 3, 1, 0.3, 0.1, 0] + 2.0
  eigenvalues = np.linalg.eigvalsh(np.cov(states.T))
  measured = jax.jit(participation_ratio)(jnp.asarray(scale * states, jnp.float32))
  np.testing.assert_allclose(measured, eigenvalues.sum() ** 2 / (eigenvalues**2).sum(), rtol=1e-3)


def test_participation_ratio_of_special_states():
  assert float(participation_ratio(jnp.full((7, 3), 0.1))) == 0
  np.testing.assert_allclose(participation_ratio(jnp.concatenate([jnp.eye(4), -jnp.eye(4)])), 4, rtol=1e-6)
  assert np.isnan(participation_ratio(jnp.full((7, 3), -jnp.inf)))


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"k": 0}, "k is 0; it must lie between 1 and the 5 directions"),
    ({"k": 6}, "k is 6; it must lie between 1 and the 5 directions"),
    ({"burn_in": 8}, "burn_in is 8; it must lie between 0 and 7"),
    ({"burn_in": -1}, "burn_in is -1; it must lie between 0 and 7"),
    ({"interval": 0}, "interval is 0; it must be at least 1 step"),
    ({"blocks": 9}, "blocks is 9; it must lie between 1 and the 8 steps"),
  ],
)
def test_bad_options_are_named(options, message, key):
  cell, params, xs = random_net("rnn", key)
  with pytest.raises(ValueError, match=message):
    lyapunov_spectrum(cell, params, xs, **options)


def test_nan_parameters_are_named(key):
  cell, params, xs = random_net("rnn", key)
  params = params._replace(bias=params.bias.at[2].set(jnp.nan))
  with pytest.raises(ValueError, match=r"params\.bias holds NaN"):
    lyapunov_spectrum(cell, params, xs)
  assert np.all(np.isnan(jax.jit(lambda p: lyapunov_spectrum(cell, p, xs).exponents)(params)))
  with pytest.raises(ValueError, match=r"states has shape \(5,\)"):
    inspect.unwrap(participation_ratio)(params.bias)


def random_tanh_spectra(key, gain, state_scale, *, seeds=5, size=256, steps=400, burn_in=150):
  """Spectra of autonomous nets with W_ij ~ N(0, g²/N), one after the other."""
  cell = rl.rnn()

  @jax.jit
  def measure(key):
    k_params, k_state = jax.random.split(key)
    params = cell.init(k_params, 1, size, recurrent_gain=gain, dtype=jnp.zeros(()).dtype)
    state = state_scale * jax.random.normal(k_state, (size,))
    return params, lyapunov_spectrum(cell, params, jnp.zeros((steps, 1), state.dtype), state, burn_in=burn_in)

  results = [measure(k) for k in jax.random.split(key, seeds)]
  return jax.tree.map(lambda *a: np.stack(a), *results)


@pytest.mark.slow
@pytest.mark.parametrize("gain", [2.0, 3.0])
def test_chaotic_tanh_net_meets_mean_field_theory(gain, key):
  """λ₁ within 5 % and the mean exponent within 1.5 % over 5 nets of 1024 units.

  256 units are too few for these bounds: at g = 2 their λ₁ lies 5.3 ± 0.9 % below theory and their mean exponent 2.1 ± 0.3 %
  away (20 and 200 nets); at 1024 units it is 1.3 % and 0.1 %. The mean exponent is taken from ln |det J|, to which the
  certificate of the next test ties the sum of all exponents.
  """
  cell, size, steps, burn_in = rl.rnn(), 1024, 1500, 150
  xs = jnp.zeros((steps, 1))

  def measure(key):
    k_params, k_state = jax.random.split(key)
    params = cell.init(k_params, 1, size, recurrent_gain=gain)
    state = jax.random.normal(k_state, (size,))
    largest = lyapunov_spectrum(cell, params, xs, state, k=1, burn_in=burn_in, interval=1).exponents[0]
    slopes = rl.activities(cell, params, xs, state)["state"].log_slope[burn_in:]
    return largest, jnp.mean(slopes) + jnp.linalg.slogdet(params.recurrent_kernel)[1] / size

  largest, mean = jax.lax.map(measure, jax.random.split(key, 5))
  np.testing.assert_allclose(largest.mean(), rl.theory.largest_exponent(gain), rtol=0.05)
  np.testing.assert_allclose(mean.mean(), rl.theory.mean_exponent(gain), rtol=0.015)


@pytest.mark.slow
@pytest.mark.parametrize("gain", [2.0, 3.0])
@pytest.mark.usefixtures("x64")
def test_chaotic_spectra_of_256_units_are_certified(gain, key):
  """All exponents of 5 nets, their sum within 1e-3 of ln |det J| and so their mean that of the slopes and the weights."""
  params, spectra = random_tanh_spectra(key, gain, 1.0)
  assert certified(spectra)
  weights = np.linalg.slogdet(params.recurrent_kernel)[1] / 256
  assert np.all(spectra.exponents.mean(axis=1) < weights)  # what is below the weights' share is saturation


@pytest.mark.slow
def test_silent_tanh_net_follows_the_circular_law(key):
  """Exponents of all seeds against the eigenvalues of each W, and against F(s) = e^{2s}/g².

  At finite N a share 1/√(2πN) of the eigenvalues, 0.025 here, lies outside the disk, so F is wrong by this much at its edge. The
  eigenvalues of five seeds, computed by LAPACK, were 0.018 to 0.034 away from F.
  """
  size = 256
  params, spectra = random_tanh_spectra(key, 0.5, 1e-3, size=size)
  assert certified(spectra)
  eigenvalues = np.sort(np.log(np.abs(np.linalg.eigvals(params.recurrent_kernel.astype(np.float64)))))[:, ::-1]
  assert np.mean(np.abs(eigenvalues - spectra.exponents)) < 5e-3
  exponents = np.sort(spectra.exponents.ravel())
  theory = np.asarray(rl.theory.zero_fixed_point_exponent_cdf(0.5, exponents))
  ranks = np.arange(len(exponents) + 1) / len(exponents)
  distance = max(np.abs(ranks[1:] - theory).max(), np.abs(ranks[:-1] - theory).max())
  assert distance < 0.02 + 1 / math.sqrt(2 * math.pi * size)


def test_units_that_do_not_see_each_other_need_no_matrix(key):
  """The exact spectrum of an IndRNN from the first step on, by element, for all k, with a unit that dies in the burn-in."""
  cell = rl.indrnn("relu")
  params = cell.init(key, 4, 4)._replace(
    input_kernel=jnp.eye(4), recurrent_kernel=jnp.array([0.2, 0.9, 0.7, 0.8]), bias=jnp.zeros(4)
  )
  xs = jnp.ones((100, 4)).at[2, 1].set(-100).at[50, 2].set(-100)
  spectrum = lyapunov_spectrum(cell, params, xs, burn_in=10)
  np.testing.assert_allclose(spectrum.exponents, [*np.log([0.9, 0.8, 0.2]), -np.inf], rtol=1e-6)
  np.testing.assert_array_equal(np.isneginf(spectrum.local_exponents[:, 3]), np.arange(20) >= 9)
  assert not spectrum.is_certified
  alive = lyapunov_spectrum(cell, params, xs.at[50, 2].set(1.0), burn_in=10)
  assert alive.is_certified
  np.testing.assert_allclose(alive.log_det_rate, np.log([0.2, 0.9, 0.7, 0.8]).sum(), rtol=1e-6)
  np.testing.assert_allclose(
    lyapunov_spectrum(cell, params, xs, k=2, burn_in=10).exponents, np.log([0.9, 0.8]), rtol=1e-6
  )
  many = cell.init(key, 1, 2000)
  program = jax.jit(lambda xs: lyapunov_spectrum(cell, many, xs)).lower(jnp.ones((10, 1))).compile()
  assert program.memory_analysis().temp_size_in_bytes < 2000**2
