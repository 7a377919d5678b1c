"""Hostile models, and nodes that the lab cannot compute: one sentence each, and nothing half-imported."""

from pathlib import Path

import jax
import numpy as np
from onnx import AttributeProto, helper, numpy_helper
import pytest

from oracles.onnx.by_hand import Case, drawn, model
import recurrent_lab as rl
from recurrent_lab.interop import from_onnx, run_entry, to_onnx
from tests.support.onnx_models import PLAIN, plain, refused


def doubling(levels):
  """A small file whose weights have 2^levels times as many numbers as it holds."""
  proto = plain()
  below = "W"
  for k in range(levels):
    proto.graph.node.insert(k, helper.make_node("Concat", [below, below], [f"twice_{k}"], axis=0))
    below = f"twice_{k}"
  proto.graph.node[-1].input[1] = below
  return proto


def filled():
  proto = plain()
  proto.graph.initializer.append(numpy_helper.from_array(np.array([1, 16, 2**40]), "sizes"))
  proto.graph.node.insert(0, helper.make_node("ConstantOfShape", ["sizes"], ["huge"]))
  proto.graph.node[-1].input[1] = "huge"
  return proto


def circular():
  proto = plain()
  proto.graph.node.insert(0, helper.make_node("Identity", ["two"], ["one"]))
  proto.graph.node.insert(0, helper.make_node("Identity", ["one"], ["two"]))
  proto.graph.node[-1].input[1] = "one"
  return proto


def with_tensor(change):
  proto = plain()
  change(next(tensor for tensor in proto.graph.initializer if tensor.name == "R"))
  return proto


def with_attribute(**attribute):
  proto = plain()
  proto.graph.node[0].attribute.append(AttributeProto(**attribute))
  return proto


def with_weights(**arrays):
  return model(PLAIN, drawn(PLAIN) | arrays)


def inside():
  proto = plain()
  node = proto.graph.node.pop()
  body = helper.make_graph([node], "body", [], [])
  proto.graph.node.append(helper.make_node("If", ["X"], ["Y"], name="branch", then_branch=body, else_branch=body))
  return proto


def in_function():
  proto = plain()
  node = proto.graph.node.pop()
  proto.functions.append(helper.make_function("own", "block", ["X"], ["Y"], [node], [helper.make_opsetid("", 17)]))
  proto.graph.node.append(helper.make_node("block", ["X"], ["Y"], domain="own"))
  return proto


def quantized():
  proto = plain()
  proto.graph.node[0].domain, proto.graph.node[0].op_type = "com.microsoft", "DynamicQuantizeLSTM"
  return proto


def without_input(position):
  proto = plain()
  proto.graph.node[0].input[position] = ""
  return proto


