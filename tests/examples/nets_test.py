"""The nets that torch and Keras trained do here what they were trained for, and the examples show how long they remember."""

import jax
import numpy as np
import pytest

from examples import keras_file, torch_two_layer_lstm
import recurrent_lab as rl
from recurrent_lab.interop import import_model

LAG = 5  # steps after which the nets repeat their input


@pytest.mark.parametrize("path", [torch_two_layer_lstm.PATH, keras_file.PATH], ids=lambda path: path.name)
def test_a_net_repeats_its_input_five_steps_later(path):
  model = import_model(path)
  xs = jax.random.normal(jax.random.key(3), (30, 1))
  outputs = rl.unroll(model.cell, model.params, xs)[1]
  assert np.mean((outputs[LAG:] - xs[:-LAG]) ** 2) < 0.1  # 1 for a net that puts out 0


def test_the_net_of_torch_is_measured(capsys):
  spectrum, norms = torch_two_layer_lstm.main()
  assert spectrum.residual < 1e-3
  assert norms[LAG - 1] > norms[4 * LAG - 1]
  assert capsys.readouterr().out.splitlines()[:3] == [
    "rnn layer 0: torch.nn.LSTM, 1 → 12",
    "rnn layer 1: torch.nn.LSTM, 12 → 12",
    "head: readout, 12 → 1, identity",
  ]


def test_training_makes_the_net_of_keras_remember(capsys):
  norms = keras_file.main()
  first = {name: 1 + np.argmax(mean < -1) for name, mean in norms.items()}
  assert first["trained"] > LAG > first["untrained"]
  assert capsys.readouterr().out.startswith("gru: keras.layers.GRUCell, 1 → 12")
