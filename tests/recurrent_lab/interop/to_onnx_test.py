"""The lab's cells as ONNX models, read by loops written from the text of the operators."""

import jax
import numpy as np
import onnx
import pytest

import recurrent_lab as rl
from recurrent_lab.interop import from_onnx, to_onnx
from recurrent_lab.parametric import clipped, elu, hard_sigmoid, softplus
from tests.support import onnx_operators

HARD = hard_sigmoid(0.2, 0.5)
CELLS = {
  "rnn": rl.rnn(),
  "rnn_linear": rl.rnn("identity"),
  "rnn, clip": rl.rnn(clipped("tanh", 0.5)),
  "gru": rl.gru(),
  "gru, reset before": rl.gru("before", softplus(), HARD),
  "lstm": rl.lstm(),
  "lstm, three activations": rl.lstm(elu(0.7), "gate", "softsign", HARD),
  "lstm, i = 1 - f": rl.lstm(forget="coupled"),
  "lstm, i = 1 - f, hard, clip": rl.lstm(clipped("tanh", 0.7), "coupled", gate=clipped(HARD, 0.7)),
  "lstm, f = 1 - i": rl.lstm(forget="input_coupled", gate=elu(1.0)),
  "peephole_lstm": rl.peephole_lstm(),
  "peephole_lstm, i = 1 - f": rl.peephole_lstm(forget="coupled"),
  "projected_lstm": rl.cells.projected_lstm(3),
  "stack": rl.stack(rl.lstm(), rl.gru(), rl.rnn("relu")),
}


def drawn(cell, rng, dtype=np.float64):
  shapes = jax.eval_shape(lambda key: cell.init(key, 2, 4), jax.random.key(0))
  return jax.tree.map(lambda a: np.round(rng.normal(0, 0.6, a.shape), 4).astype(dtype), shapes)


def written(value):
  """The value of an attribute as it was written, before the file rounded it to float32."""
  if isinstance(value, list):
    return [written(one) for one in value]
  return (
    value.decode() if isinstance(value, bytes) else float(str(np.float32(value))) if isinstance(value, float) else value
  )


def computed(proto, xs):
  """Runs the model: recurrent nodes by the loops, what lies between them by NumPy."""
  held = {one.name: onnx.numpy_helper.to_array(one) for one in proto.graph.initializer} | {"inputs": xs}
  for node in proto.graph.node:
    if node.op_type == "Squeeze":
      held[node.output[0]] = held[node.input[0]].squeeze(int(held[node.input[1]][0]))
    elif node.op_type == "MatMul":
      held[node.output[0]] = held[node.input[0]] @ held[node.input[1]]
    else:
      values = {one.name: written(onnx.helper.get_attribute_value(one)) for one in node.attribute}
      values.pop("hidden_size")
      p = {"p": held[node.input[7]]} if len(node.input) > 7 else {}
      found = onnx_operators.run(
        node.op_type, *(held[name] for name in node.input[:3]), b=held[node.input[3]], **p, **values
      )
      held |= dict(zip(node.output, found, strict=False))
  return {one.name: held[one.name] for one in proto.graph.output}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.usefixtures("x64")
def test_the_model_computes_the_cell(name, rng):
  cell = CELLS[name]
  params, xs = drawn(cell, rng), rng.normal(size=(5, 3, 2))
  found = computed(to_onnx(cell, params), xs)
  state, outputs = rl.unroll(cell, params, xs)
  np.testing.assert_allclose(found.pop("outputs"), outputs, rtol=1e-12, atol=1e-13)
  for ours, theirs in zip(jax.tree.leaves(state), found.values(), strict=True):
    np.testing.assert_allclose(theirs, ours, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
  "name", [name for name in CELLS if "i = 1 - f" not in name and name not in ("projected_lstm", "stack")]
)
def test_a_model_that_is_read_again_is_the_same_cell_and_numbers(name, rng, tmp_path):
  cell, params = CELLS[name], drawn(CELLS[name], rng, np.float32)
  proto = to_onnx(cell, params, tmp_path / "model.onnx")
  (entry,) = from_onnx(tmp_path / "model.onnx")
  assert entry == from_onnx(proto)[0]._replace(params=entry.params)
  jax.tree.map(np.testing.assert_array_equal, entry.params, params)
  if name != "rnn_linear":  # the identity is Affine in ONNX
    assert entry.cell is cell


@pytest.mark.parametrize(
  ("cell", "sentence"),
  [
    (rl.lstm(forget="none"), r"ONNX's LSTM always has a forget gate"),
    (rl.lstm(forget="coupled", gate="relu"), r"ONNX couples f = 1 - i; i = 1 - f is the same for sigmoid gates"),
    (rl.rnn("hard_tanh"), r"ONNX has no activation that computes hard_tanh"),
    (rl.lstm(gate=clipped("sigmoid", 1.0)), r"ONNX clips all gates of LSTM and its candidate at one limit"),
    (rl.indrnn(), r"ONNX has no operator for indrnn; rnn, gru, lstm, peephole_lstm"),
    (rl.cells.mgu, r"ONNX has no operator for this cell"),
    (rl.learned_state(rl.rnn()), r"Cells under dropout, a learned state or a readout are not written"),
  ],
)
def test_cells_that_onnx_does_not_compute_are_refused(cell, sentence, tmp_path):
  params = cell.init(jax.random.key(0), 2, 3)
  with pytest.raises(ValueError, match=sentence):
    to_onnx(cell, params, tmp_path / "model.onnx")
  assert not list(tmp_path.iterdir())


def test_params_of_another_cell_of_many_nets_or_of_mixed_precision_are_refused():
  params = rl.rnn().init(jax.random.key(0), 2, 3)
  with pytest.raises(ValueError, match="The params are RNNParams; this cell takes LSTMParams"):
    to_onnx(rl.lstm(), params)
  with pytest.raises(ValueError, match="The params have dtype float16, float32; they need one of"):
    to_onnx(rl.rnn(), params._replace(bias=params.bias.astype(np.float16)))
  with pytest.raises(ValueError, match="to_onnx takes the params of one net"):
    to_onnx(rl.rnn(), jax.tree.map(lambda a: a[None], params))
  with pytest.raises(ValueError, match="The shapes of the params do not fit each other"):
    to_onnx(rl.rnn(), params._replace(recurrent_kernel=np.zeros((4, 3), np.float32)))
