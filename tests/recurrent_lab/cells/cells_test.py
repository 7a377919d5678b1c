"""One table of every cell × dtype, against NumPy loops written from the papers."""

from functools import partial

import jax
from jax import lax
import jax.numpy as jnp
from jax.test_util import check_grads
import numpy as np
import pytest
import scipy.linalg

import recurrent_lab as rl
from tests import reference
from tests.nets import CLASSICS, EVERY_CELL, random_net, to_float64


def test_every_cell_has_a_reference():
  assert set(reference.CELLS) == set(rl.CELLS)


@pytest.mark.parametrize("name", EVERY_CELL)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_cell_matches_its_reference(name, dtype, tolerance, key):
  with jax.enable_x64(dtype == np.float64):
    cell, params, xs = random_net(name, key, dtype=dtype)
    state, outputs = rl.unroll(cell, params, xs)
    assert outputs.dtype == dtype
    assert all(leaf.dtype == dtype for leaf in jax.tree.leaves((params, state)))
    expected = reference.CELLS[name](to_float64(params), to_float64(xs))
    np.testing.assert_allclose(outputs, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", EVERY_CELL)
def test_scan_python_loop_batch_and_vmap_agree(name, key):
  cell, params, _ = random_net(name, key)
  xs = jax.random.normal(key, (6, 4, 3))  # [T, B, I]
  final, outputs = rl.unroll(cell, params, xs)
  assert outputs.shape == (6, 4, 5)

  state, loop = cell.initial_state(params, (4,)), []
  for x in xs:
    state, output = cell.step(params, state, x)
    loop.append(output)
  np.testing.assert_allclose(outputs, np.stack(loop), rtol=1e-5, atol=1e-6)
  jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6), final, state)

  mapped = jax.vmap(lambda xs: rl.unroll(cell, params, xs)[1], in_axes=1, out_axes=1)(xs)
  np.testing.assert_allclose(outputs, mapped, rtol=1e-5, atol=1e-6)

  reused = lax.scan(partial(cell.step, params), cell.initial_state(params, (4,)), xs)[1]
  np.testing.assert_array_equal(outputs, reused)


