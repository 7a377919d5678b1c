"""The nodes of an ONNX model are one net if they read each other's outputs, and are refused by name if not."""

import jax
import numpy as np
import onnx
import pytest

from oracles.onnx.by_hand import CASES, drawn, model
import recurrent_lab as rl
from recurrent_lab.interop import BidirectionalModel, import_model, to_onnx


@pytest.fixture
def written(tmp_path):
  """Writes a model and returns its path."""

  def write(proto):
    path = tmp_path / "net.onnx"
    path.write_bytes(proto.SerializeToString())
    return path

  return write


def stacked(*cells):
  net = rl.stack(*cells)
  shapes, rng = jax.eval_shape(lambda key: net.init(key, 3, 4), jax.random.key(0)), np.random.default_rng(0)
  params = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(np.float32), shapes)
  return net, params, to_onnx(net, params)


def inserted(proto, op, **attributes):
  """The model with an operator between its two recurrent nodes."""
  above = [node for node in proto.graph.node if node.op_type == "GRU"][-1]
  node = onnx.helper.make_node(op, [above.input[0]], ["between"], **attributes)
  proto.graph.node.insert(list(proto.graph.node).index(above), node)
  above.input[0] = "between"
  return proto


def with_readouts(proto, count, width=4):
  """The model with dense layers on its outputs."""
  for k in range(count):
    kernel = onnx.numpy_helper.from_array(np.full((width, 2), 0.5 + k, np.float32), f"kernel_{k}")
    bias = onnx.numpy_helper.from_array(np.full(2, 0.1, np.float32), f"shift_{k}")
    proto.graph.initializer.extend([kernel, bias])
    proto.graph.node.extend(
      [
        onnx.helper.make_node("MatMul", ["outputs", f"kernel_{k}"], [f"product_{k}"], f"head_{k}"),
        onnx.helper.make_node("Add", [f"shift_{k}", f"product_{k}"], [f"sum_{k}"]),
        onnx.helper.make_node("Softmax", [f"sum_{k}"], [f"shares_{k}"], axis=-1),
      ]
    )
  return proto


def test_a_stack_comes_back_as_it_went(written):
  net, params, proto = stacked(rl.lstm(), rl.gru())
  back = import_model(written(proto))
  assert back.cell is net
  jax.tree.map(np.testing.assert_array_equal, back.params, params)
  assert [layer.kind for layer in back.layers] == ["onnx.LSTM", "onnx.GRU"]


def test_operators_on_shapes_may_stand_between_and_others_may_not(written):
  proto = stacked(rl.gru(), rl.gru())[2]
  assert len(import_model(written(inserted(proto, "Identity"))).layers) == 2
  proto = stacked(rl.gru(), rl.gru())[2]
  with pytest.raises(ValueError, match="A Relu operator stands between GRU_0 and GRU_1, which a stack cannot hold"):
    import_model(written(inserted(proto, "Relu")))


def test_a_dense_layer_on_top_is_the_readout(written):
  found = import_model(written(with_readouts(stacked(rl.gru(), rl.gru())[2], 1)))
  assert (found.readout.name, found.readout.activation) == ("head_0", "softmax")
  np.testing.assert_allclose(found.readout.params.bias, 0.1)
  several = written(with_readouts(stacked(rl.gru(), rl.gru())[2], 2))
  assert "readout='head_0' or readout='head_1'" in import_model(several).notes[0]
  assert import_model(several, readout="head_1").readout.params.kernel[0, 0] == 1.5
  with pytest.raises(ValueError, match="readout is 'other'; the dense layers on top are head_0, head_1"):
    import_model(several, readout="other")


@pytest.mark.parametrize("name", ["LSTM, reverse, lengths", "GRU, both directions, lengths", "RNN, no bias, no state"])
def test_directions_states_and_lengths_are_told(name, written):
  case = CASES[name]
  path = written(model(case, drawn(case)))
  if case.state:
    with pytest.raises(ValueError, match="has an initial state for every member of a batch; from_onnx"):
      import_model(path)
    path = written(model(case._replace(state=False), drawn(case._replace(state=False))))
  found = import_model(path)
  assert isinstance(found, BidirectionalModel) == (case.directions == 2)
  assert any("sequences have lengths" in note for note in found.notes) == (case.lengths is not None)
  if "reverse" in name:
    assert found.backwards


def test_options_that_do_not_fit_are_refused(written):
  path = written(stacked(rl.gru(), rl.gru())[2])
  assert import_model(path, layers=["GRU_1"]).left_out == ("GRU_0",)
  with pytest.raises(ValueError, match="GRU_0 does not read GRU_1 alone"):
    import_model(path, layers=["GRU_1", "GRU_0"])
  with pytest.raises(ValueError, match="layers names 'LSTM'; the recurrent nodes are GRU_0, GRU_1"):
    import_model(path, layers=["LSTM"])
  with pytest.raises(ValueError, match="says which nonlinearities it has"):
    import_model(path, activation="relu")
  (path.parent / "other.onnx").write_bytes(b"\x89HDF\r\n\x1a\n")
  with pytest.raises(ValueError, match=r"other.onnx is not an ONNX model; it begins like an HDF5 file"):
    import_model(path.parent / "other.onnx")