F16 = drawn(PLAIN, np.float16)
HOSTILE = {
  "doubling": (lambda: doubling(60), r"The constants of the model take more than max_bytes = 2147483648"),
  "a huge constant": (filled, r"The constants of the model take more than max_bytes"),
  "a circle": (circular, r"The tensor \w+ depends on itself"),
  "a negative shape": (
    lambda: with_tensor(lambda t: t.dims.__setitem__(0, -1)),
    r"R has the impossible shape \(-1, 16, 4\)",
  ),
  "a shape of more": (
    lambda: with_tensor(lambda t: t.dims.__setitem__(0, 2**50)),
    r"needs \d+ numbers; the file has 64",
  ),
  "an unknown type": (
    lambda: with_tensor(lambda t: setattr(t, "data_type", 99)),
    r"R has the type 99; those read are FLOAT",
  ),
  "strings": (lambda: with_tensor(lambda t: setattr(t, "data_type", 8)), r"R has the type 8"),
  "other data": (
    lambda: with_tensor(lambda t: setattr(t, "data_location", 1)),
    r"lies in the file ''; give the path|only a plain file",
  ),
  "mixed precision": (
    lambda: with_weights(R=F16["R"]),
    r"node has weights of dtype float16, float32; they need one floating",
  ),
  "mixed states": (
    lambda: with_weights(initial_c=F16["initial_c"]),
    r"initial_c has dtype float16; the weights have float32",
  ),
  "integers": (
    lambda: with_weights(**{k: np.ones_like(drawn(PLAIN)[k], np.int32) for k in "WRB"}),
    r"dtype int32; they need one",
  ),
  "another shape": (
    lambda: with_weights(R=np.ones((1, 16, 5), np.float32)),
    r"node: W has shape|node: R has shape \(1, 16, 5\)",
  ),
  "another state": (
    lambda: with_weights(initial_h=np.ones((1, 3, 5), np.float32)),
    r"initial_h has shape \(1, 3, 5\); it must be",
  ),
  "hidden_size": (lambda: plain(hidden_size=7), r"node has hidden_size = 7, and weights of 4 units"),
  "custom activation": (
    lambda: plain(activations=["Sigmoid", "Mish", "Tanh"]),
    r"node has the activation 'Mish'; the lab knows Relu",
  ),
  "two activations": (lambda: plain(activations=["Sigmoid", "Tanh"]), r"node has 2 activations; a forward LSTM has 3"),
  "no alpha": (
    lambda: plain(activations=["Sigmoid", "Affine", "Tanh"]),
    r"node has Affine without an alpha or a beta, on whose",
  ),
  "nan": (lambda: plain(activations=["Sigmoid", "Elu", "Tanh"], activation_alpha=[np.nan]), r"alpha is nan"),
  "clip": (lambda: plain(clip=-1.0), r"node has clip = -1.0; it must be above 0"),
  "clip of another type": (lambda: plain(clip=1), r"attribute clip of another type than FLOAT"),
  "direction": (
    lambda: plain(direction="backwards"),
    r"node has the direction 'backwards'; choose one of forward, reverse",
  ),
  "layout": (lambda: plain(layout=2), r"node has layout = 2; it must be 0 or 1"),
  "another attribute": (
    lambda: with_attribute(name="output_sequence", type=2, i=1),
    r"node has the attribute 'output_sequence'",
  ),
  "inside a branch": (inside, r"The If node 'branch' has recurrent nodes inside"),
  "inside a function": (in_function, r"The function block has recurrent nodes; onnx.inliner.inline_local_functions"),
  "quantized": (quantized, r"The operator com.microsoft.DynamicQuantizeLSTM does not belong to ONNX"),
  "no weights": (lambda: without_input(1), r"node has no input W"),
  "an old operator set": (
    lambda: plain(opset=6),
    r"model.onnx has operator set 6; recurrent operators are read from 7 on",
  ),
  "weights at run time": (
    lambda: model(PLAIN, drawn(PLAIN), fed=("X", "W")),
    r"the weights W are not constant, because W is fed",
  ),
  "negative lengths": (
    lambda: with_weights(sequence_lens=np.array([-1, 2, 3], np.int32)),
    r"sequence_lens is not a vector of lengths",
  ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_cannot_be_imported_is_refused_in_one_sentence(kind, tmp_path):
  make, sentence = HOSTILE[kind]
  refused(make(), sentence, tmp_path)


def test_a_model_without_recurrent_nodes_says_what_it_has(tmp_path):
  proto = plain()
  proto.graph.node[0].CopyFrom(helper.make_node("Gemm", ["X", "W"], ["Y"]))
  refused(proto, "The model has no LSTM, GRU or RNN node; it has Gemm[.] A layer", tmp_path)
  with pytest.raises(ValueError, match=r"from_onnx takes the path of a file or an onnx\.ModelProto, not dict"):
    from_onnx({})


def test_inputs_and_lengths_of_other_shapes_are_refused():
  (entry,) = from_onnx(plain())
  with pytest.raises(ValueError, match=r"xs has shape \(5, 2\); the node node takes three axes"):
    run_entry(entry, np.ones((5, 2), np.float32))
  with pytest.raises(ValueError, match=r"The lengths are \[1, 9, 2\]; 3 numbers from 0 to 5 are needed"):
    run_entry(entry, np.ones((5, 3, 2), np.float32), lengths=[1, 9, 2])


def test_an_alpha_that_runtimes_disagree_on_is_noted():
  case = Case("RNN", {"activations": ["ThresholdedRelu"]})
  (entry,) = from_onnx(model(case, drawn(case)))
  assert entry.fed.notes == (
    "ThresholdedRelu has no alpha: onnxruntime takes 0, which is used here, and the text of its operator says 1",
  )
  case = Case("RNN", {"activations": ["Tanh"], "activation_alpha": [3.0]})
  (entry,) = from_onnx(model(case, drawn(case)))
  assert entry.fed.notes[0].startswith("more alphas or betas than activations")
  assert entry.cell is rl.rnn()


def test_nothing_is_written_where_writing_fails(tmp_path):
  with pytest.raises(FileNotFoundError):
    to_onnx(rl.rnn(), rl.rnn().init(jax.random.key(0), 2, 3), Path(tmp_path / "none" / "model.onnx"))
