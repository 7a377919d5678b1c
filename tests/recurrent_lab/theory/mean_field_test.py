"""The sampled mean field against closed forms, and against the products of Jacobians of simulated networks."""

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab
from recurrent_lab import theory
from recurrent_lab.theory.mean_field import check_cell, reveal
from tests.nets import slow

# Shared by the tests of a cell, which are one program then.
RNN, RELU, GATED = ({"samples": samples, "steps": steps} for samples, steps in ((512, 120), (1024, 120), (2048, 100)))


@pytest.mark.parametrize("gain", [pytest.param(0.5, marks=pytest.mark.slow), 3.0])
def test_a_driven_rnn_is_the_random_tanh_network(key, gain):
  field = theory.sample_mean_field("rnn", key, recurrent_gain=gain, **RNN)
  mean_square = (theory.mean_field_variance(gain, 1.0) - 1) / gain**2  # E tanh²
  np.testing.assert_allclose(jnp.mean(field.mean_square[60:]), mean_square, rtol=0.05)
  np.testing.assert_allclose(jnp.mean(field.log_growth[60:]), theory.largest_exponent(gain, 1.0), atol=0.04)


def test_a_chaotic_rnn_finds_its_attractor_from_next_to_nothing(key):
  field = theory.sample_mean_field("rnn", key, recurrent_gain=2.0, input_scale=0.0, **RNN)
  np.testing.assert_allclose(jnp.mean(field.mean_square[60:]), theory.mean_field_variance(2.0) / 4, rtol=0.1)
  np.testing.assert_allclose(jnp.mean(field.log_growth[60:]), theory.largest_exponent(2.0), atol=0.04)


def test_a_relu_network_multiplies_by_half_the_squared_gain(key):
  rate = theory.predicted_growth_rate(recurrent_lab.rnn("relu"), key, recurrent_gain=0.7, **RELU)
  np.testing.assert_allclose(rate, 0.5 * np.log(0.7**2 / 2), atol=0.04)


@pytest.mark.parametrize("name", ["lstm", pytest.param("gru", marks=pytest.mark.slow)])
def test_without_kernels_only_the_forget_gate_is_left(rng, key, name):
  forget = rng.uniform(-1, 3)
  rate = theory.predicted_growth_rate(name, key, recurrent_gain=0.0, input_scale=0.0, forget_bias=forget, **GATED)
  np.testing.assert_allclose(rate, theory.cell_path_exponent(forget), rtol=1e-3)


def test_a_driven_forget_gate_is_bounded_by_its_moments(rng, key):
  # With independent factors f, the rate of a finite population lies between E ln f and ½ ln E f².
  forget = rng.uniform(-1, 2)
  f = 1 / (1 + np.exp(-forget - 0.5 * rng.normal(size=200_000)))
  rate = theory.predicted_growth_rate("lstm", key, recurrent_gain=0.0, input_scale=0.5, forget_bias=forget, **GATED)
  assert np.mean(np.log(f)) - 0.01 < float(rate) < 0.5 * np.log(np.mean(f**2)) + 0.01


@pytest.mark.parametrize(("name", "forget"), [("lstm", 1.0), ("gru", 1.0)])
def test_a_silent_gated_network_grows_as_its_spectral_radius(key, name, forget):
  gain = 0.5 * float(theory.critical_gain(name, forget_bias=forget))
  rate = theory.predicted_growth_rate(name, key, recurrent_gain=gain, input_scale=0.0, forget_bias=forget, **GATED)
  np.testing.assert_allclose(rate, np.log(theory.zero_state_radius(name, gain, forget_bias=forget)), atol=0.05)


def test_no_recurrence_is_no_growth_and_overflow_is_nan(key):
  assert theory.predicted_growth_rate("rnn", key, recurrent_gain=0.0, **RNN) == -np.inf
  diverging = theory.sample_mean_field("rnn_relu", key, recurrent_gain=100.0, **RELU)
  assert np.isfinite(diverging.log_growth[0])
  assert np.isnan(diverging.log_growth[-1])


def test_a_revealed_matrix_is_one_matrix(rng):
  images = jnp.asarray(rng.normal(size=(6, 2, 32)), jnp.float32)
  directions = jnp.zeros((6, 32))
  a, b = jnp.asarray(rng.normal(size=(2, 32)), jnp.float32)
  asked = [a, b, 2 * a - 3 * b, a, jnp.zeros(32), b + 1e-3 * a]
  answers = []
  for t, v in enumerate(asked):
    directions, answer = reveal(directions, images, t, v)
    answers.append(answer)
  np.testing.assert_allclose(answers[2], 2 * answers[0] - 3 * answers[1], rtol=1e-4, atol=1e-4)
  np.testing.assert_allclose(answers[3], answers[0], rtol=1e-4, atol=1e-4)
  np.testing.assert_array_equal(answers[4], 0)
  np.testing.assert_allclose(answers[5], answers[1] + 1e-3 * answers[0], rtol=1e-4, atol=1e-4)
  assert int(jnp.sum(jnp.any(directions != 0, axis=1))) == 2  # only two directions were new


def test_revealed_images_have_the_variance_of_a_gaussian_kernel(rng):
  images = jnp.asarray(rng.normal(size=(1, 1, 4096)), jnp.float32)
  v = jnp.asarray(rng.normal(size=4096), jnp.float32)
  _, answer = reveal(jnp.zeros((1, 4096)), images, 0, v)
  np.testing.assert_allclose(jnp.mean(answer**2), jnp.mean(v**2), rtol=0.15)