@pytest.mark.parametrize("name", EVERY_CELL)
@pytest.mark.usefixtures("x64")
def test_gradients_match_finite_differences(name, key):
  cell, params, xs = random_net(name, key, steps=4, hidden=3, dtype=np.float64)
  outputs = lambda p, xs: rl.unroll(cell, *jax.tree.map(jnp.asarray, (p, xs)))[
    1
  ]  # finite differences come as NumPy arrays
  check_grads(outputs, (params, xs), order=1, modes=("fwd", "rev"), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("activation", list(rl.ACTIVATIONS))
def test_activation_is_a_choice_everywhere(activation, key):
  f = reference.classic.ACTIVATIONS[activation]
  rnn = rl.rnn(activation)
  params = rnn.init(key, 3, 4, bias_scale=0.5)
  xs = jax.random.normal(key, (5, 3))
  expected = reference.classic.rnn(to_float64(params), to_float64(xs), activation)
  np.testing.assert_allclose(rl.unroll(rnn, params, xs)[1], expected, rtol=1e-5, atol=1e-5)
  for cell in (
    rl.lstm(activation=activation),
    rl.lstm(input_node=activation),
    rl.peephole_lstm(activation=activation),
    rl.gru(activation=activation),
    rl.simplified_lstm(activation),
    rl.indrnn(activation),
    rl.hopfield(activation),
  ):
    params = cell.init(key, 3, 4)
    state = cell.initial_state(params)
    seen = cell.probe(params, state, xs[0])
    values = np.concatenate([np.asarray(a.value).ravel() for a in seen.values()])
    assert np.all(np.isfinite(values))
  # The candidate of a GRU from state 0 is f of its input part alone.
  gru = rl.gru(activation=activation)
  params = gru.init(key, 3, 4)
  a = np.asarray(xs[0] @ params.input_kernel, np.float64)[8:]
  candidate = gru.probe(params, gru.initial_state(params), xs[0])["candidate"].value
  np.testing.assert_allclose(candidate, [f(v) for v in a], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", EVERY_CELL)
def test_probe_tells_what_the_step_does(name, key):
  """Values are those of the activations, and log-slopes those of autodiff on a perturbed pre-activation."""
  cell, params, xs = random_net(name, key)
  seen = rl.activities(cell, params, xs)
  states = rl.trajectory(cell, params, xs)
  for activity in seen.values():
    assert activity.value.shape == activity.log_slope.shape == (8, 5)
  if set(seen) == {"state"} and not name.startswith("hopfield"):
    np.testing.assert_allclose(seen["state"].value, states[1:], rtol=1e-5, atol=1e-6)
  if "cell" in seen:
    np.testing.assert_allclose(seen["cell"].value, jnp.tanh(states.cell[1:]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(states.hidden[1:], seen["output"].value * seen["cell"].value, rtol=1e-5, atol=1e-6)
  if "update" in seen:
    h, z = np.asarray(states), seen["update"].value
    np.testing.assert_allclose(h[1:], (1 - z) * seen["candidate"].value + z * h[:-1], rtol=1e-5, atol=1e-6)


def test_equal_variants_are_one_object_and_never_retrace(key):
  assert rl.rnn() is rl.rnn("tanh") is rl.rnn(activation="tanh") is rl.CELLS["rnn"]
  assert rl.lstm(input_node="sigmoid") is rl.CELLS["lstm_sigmoid_input"]
  assert rl.gru(reset="before") is not rl.gru()
  traces = []

  @partial(jax.jit, static_argnums=0)
  def run(cell, params, x):
    traces.append(cell)
    return cell.step(params, cell.initial_state(params), x)[1]

  params = rl.gru().init(key, 2, 3)
  run(rl.gru(), params, jnp.ones(2))
  run(rl.gru(reset="after"), params, jnp.ones(2))
  assert len(traces) == 1


def test_peephole_without_peepholes_is_the_plain_lstm(key):
  params = rl.peephole_lstm().init(key, 3, 4)
  xs = jax.random.normal(key, (7, 3))
  without = params._replace(peephole=jnp.zeros_like(params.peephole))
  plain = rl.LSTMParams(*params[:3])
  np.testing.assert_array_equal(rl.unroll(rl.peephole_lstm(), without, xs)[1], rl.unroll(rl.lstm(), plain, xs)[1])


@pytest.mark.parametrize("activation", ["tanh", "identity"])
def test_jacobian_of_the_simplified_lstm_is_slope_times_forget_gate(activation, key):
  cell = rl.simplified_lstm(activation)
  params = cell.init(key, 3, 5, bias_scale=0.5)
  xs = jax.random.normal(key, (8, 3))
  seen = rl.activities(cell, params, xs)
  expected = jnp.exp(seen["state"].log_slope) * seen["forget"].value
  jacobians = rl.state_jacobians(cell, params, xs)
  np.testing.assert_allclose(jacobians, jax.vmap(jnp.diag)(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("gain", [2.0, 4.0])
def test_hopfield_recalls_and_contracts_at_a_stored_pattern(gain, key):
  """For P orthogonal patterns u = a ξ with a = g (1 - P/H) tanh a is a fixed point, and the product's rate is exact there."""
  cell, size, count = rl.hopfield(), 64, 3
  patterns = jnp.asarray(scipy.linalg.hadamard(size)[1 : 1 + count], jnp.float32)
  params = cell.init(key, 1, size, patterns=patterns, recurrent_gain=gain)
  noisy = jnp.where(jax.random.uniform(key, (size,)) < 0.1, -1, 1) * patterns[0]
  xs = jnp.zeros((300, 1))
  final, _ = rl.unroll(cell, params, xs, gain * noisy)
  a = gain
  for _ in range(200):
    a = gain * (1 - count / size) * np.tanh(a)
  np.testing.assert_allclose(final, a * patterns[0], rtol=1e-4)
  rate = float(rl.growth_rate(rl.product_log_norms(cell, params, xs, final)).rate)
  expected = np.log(0.9 + 0.1 * gain * (1 - count / size) / np.cosh(a) ** 2)
  assert expected < 0
  assert rate == pytest.approx(expected, rel=1e-3)


def test_worked_example_of_the_introduction():
  """A linear 2-2-2 net with all weights 1: (1,1), (1,1), (2,2) -> (4,4), (12,12), (32,32); order matters."""
  cell = rl.with_readout(rl.rnn("identity"), 2)
  ones, zeros = jnp.ones((2, 2)), jnp.zeros(2)
  params = rl.WithReadoutParams(rl.RNNParams(ones, ones, zeros), rl.ReadoutParams(ones, zeros))
  xs = jnp.array([[1.0, 1.0], [1.0, 1.0], [2.0, 2.0]])
  outputs = rl.unroll(cell, params, xs)[1]
  np.testing.assert_array_equal(outputs, [[4, 4], [12, 12], [32, 32]])
  assert not np.array_equal(outputs[-1], rl.unroll(cell, params, xs[::-1])[1][-1])


def test_softmax_readout_is_a_distribution(key):
  cell = rl.with_readout(rl.gru(), 4, "softmax")
  params = cell.init(key, 3, 5)
  outputs = rl.unroll(cell, params, jax.random.normal(key, (6, 3)))[1]
  states = rl.trajectory(cell, params, jax.random.normal(key, (6, 3)))[1:]
  logits = np.asarray(states @ params.readout.kernel + params.readout.bias)
  np.testing.assert_allclose(outputs, np.exp(logits) / np.exp(logits).sum(-1, keepdims=True), rtol=1e-5)
  np.testing.assert_allclose(outputs.sum(-1), 1, rtol=1e-6)


def test_a_cell_of_three_lines_gets_every_measurement(key):
  """A leaky integrator, ∂s_t/∂s_{t-1} = 0.9: its product over lag l is 0.9^l."""
  cell = rl.Cell(
    init=lambda key, i, h: jnp.ones((i, h)),
    initial_state=lambda params, batch_shape=(): jnp.zeros((*batch_shape, params.shape[1])),
    step=lambda params, s, x: (new := 0.9 * s + x @ params, new),
  )
  params, xs = cell.init(key, 2, 3), jax.random.normal(key, (20, 2))
  lags = np.arange(1, 21)
  for norm in rl.NORMS:
    np.testing.assert_allclose(rl.product_log_norms(cell, params, xs, norm=norm), lags * np.log(0.9), rtol=1e-5)
  np.testing.assert_allclose(rl.product_log_singular_values(cell, params, xs), 20 * np.log(0.9), rtol=1e-5)
  loss = lambda outputs: outputs[-1].sum()
  adjoint = rl.adjoint_log_norms(loss, cell, params, xs)
  np.testing.assert_allclose(adjoint, np.log(3) / 2 + np.arange(20, -1, -1) * np.log(0.9), rtol=1e-4, atol=1e-6)
  grads = rl.gradient_by_lag(loss, cell, params, xs)
  np.testing.assert_allclose(grads, (xs * 0.9 ** np.arange(19, -1, -1)[:, None])[..., None] * np.ones(3), rtol=1e-5)
  with pytest.raises(ValueError, match="no probe"):
    rl.activities(cell, params, xs)


def test_get_cell_lists_the_valid_names():
  with pytest.raises(ValueError, match=r"'lstn' is unknown; choose one of rnn, .*gru"):
    rl.get_cell("lstn")


# Which cells have a gate that keeps their state, from their equations.
GATED = {
  *("lstm", "lstm_sigmoid_input", "lstm_1997", "lstm_coupled", "peephole_lstm", "peephole_lstm_coupled"),
  *("gru", "gru_reset_before", "simplified_lstm", "simplified_lstm_linear"),
}


def test_a_cell_declares_whether_it_is_gated_and_what_it_recommends(key):
  assert {name for name in CLASSICS if rl.CELLS[name].gated} == GATED
  chrono = rl.chrono(key, 5, 30)
  for name in CLASSICS:
    cell = rl.CELLS[name]
    by_name, by_cell = rl.recommended(name, key, 5, 30), rl.recommended(cell, key, 5, 30)
    jax.tree.map(np.testing.assert_array_equal, by_name, by_cell)
    expected = {"recurrent_init": "orthogonal", **(chrono if name in GATED else {})}
    if name in ("indrnn", "indrnn_tanh"):
      expected = {"recurrent_init": "identity", "input_gain": 30**-0.5}
    assert by_name.keys() == expected.keys()
    for option, value in expected.items():
      np.testing.assert_array_equal(by_name[option], value)


def test_recommendations_do_not_depend_on_a_name(key):
  """Variants that are in no table, and cells of other people."""
  assert set(rl.recommended(rl.gru(activation="relu"), key, 5, 30)) == {"recurrent_init", "forget_bias", "write_bias"}
  own = rl.rnn()._replace(recommend=lambda key, hidden_size, longest: {"recurrent_gain": 1 / longest})
  assert rl.recommended(own, key, 5, 4) == {"recurrent_gain": 0.25}
  with pytest.raises(ValueError, match="Cell 'gated_lstm' is unknown"):
    rl.recommended("gated_lstm", key, 5, 30)


def test_declared_outputs_are_those_of_the_step(key):
  for name in CLASSICS:
    cell, params, xs = random_net(name, key)
    new, output = cell.step(params, cell.initial_state(params), xs[0])
    np.testing.assert_array_equal(cell.output(params, new), output)
