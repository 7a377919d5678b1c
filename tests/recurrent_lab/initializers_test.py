"""Initial weights have the statistics they promise, and bad options one clear sentence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import recurrent_lab as rl
from recurrent_lab.initializers import symmetric_stable
from tests.nets import EVERY_CELL


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "peephole_lstm"])
def test_gaussian_entries_have_standard_deviation_gain_over_root_size(name, key):
  params = rl.get_cell(name).init(key, 50, 100, recurrent_gain=1.5, input_gain=2.0, bias_scale=0.7)
  blocks = params.recurrent_kernel.size / 100**2
  for values, expected in (
    (params.recurrent_kernel, 1.5 / 10),
    (params.input_kernel, 2.0 / np.sqrt(50)),
    (params.bias, 0.7),
  ):
    # Five standard errors of a sample standard deviation.
    assert abs(np.std(values) / expected - 1) < 5 / np.sqrt(2 * values.size)
  assert blocks == {"rnn": 1, "lstm": 4, "gru": 3, "peephole_lstm": 4}[name]


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_orthogonal_and_identity_blocks(name, key):
  cell = rl.get_cell(name)
  for kernel in jnp.split(
    cell.init(key, 3, 8, recurrent_gain=2.0, recurrent_init="orthogonal").recurrent_kernel, _blocks(name), 1
  ):
    np.testing.assert_allclose(kernel @ kernel.T, 4 * np.eye(8), atol=1e-5)
  for kernel in jnp.split(
    cell.init(key, 3, 8, recurrent_gain=-2.0, recurrent_init="identity").recurrent_kernel, _blocks(name), 1
  ):
    np.testing.assert_array_equal(kernel, -2 * np.eye(8))


def _blocks(name):
  return {"rnn": 1, "lstm": 4, "gru": 3}[name]


def test_identity_with_one_unit_is_the_gain_itself(key):
  for name in ("rnn", "indrnn"):
    params = rl.get_cell(name).init(key, 1, 1, recurrent_gain=-1.5, recurrent_init="identity")
    assert params.recurrent_kernel.ravel() == -1.5


def test_indrnn_units_are_nets_of_size_one(key):
  gaussian = rl.indrnn().init(key, 1, 4000, recurrent_gain=0.5).recurrent_kernel
  assert abs(np.std(gaussian) / 0.5 - 1) < 5 / np.sqrt(8000)
  orthogonal = rl.indrnn().init(key, 1, 100, recurrent_gain=0.5, recurrent_init="orthogonal").recurrent_kernel
  np.testing.assert_array_equal(np.unique(orthogonal), [-0.5, 0.5])


@pytest.mark.parametrize(
  ("name", "gate"), [("lstm", slice(4, 8)), ("gru", slice(4, 8)), ("lstm_coupled", slice(0, 4)), ("rnn", None)]
)
def test_forget_bias_goes_to_the_gate_that_keeps_the_state(name, gate, key):
  """A larger forget bias remembers longer, in both LSTM f and GRU z."""
  cell = rl.get_cell(name)
  bias = np.asarray(cell.init(key, 2, 4, forget_bias=3.0).bias)
  expected = np.zeros_like(bias)
  if gate is not None:
    expected[gate] = 3.0
  np.testing.assert_array_equal(bias, expected)
  per_unit = cell.init(key, 2, 4, forget_bias=jnp.arange(4.0)).bias
  if gate is not None:
    np.testing.assert_array_equal(per_unit[gate], np.arange(4))


@pytest.mark.parametrize("name", EVERY_CELL)
def test_options_can_be_mapped_over(name, key):
  """One compiled program serves every value of a sweep."""
  cell = rl.get_cell(name)
  init = lambda gain, bias: cell.init(key, 2, 4, recurrent_gain=gain, forget_bias=bias, bias_scale=0.1)
  gains, biases = jnp.array([0.5, -2.0]), jnp.array([0.0, 1.0])
  mapped = jax.jit(jax.vmap(init))(gains, biases)
  for i in range(2):
    expected = init(float(gains[i]), float(biases[i]))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[i], b, rtol=1e-6, atol=1e-7), mapped, expected)  # noqa: B023


@pytest.mark.parametrize("name", EVERY_CELL)
@pytest.mark.parametrize(
  ("arguments", "options", "message"),
  [
    ((2, 4), {"gain": 1.0}, "Option 'gain' is unknown; choose one of recurrent_gain, recurrent_init"),
    (
      (2, 4),
      {"recurrent_init": "normal"},
      "recurrent_init 'normal' is unknown; choose one of gaussian, orthogonal, identity, low_rank",
    ),
    ((2, 4), {"recurrent_gain": float("nan")}, "recurrent_gain is nan; it must be finite"),
    ((2, 4), {"bias_scale": -1.0}, "bias_scale is -1.0; a standard deviation must be 0 or more"),
    ((2, 4), {"dtype": jnp.int32}, "dtype is int32; parameters must have a floating dtype"),
    ((2, 4), {"dtype": np.float64}, "dtype is float64, but JAX runs in 32-bit mode"),
    ((2, -4), {}, "hidden_size is -4; it must be a positive integer"),
    ((0, 4), {}, "input_size is 0; it must be a positive integer"),
  ],
)
def test_bad_options_are_named(name, arguments, options, message, key):
  with pytest.raises(ValueError, match=message.replace("(", r"\(")):
    rl.get_cell(name).init(key, *arguments, **options)


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (lambda: rl.rnn("tan"), "'tan' is unknown; choose one of tanh, relu"),
    (lambda: rl.lstm(forget="yes"), "forget 'yes' is unknown; choose one of gate, none, coupled"),
    (lambda: rl.gru(reset="never"), "reset 'never' is unknown; choose one of after, before"),
    (lambda: rl.hopfield(rate=0.0), r"rate is 0.0; it must lie in \(0, 1\]"),
    (lambda: rl.with_readout(rl.rnn(), 2, "relu"), "Readout 'relu' is unknown; choose one of identity, softmax"),
  ],
)
def test_bad_variants_are_named(call, message):
  with pytest.raises(ValueError, match=message):
    call()


def test_hopfield_patterns_must_fit(key):
  with pytest.raises(ValueError, match=r"patterns have shape \(2, 5\); \[P, 4\] is needed"):
    rl.hopfield().init(key, 1, 4, patterns=jnp.ones((2, 5)))


def kernels_of(name, key, size=300):
  return (
    np.asarray(rl.rnn().init(key, 1, size, recurrent_gain=2.0, recurrent_init=name).recurrent_kernel, np.float64) / 2
  )


def test_a_low_rank_kernel_has_its_rank_and_variance(key):
  values = np.linalg.svd(kernels_of("low_rank", key), compute_uv=False)
  assert np.sum(values > 1e-5 * values[0]) == 300 // 8
  assert np.sum(values**2) == pytest.approx(300, rel=0.1)  # H² entries of variance 1/H


def test_units_excite_or_inhibit_and_are_balanced(key):
  kernel = kernels_of("excitatory_inhibitory", key)
  signs = np.sign(kernel)
  assert np.all(signs == signs[:, :1])
  assert np.sum(signs[:, 0] > 0) == 240
  assert np.sum(kernel**2) == pytest.approx(300, rel=0.05)
  # Rows sum to about ± √(2/π) H s with s² ≈ 1/H up to the balance, so without it the sum would be of size H^1.5.
  assert abs(np.sum(kernel)) < 0.02 * 300**1.5


def test_levy_stable_kernels_have_the_quantiles_of_their_distribution(key):
  """Against SciPy's quantiles, within four standard errors of an empirical quantile of 90 000 draws."""
  drawn = kernels_of("levy_stable", key).ravel() * 300 ** (1 / 1.5)
  law = scipy.stats.levy_stable(1.5, 0)
  for share in (0.25, 0.5, 0.75, 0.95, 0.99):
    expected = law.ppf(share)
    error = np.sqrt(share * (1 - share) / drawn.size) / law.pdf(expected)
    assert abs(np.quantile(drawn, share) - expected) < 4 * error


@pytest.mark.parametrize("alpha", [1.0, 1.5, 2.0])
def test_stable_numbers_have_their_characteristic_function(key, alpha):
  """E cos(t x) = exp(-|t|^α), within four standard errors of 200 000 draws; α = 2 is Gaussian with variance 2."""
  drawn = np.asarray(symmetric_stable(key, (200_000,), alpha, np.float32), np.float64)
  assert np.all(np.isfinite(drawn))
  for t in (0.3, 1.0, 2.0):
    cosines = np.cos(t * drawn)
    assert abs(cosines.mean() - np.exp(-(t**alpha))) < 4 * cosines.std() / np.sqrt(drawn.size)


@pytest.mark.parametrize("alpha", [1.0, 1.5, 2.0])
def test_stable_numbers_are_finite_at_the_ends_of_their_angles(monkeypatch, key, alpha):
  """float32(π/2) lies above π/2, where the cosine is negative and has no power."""
  ends = lambda key, shape, dtype, low, high: jnp.asarray([low, high], dtype)
  monkeypatch.setattr(jax.random, "uniform", ends)
  assert np.all(np.isfinite(symmetric_stable(key, (2,), alpha, np.float32)))
