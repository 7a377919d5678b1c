"""Weights drawn by the copied functions have the standard deviations of a row, and import as a net that remembers so."""

import jax
import numpy as np
import pytest

from examples import start_like
from examples.start_like import Start
import recurrent_lab as rl
from recurrent_lab.interop import import_weights

INPUTS, H = 30, 200
WIDE = Start(own=0.6, recurrent=0.7, is_orthogonal=False, bias=0.5, opened=2.0)
TURNED = WIDE._replace(is_orthogonal=True)
ORDER = {"LSTM": "ifgo", "GRU": "rzn", "RNN": "h"}  # the gates as the lab orders them
KEEPS = {"LSTM": 1, "GRU": 1}


def flax(name, start):
  """Params of a cell of Flax, in the shapes that `flax.linen` gives them."""
  gates = {"LSTM": "ifgo", "GRU": "rzn", "RNN": [""]}[name]
  biased = {"LSTM": "hi hf hg ho", "GRU": "ir iz in hn", "RNN": "i"}[name].split()
  params = {
    side + gate: {"kernel": np.zeros((rows, H))} | ({"bias": np.zeros(H)} if side + gate in biased else {})
    for side, rows in (("i", INPUTS), ("h", H))
    for gate in gates
  }
  kind = {"LSTM": "LSTMCell", "GRU": "GRUCell", "RNN": "SimpleCell"}[name]
  return import_weights(f"flax.linen.{kind}", start_like.start_flax(params, jax.random.key(0), start))


def torch(name, start):
  torch = pytest.importorskip("torch", reason="torch is not installed")
  torch.manual_seed(0)
  net = getattr(torch.nn, name)(INPUTS, H)
  start_like.start_torch(net, start)
  return import_weights(f"torch.nn.{name}", {key: values.numpy() for key, values in net.state_dict().items()})


def keras(name, start):
  keras = pytest.importorskip("keras", reason="Keras is not installed")
  kind = {"RNN": "SimpleRNN"}.get(name, name)
  layer = start_like.start_keras(getattr(keras.layers, kind), H, start)
  layer.build((1, 3, INPUTS))
  arrays = {variable.name: np.asarray(variable) for variable in layer.weights}
  return import_weights(f"keras.layers.{kind}Cell", arrays)


@pytest.mark.parametrize("start", [WIDE, TURNED], ids=["normal", "orthogonal"])
@pytest.mark.parametrize("name", ORDER)
@pytest.mark.parametrize("library", [flax, torch, keras])
def test_weights_have_the_standard_deviations_of_the_row(library, name, start):
  """Within five standard errors, and the gate that keeps the state is open."""
  gates = len(ORDER[name])
  start = start if name in KEEPS else start._replace(opened=0.0)
  params = library(name, start)
  kernels, bias = (params.input_kernel, params.recurrent_kernel), np.array(params.bias)
  if name in KEEPS:
    place = slice(KEEPS[name] * H, (KEEPS[name] + 1) * H)
    assert np.mean(bias[place]) == pytest.approx(start.opened, abs=5 * start.bias / H)
    bias[place] -= start.opened
  recurrent = 1.0 if start.is_orthogonal else start.recurrent
  for values, expected in zip(
    (*kernels, bias), (start.own / INPUTS**0.5, recurrent / H**0.5, start.bias / H**0.5), strict=True
  ):
    assert np.std(values) == pytest.approx(expected, rel=5 / (2 * values.size) ** 0.5)
  for gate in np.split(np.asarray(params.recurrent_kernel), gates, axis=1):
    is_orthogonal = np.allclose(gate.T @ gate, np.eye(H), atol=1e-4)
    assert is_orthogonal == start.is_orthogonal


@pytest.mark.slow
def test_an_lstm_of_flax_that_starts_as_keras_remembers_as_one_of_keras(capsys):
  before, after = start_like.main()
  cell = rl.init_like("keras.layers.LSTM")
  xs = jax.random.normal(jax.random.key(1), (200, 128))
  params = cell.init(jax.random.key(2), 128, 128)
  expected = rl.memory_length(rl.growth_rate(rl.product_log_norms(rl.lstm(), params, xs)).rate)
  assert after == pytest.approx(float(expected), rel=0.1)
  assert before < 0.7 * after
  assert "as Keras starts" in capsys.readouterr().out
