"""The gated closed forms against the eigenvalues of Jacobians that the lab measures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab
from recurrent_lab import theory


def sigmoid(x):
  return 1 / (1 + np.exp(-x))


def zero_state_jacobian(name, rng, gain, biases, size):
  """The measured Jacobian at h = 0 and no input, and the candidate's kernel."""
  cell = recurrent_lab.get_cell(name)
  params = cell.init(jax.random.key(rng.integers(2**31)), 1, size, recurrent_gain=gain)
  params = params._replace(bias=jnp.repeat(jnp.asarray(biases, jnp.float32), size))
  candidate = np.asarray(params.recurrent_kernel).reshape(size, -1, size)[:, {"rnn": 0, "lstm": 2, "gru": 2}[name]]
  (jacobian,) = recurrent_lab.state_jacobians(cell, params, jnp.zeros((1, 1)))
  return np.asarray(jacobian, np.float64), candidate.astype(np.float64)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_the_eigenvalues_of_the_measured_jacobian(rng, name):
  a, b, c = rng.normal(size=3)
  rows = {"rnn": [0.0], "lstm": [b, a, 0.0, c], "gru": [c, a, 0.0]}[name]
  jacobian, kernel = zero_state_jacobian(name, rng, rng.uniform(0.5, 4), rows, 12)
  options = {"forget_bias": a, "input_bias": b, "output_bias": c, "reset_bias": c}
  got = np.asarray(theory.zero_state_eigenvalues(name, np.linalg.eigvals(kernel), **options))
  assert got.shape == (jacobian.shape[0],)
  # Sets of eigenvalues are equal where their characteristic polynomials agree, here at random points.
  for point in 3 * rng.normal(size=4) + 3j * rng.normal(size=4):
    np.testing.assert_allclose(np.prod(point - got), np.linalg.det(point * np.eye(len(got)) - jacobian), rtol=1e-3)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_the_spectral_radius_crosses_one_at_the_critical_gain(rng, name):
  forget = rng.uniform(-1, 2)
  rows = {"rnn": [0.0], "lstm": [0.0, forget, 0.0, 0.0], "gru": [0.0, forget, 0.0]}[name]
  gain = float(theory.critical_gain(name, forget_bias=forget))
  for factor in (0.5, 1.0, 2.0):
    jacobian, _ = zero_state_jacobian(name, rng, factor * gain, rows, 80)
    radius = np.max(np.abs(np.linalg.eigvals(jacobian)))
    predicted = float(theory.zero_state_radius(name, factor * gain, forget_bias=forget))
    assert radius == pytest.approx(predicted, rel=0.25)
    assert (predicted - 1) * (factor - 1) >= -1e-6


def test_the_critical_gains_in_closed_form(rng):
  b_f, b_i, b_o, b_r = rng.normal(size=4)
  assert float(theory.critical_gain("rnn", forget_bias=b_f)) == 1
  np.testing.assert_allclose(theory.critical_gain("lstm", forget_bias=b_f), 4 * (1 - sigmoid(b_f)), rtol=1e-5)
  general = (1 - sigmoid(b_f)) / (sigmoid(b_i) * sigmoid(b_o))
  np.testing.assert_allclose(
    theory.critical_gain("lstm", forget_bias=b_f, input_bias=b_i, output_bias=b_o), general, rtol=1e-5
  )
  np.testing.assert_allclose(theory.critical_gain("gru", reset_bias=b_r, forget_bias=b_f), 1 / sigmoid(b_r), rtol=1e-5)


def test_a_wide_open_forget_gate_does_not_cancel():
  np.testing.assert_allclose(theory.critical_gain("lstm", forget_bias=30.0), 4 * np.exp(-30), rtol=1e-5)
  np.testing.assert_allclose(theory.cell_path_exponent(30.0), -np.exp(-30), rtol=1e-5)


def test_the_cell_path_of_an_lstm_without_kernels(rng):
  cell, bias = recurrent_lab.lstm(), rng.uniform(-1, 4)
  params = cell.init(jax.random.key(0), 1, 3, recurrent_gain=0.0, input_gain=0.0, forget_bias=bias)
  log_norms = recurrent_lab.product_log_norms(cell, params, jnp.zeros((50, 1)), block=("cell", "cell"))
  np.testing.assert_allclose(log_norms[-1] / 50, theory.cell_path_exponent(bias), rtol=1e-4)


def test_arrays_and_transforms():
  biases = jnp.asarray([0.0, 1.0, 2.0])
  plain = theory.critical_gain("lstm", forget_bias=biases)
  assert plain.shape == (3,)
  np.testing.assert_allclose(jax.vmap(lambda b: theory.critical_gain("lstm", forget_bias=b))(biases), plain, rtol=1e-6)


def test_other_cells_are_refused_by_name():
  for function in (
    theory.critical_gain,
    lambda name: theory.zero_state_radius(name, 1.0),
    lambda name: theory.zero_state_eigenvalues(name, jnp.ones(2)),
  ):
    with pytest.raises(ValueError, match="'hopfield' is unknown; choose one of rnn, lstm, gru"):
      function("hopfield")
  with pytest.raises(ValueError, match="gain is -1"):
    theory.zero_state_radius("rnn", -1.0)
