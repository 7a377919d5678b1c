"""Variants that files of other runtimes hold, against a loop of their equations in NumPy float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.parametric import clipped, elu, hard_sigmoid, scaled_tanh

UNITS, INPUTS, STEPS = 4, 3, 6
HARD = hard_sigmoid(0.2, 0.5)
sigma = lambda a: 1 / (1 + np.exp(-a))
hard = lambda a: np.clip(0.2 * a + 0.5, 0, 1)
limited = lambda f, c: lambda a: f(np.clip(a, -c, c))
numpy_elu = lambda a: np.where(a >= 0, a, 0.9 * np.expm1(a))


def lstm_loop(p, xs, letters="ifgo", gate=sigma, node=np.tanh, out=np.tanh):
  """An LSTM whose peepholes and projection are those that the params have. Without f it is 1 - i."""
  projection = p.get("projection", np.eye(UNITS))
  peephole = dict(zip(letters.replace("g", ""), p.get("peephole", np.zeros((3, UNITS))), strict=False))
  h, c, outputs = np.zeros(projection.shape[1]), np.zeros(UNITS), []
  for x in xs:
    a = dict(
      zip(letters, np.split(x @ p["input_kernel"] + h @ p["recurrent_kernel"] + p["bias"], len(letters)), strict=True)
    )
    i = gate(a["i"] + peephole["i"] * c)
    f = gate(a["f"] + peephole["f"] * c) if "f" in a else 1 - i
    c = f * c + i * node(a["g"])
    h = (gate(a["o"] + peephole["o"] * c) * out(c)) @ projection
    outputs.append(h)
  return np.stack(outputs)


def gru_loop(p, xs, after, gate, node):
  h, outputs = np.zeros(UNITS), []
  u_r, u_z, u_n = np.split(p["recurrent_kernel"], 3, axis=1)
  for x in xs:
    x_r, x_z, x_n = np.split(x @ p["input_kernel"] + p["bias"], 3)
    r, z = gate(x_r + h @ u_r), gate(x_z + h @ u_z)
    n = node(x_n + r * (h @ u_n + p["recurrent_bias"]) if after else x_n + (r * h) @ u_n)
    h = (1 - z) * n + z * h
    outputs.append(h)
  return np.stack(outputs)


CELLS = {
  "hard gates": (rl.lstm(gate=HARD), lambda p, xs: lstm_loop(p, xs, gate=hard)),
  "three activations": (
    rl.lstm(gate=hard_sigmoid(1 / 6, 0.5), input_node=elu(0.9), activation=scaled_tanh(1.2, 0.7)),
    lambda p, xs: lstm_loop(
      p, xs, "ifgo", lambda a: np.clip(a / 6 + 0.5, 0, 1), numpy_elu, lambda a: 1.2 * np.tanh(0.7 * a)
    ),
  ),
  "clip": (
    rl.lstm(gate=clipped("sigmoid", 0.4), input_node=clipped("tanh", 0.4)),
    lambda p, xs: lstm_loop(p, xs, "ifgo", limited(sigma, 0.4), limited(np.tanh, 0.4)),
  ),
  "f = 1 - i": (rl.lstm(forget="input_coupled", gate=HARD), lambda p, xs: lstm_loop(p, xs, "igo", hard)),
  "peepholes, f = 1 - i, clip": (
    rl.peephole_lstm(forget="input_coupled", gate=clipped("sigmoid", 0.6), input_node=clipped("tanh", 0.6)),
    lambda p, xs: lstm_loop(p, xs, "igo", limited(sigma, 0.6), limited(np.tanh, 0.6)),
  ),
  "projection": (rl.cells.projected_lstm(3), lstm_loop),
  "projection, hard gates": (rl.cells.projected_lstm(gate=HARD), lambda p, xs: lstm_loop(p, xs, gate=hard)),
  "GRU, hard gates": (rl.gru(gate=HARD), lambda p, xs: gru_loop(p, xs, True, hard, np.tanh)),
  "GRU, reset before, elu": (
    rl.gru("before", elu(0.9), HARD),
    lambda p, xs: gru_loop(p, xs, False, hard, numpy_elu),
  ),
  "RNN, clip": (
    rl.rnn(clipped("tanh", 0.5)),
    lambda p, xs: lstm_free(p, xs, limited(np.tanh, 0.5)),
  ),
}


def lstm_free(p, xs, f):
  s, outputs = np.zeros(UNITS), []
  for x in xs:
    s = f(x @ p["input_kernel"] + s @ p["recurrent_kernel"] + p["bias"])
    outputs.append(s)
  return np.stack(outputs)


def drawn(cell, rng):
  shapes = jax.eval_shape(lambda key: cell.init(key, INPUTS, UNITS, dtype=np.float64), jax.random.key(0))
  params = type(shapes)(*(rng.normal(0.1, 0.6, shape.shape) for shape in shapes))
  return params, rng.normal(size=(STEPS, INPUTS))


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.usefixtures("x64")
def test_outputs_and_gradients_are_those_of_the_loop(name, rng):
  cell, loop = CELLS[name]
  params, xs = drawn(cell, rng)
  np.testing.assert_allclose(rl.unroll(cell, params, xs)[1], loop(params._asdict(), xs), rtol=1e-12, atol=1e-13)
  direction, weights = type(params)(*(rng.normal(size=a.shape) for a in params)), np.cos(np.arange(STEPS))[:, None]
  loss = lambda p: jnp.sum(weights * rl.unroll(cell, p, xs)[1])
  _, slope = jax.jvp(loss, (params,), (direction,))
  moved = lambda t: np.sum(
    weights * loop({k: a + t * d for (k, a), d in zip(params._asdict().items(), direction, strict=True)}, xs)
  )
  np.testing.assert_allclose(slope, (moved(1e-6) - moved(-1e-6)) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize("name", ["f = 1 - i", "projection", "peepholes, f = 1 - i, clip"])
@pytest.mark.usefixtures("x64")
def test_probe_tells_gates_and_slopes(name, rng):
  cell, _ = CELLS[name]
  params, xs = drawn(cell, rng)
  seen, states = rl.activities(cell, params, xs), rl.trajectory(cell, params, xs)
  f = seen["forget"].value if "forget" in seen else 1 - seen["input"].value
  c = f * states.cell[:-1] + seen["input"].value * seen["candidate"].value
  np.testing.assert_allclose(states.cell[1:], c, rtol=1e-12)
  shown = seen["output"].value * seen["cell"].value
  np.testing.assert_allclose(states.hidden[1:], shown @ getattr(params, "projection", np.eye(UNITS)), rtol=1e-12)


@pytest.mark.usefixtures("x64")
def test_with_sigmoid_gates_the_two_couplings_are_one_cell_of_negated_weights(rng):
  params, xs = drawn(rl.lstm(forget="input_coupled"), rng)
  signs = np.repeat([-1.0, 1.0, 1.0], UNITS)
  other = rl.cells.CoupledLSTMParams(*(signs * a for a in params))
  np.testing.assert_allclose(
    rl.unroll(rl.lstm(forget="input_coupled"), params, xs)[1],
    rl.unroll(rl.lstm(forget="coupled"), other, xs)[1],
    rtol=1e-12,
  )


def test_forget_bias_remembers_longer_where_only_the_input_gate_is_drawn():
  drawn_bias = lambda cell, **options: cell.init(jax.random.key(0), 3, 2, **options).bias
  np.testing.assert_array_equal(
    drawn_bias(rl.lstm(forget="input_coupled"), forget_bias=2.0, write_bias=-2.0), [-2, -2, 0, 0, 0, 0]
  )


def test_a_projection_has_its_sizes_and_instruments_take_it(rng):
  cell = rl.cells.projected_lstm(3)
  assert cell is rl.cells.projected_lstm(projection_size=3)
  shapes = lambda cell, units: [a.shape for a in jax.eval_shape(lambda: cell.init(jax.random.key(0), INPUTS, units))]
  assert shapes(cell, UNITS) == [(3, 16), (3, 16), (16,), (4, 3)]
  assert shapes(rl.cells.projected_lstm(), 5)[-1] == (5, 3)
  params, xs = cell.init(jax.random.key(0), INPUTS, UNITS), rng.normal(size=(2, INPUTS)).astype(np.float32)
  assert rl.state_jacobians(cell, params, xs).shape == (2, 7, 7)
  with pytest.raises(ValueError, match=r"projection_size is 3; a projection of 2 units"):
    cell.init(jax.random.key(0), INPUTS, 2)
  with pytest.raises(ValueError, match="projection_size is 0; it must be at least 1"):
    rl.cells.projected_lstm(0)