def test_which_cells_have_a_mean_field():
  for name in ("rnn", "rnn_relu", "lstm", "lstm_1997", "lstm_coupled", "peephole_lstm", "gru", "nbrc", "cfc"):
    check_cell(recurrent_lab.get_cell(name))
  for name in ("gru_reset_before", "simplified_lstm", "indrnn", "hopfield", "scrn", "fast_rnn", "multiplicative_lstm"):
    with pytest.raises(ValueError, match="no mean field"):
      theory.predicted_growth_rate(name, jax.random.key(0), recurrent_gain=1.0)


@pytest.mark.parametrize(
  "name", slow(("cfn", "slstm"), ("cfn", "star", "nbrc", "leaky_rnn", "nas", "slstm", "cfc", "janet"))
)
def test_the_growth_of_simulated_cells_is_predicted(name):
  """Some of them have fewer recurrent blocks than blocks of inputs, or no forget bias."""
  cell = recurrent_lab.get_cell(name)
  options = {"forget_bias": 0.0} if "forget_bias" in cell.options else {}  # the sLSTM has other biases by default

  def measured(key):
    k_params, k_inputs = jax.random.split(key)
    params = cell.init(k_params, 128, 128, **options)
    log_norm = recurrent_lab.product_log_norms(cell, params, jax.random.normal(k_inputs, (100, 128)))
    return (log_norm[-1] - log_norm[49]) / 50

  keys = jax.random.split(jax.random.key(0), 4)
  rate = jnp.mean(jax.vmap(jax.jit(measured))(keys))
  predict = lambda key: theory.predicted_growth_rate(name, key, recurrent_gain=1.0, samples=128, steps=100)
  np.testing.assert_allclose(jnp.mean(jax.vmap(predict)(keys)), rate, atol=0.05)


def test_a_bias_that_a_cell_has_not_is_refused():
  with pytest.raises(ValueError, match=r"no forget_bias, which is 1\.0; its options are recurrent_gain"):
    theory.predicted_growth_rate("leaky_rnn", jax.random.key(0), recurrent_gain=1.0, forget_bias=1.0)


def test_bad_values_are_named():
  def predict(**options):
    return theory.predicted_growth_rate("rnn", jax.random.key(0), **{"recurrent_gain": 1.0, **options})

  for name, bad in (("recurrent_gain", -1.0), ("input_scale", np.nan), ("bias_scale", -0.5), ("forget_bias", np.inf)):
    with pytest.raises(ValueError, match=f"{name} is {bad}"):
      predict(**{name: bad})
  with pytest.raises(ValueError, match="at least 1 sample and 2 steps"):
    predict(samples=0)
  with pytest.raises(ValueError, match="at least 1 sample and 2 steps"):
    predict(steps=1)
  with pytest.raises(ValueError, match="'nothing' is unknown"):
    theory.predicted_growth_rate("nothing", jax.random.key(0), recurrent_gain=1.0)


@pytest.mark.slow
def test_a_sweep_is_a_vmap(key):
  gains = jnp.asarray([0.5, 2.0])
  predict = lambda gain: theory.predicted_growth_rate("rnn", key, recurrent_gain=gain, samples=32, steps=20)
  np.testing.assert_allclose(jax.vmap(predict)(gains), [predict(g) for g in gains], rtol=1e-3, atol=1e-4)
  assert np.isnan(jax.jit(predict)(-1.0))


@pytest.mark.slow
def test_double_precision(key):
  with jax.enable_x64(True):
    assert theory.predicted_growth_rate("lstm", key, recurrent_gain=1.0, samples=16, steps=10).dtype == jnp.float64


def test_it_lowers_for_accelerators():
  predict = lambda gain: theory.predicted_growth_rate(
    "lstm", jax.random.key(0), recurrent_gain=gain, samples=8, steps=4
  )
  export.export(jax.jit(predict), platforms=("cuda", "rocm", "tpu"))(jnp.float32(1.0))
  export.export(jax.jit(theory.largest_exponent), platforms=("cuda", "rocm", "tpu"))(jnp.float32(1.0), jnp.float32(1.0))


@pytest.mark.slow
@pytest.mark.parametrize(
  ("name", "gain", "forget", "bias_scale"),
  [
    ("rnn", 2.0, 0.0, 0.0),
    pytest.param("lstm", 1.0, 1.0, 0.0, marks=pytest.mark.exhaustive),
    ("lstm", 3.0, 1.0, 0.0),
    pytest.param("lstm_1997", 3.0, 0.0, 0.0, marks=pytest.mark.exhaustive),
    pytest.param("gru", 2.0, 0.0, 0.0, marks=pytest.mark.exhaustive),
    ("gru", 3.0, 2.0, 0.0),
    ("lstm", 3.0, 0.0, 0.5),
  ],
)
def test_a_simulated_network_grows_as_predicted(key, name, gain, forget, bias_scale):
  cell, size, inputs, steps = recurrent_lab.get_cell(name), 256, 64, 300
  k_params, k_x, k_theory = jax.random.split(key, 3)
  params = cell.init(k_params, inputs, size, recurrent_gain=gain, forget_bias=forget, bias_scale=bias_scale)
  xs = jax.random.normal(k_x, (steps, inputs))
  start, _ = recurrent_lab.unroll(cell, params, xs[:100])
  log_norms = recurrent_lab.product_log_norms(cell, params, xs[100:], start, norm="frobenius")
  options = {"recurrent_gain": gain, "forget_bias": forget, "bias_scale": bias_scale}
  predicted = theory.predicted_growth_rate(cell, k_theory, samples=size, **options)
  assert float(recurrent_lab.growth_rate(log_norms).rate) == pytest.approx(float(predicted), abs=0.05)
