"""Weights of others give the same outputs here as there, come back as they went, or are refused with the reason."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.interop import LAYOUTS, export_weights, flat, get_layout, import_weights
from tests.nets import random_net
from tests.recurrent_lab.interop import libraries

TORCH_LSTM = {
  "weight_ih_l0": np.zeros((20, 3), np.float32),
  "weight_hh_l0": np.zeros((20, 5), np.float32),
  "bias_ih_l0": np.zeros(20, np.float32),
  "bias_hh_l0": np.zeros(20, np.float32),
}


# The cells of libraries that are run here. `golden_test.py` holds the others to numbers that their packages computed.
RUN = [kind for kind in LAYOUTS if kind.startswith(tuple(f"{name}." for name in libraries.RUNS))]


def inputs(rng):
  return jnp.asarray(libraries.draw(rng, (libraries.STEPS, libraries.BATCH, libraries.INPUTS)))


def lab_params(kind, key):
  """Random params that the other library can hold."""
  layout = get_layout(kind)
  _, params, _ = random_net(layout.cells[0], key)
  if kind == "flax.nnx.GRUCell":
    params = params._replace(recurrent_bias=0 * params.recurrent_bias)
  if kind == "haiku.LSTM":  # numbers to which 1 can be added without rounding
    params = params._replace(bias=np.round(np.asarray(params.bias) * 64) / 64)
  return jax.tree.map(np.asarray, params)


@pytest.mark.parametrize("kind", RUN)
def test_outputs_are_those_of_the_other_library(kind, rng):
  xs = inputs(rng)
  weights, expected = libraries.run(kind, rng, xs)
  params = import_weights(kind, weights, exact=False)
  _, outputs = rl.unroll(rl.get_cell(get_layout(kind).cells[0]), params, xs)
  np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", RUN)
def test_what_goes_out_comes_back(kind, key):
  params = lab_params(kind, key)
  back = import_weights(kind, export_weights(kind, params))
  assert type(back) is type(params)
  jax.tree.map(np.testing.assert_array_equal, back, params)
  assert {leaf.dtype for leaf in back} == {np.dtype(np.float32)}


@pytest.mark.parametrize("kind", [kind for kind in RUN if "torch" not in kind and kind != "haiku.VanillaRNN"])
def test_what_comes_in_goes_back(kind, rng):
  """Names, shapes and numbers; but two biases that are summed cannot be told apart again."""
  weights, _ = libraries.run(kind, rng, inputs(rng))
  if kind == "haiku.LSTM":
    weights = {name: np.round(np.asarray(array) * 64) / 64 for name, array in weights.items()}
  weights = flat(weights)
  back = flat(export_weights(kind, import_weights(kind, weights)))
  assert {name: array.shape for name, array in back.items()} == {name: array.shape for name, array in weights.items()}
  for name in weights:
    if (kind, name) != ("keras.layers.GRUCell", "bias"):
      np.testing.assert_array_equal(back[name], weights[name])


def test_a_bidirectional_stack_of_torch(rng):
  xs = inputs(rng)
  weights, expected = libraries.torch_nn("LSTM", rng, xs, 2, bidirectional=True)
  cell, outputs = rl.get_cell("lstm"), xs
  for layer in (0, 1):
    both = [import_weights("torch.nn.LSTM", weights, layer=name) for name in (layer, f"{layer}_reverse")]
    _, outputs = rl.bidirectional_unroll(cell, cell, rl.BidirectionalParams(*both), outputs)
  np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-6)


def test_layers_of_torch_are_a_stack(rng):
  xs = inputs(rng)
  weights, expected = libraries.torch_nn("GRU", rng, xs, 2)
  params = tuple(import_weights("torch.nn.GRU", weights, layer=layer) for layer in (0, 1))
  _, outputs = rl.unroll(rl.stack(rl.get_cell("gru"), rl.get_cell("gru")), params, xs)
  np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-6)


def test_a_relu_net_of_torch(rng):
  xs = inputs(rng)
  weights, expected = libraries.torch_nn("RNN", rng, xs, nonlinearity="relu")
  _, outputs = rl.unroll(rl.get_cell("rnn_relu"), import_weights("torch.nn.RNN", weights), xs)
  np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-6)


def test_a_module_without_biases_has_biases_of_0():
  weights = {name: array for name, array in TORCH_LSTM.items() if "bias" not in name}
  np.testing.assert_array_equal(import_weights("torch.nn.LSTM", weights).bias, np.zeros(20))
  with pytest.raises(ValueError, match="also needs bias_hh; given are bias_ih, weight_hh, weight_ih"):
    import_weights("torch.nn.LSTM", {**weights, "bias_ih_l0": np.zeros(20, np.float32)})


@pytest.mark.parametrize(
  ("kind", "change", "message"),
  [
    ("torch.nn.LSTM", {"weight_hr_l0": np.zeros((4, 5))}, "no array weight_hr.* has no projection"),
    (
      "torch.nn.LSTM",
      {"weight_hh_l0": np.zeros((20, 4), np.float32)},
      r"weight_hh has shape \(20, 4\).* it is \(20, 5\)",
    ),
    ("torch.nn.LSTM", {"weight_ih_l0": np.zeros(20, np.float32)}, r"weight_ih has shape \(20,\)"),
    ("torch.nn.LSTM", {"weight_ih_l0": np.zeros((20, 3))}, "dtype float32, float64; they need one"),
    ("torch.nn.GRU", {}, r"weight_ih has shape \(20, 3\)|weight_hh has shape"),
    ("torch.nn.lstm", {}, "no table for 'torch.nn.lstm'; choose one of flax.linen.LSTMCell"),
    ("flax.linen.ConvLSTMCell", {}, "the lab has no convolutions"),
  ],
)
def test_weights_that_do_not_fit_are_refused(kind, change, message):
  with pytest.raises(ValueError, match=message):
    import_weights(kind, TORCH_LSTM | change)


def test_a_layer_that_is_not_there_is_refused(key):
  with pytest.raises(ValueError, match="no layer 1_reverse; they have 0"):
    import_weights("torch.nn.LSTM", TORCH_LSTM, layer="1_reverse")
  with pytest.raises(ValueError, match=r"layer is 1, but keras\.layers\.LSTMCell does not number layers"):
    export_weights("keras.layers.LSTMCell", lab_params("keras.layers.LSTMCell", key), layer=1)
  with pytest.raises(ValueError, match="layer is 'top'"):
    import_weights("torch.nn.LSTM", TORCH_LSTM, layer="top")


def test_names_of_another_cell_are_refused():
  with pytest.raises(ValueError, match=r"has no array bias_hh_l0.*; it has bias, weight_hh, weight_ih"):
    import_weights("equinox.nn.LSTMCell", TORCH_LSTM)


@pytest.mark.parametrize(
  ("kind", "cell", "message"),
  [
    ("flax.nnx.GRUCell", "gru", "cannot hold a recurrent_bias other than 0.*without a bias inside the reset"),
    ("haiku.GRU", "gru", "hold, not GRUParams. It resets before"),
    ("torch.nn.GRU", "gru_reset_before", "hold, not ResetBeforeGRUParams. It resets after"),
    ("haiku.LSTM", "lstm", "adds 1 to the forget gate at run time"),
    ("torch.nn.LSTM", "peephole_lstm", "LSTMParams hold, not PeepholeLSTMParams"),
    ("torch.nn.LSTM", "lstm_coupled", "LSTMParams hold, not CoupledLSTMParams"),
    ("torch.nn.LSTM", "lstm_1997", "LSTMParams hold, not NoForgetLSTMParams"),
  ],
)
def test_what_the_other_library_cannot_hold_is_refused(kind, cell, message, key):
  _, params, _ = random_net(cell, key)
  with pytest.raises(ValueError, match=message):
    export_weights(kind, params)


def test_a_rounded_forget_bias_is_off_by_half_a_unit_in_the_last_place(key):
  _, params, _ = random_net("lstm", key)
  back = import_weights("haiku.LSTM", export_weights("haiku.LSTM", params, exact=False), exact=False)
  np.testing.assert_allclose(back.bias, params.bias, rtol=0, atol=2.4e-7)
