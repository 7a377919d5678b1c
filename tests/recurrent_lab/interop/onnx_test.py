"""ONNX's recurrent nodes in the lab, against loops written from the text of the operators, and numbers of onnxruntime."""

import jax
import jax.numpy as jnp
import numpy as np
from onnx import TensorProto, helper, numpy_helper, parser
import pytest

from oracles.onnx.by_hand import BATCH, CASES, HIDDEN, INPUTS, STEPS, Case, drawn, model
import recurrent_lab as rl
from recurrent_lab.interop import from_onnx, one_entry, run_entry, to_onnx
from tests.support import onnx_operators

FEW = (
  "LSTM, all at once",
  "LSTM, packed parameters",
  "GRU, reset after, clip, both directions",
  "GRU, hard sigmoid",
  "RNN, Elu",
)


def states(state):
  return list(state) if isinstance(state, tuple) else [state]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("x64")
def test_an_entry_computes_what_the_operator_says(name):
  case = CASES[name]
  arrays = drawn(case, np.float64)
  y, *last = onnx_operators.run_case(case, arrays)
  entries = from_onnx(model(case, arrays))
  assert len(entries) == case.directions
  for d, entry in enumerate(entries):
    run = run_entry(entry, arrays["X"])
    np.testing.assert_allclose(run.outputs, y[:, d], rtol=1e-12, atol=1e-13)
    for ours, theirs in zip(states(run.state), last, strict=False):
      np.testing.assert_allclose(ours, theirs[d], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", FEW)
@pytest.mark.usefixtures("x64")
def test_gradients_are_those_of_the_loop(name):
  """Along random directions of the inputs and the weights, against central differences of the loop."""
  case, rng = CASES[name], np.random.default_rng(1)
  arrays = drawn(case, np.float64)
  moved = [key for key in ("X", "W", "R", "B", "P", "initial_h") if key in arrays]
  direction = {key: rng.normal(size=arrays[key].shape) for key in moved}
  at = lambda t: {**arrays, **{key: arrays[key] + t * direction[key] for key in moved}}
  entries, ahead = from_onnx(model(case, arrays)), from_onnx(model(case, at(1.0)))
  for d, (entry, other) in enumerate(zip(entries, ahead, strict=True)):
    weights = rng.normal(size=(STEPS, BATCH, HIDDEN))
    # Params and states are affine in the weights of the file, so their difference is the tangent.
    tangent = jax.tree.map(lambda a, b: b - a, (entry.params, entry.fed.state), (other.params, other.fed.state))

    def loss(params, state, xs, entry=entry, weights=weights):
      return jnp.sum(weights * run_entry(entry._replace(params=params), xs, state=state).outputs)

    _, slope = jax.jvp(
      loss, (entry.params, entry.fed.state, jnp.asarray(arrays["X"])), (*tangent, jnp.asarray(direction["X"]))
    )
    value = lambda t, d=d, weights=weights: np.sum(weights * onnx_operators.run_case(case, at(t))[0][:, d])
    np.testing.assert_allclose(slope, (value(1e-6) - value(-1e-6)) / 2e-6, rtol=1e-5)


def test_layout_1_swaps_time_and_batch():
  case = CASES["LSTM, both directions, lengths"]
  arrays = drawn(case)
  swapped = {
    key: array.swapaxes(0, 1) if key in ("X", "initial_h", "initial_c") else array for key, array in arrays.items()
  }
  one, other = from_onnx(model(case, arrays)), from_onnx(model(case, swapped, layout=1))
  for plain, first in zip(one, other, strict=True):
    assert first.fed.batch_first
    assert "layout = 1" in first.fed.notes[-1]
    run, again = run_entry(plain, arrays["X"]), run_entry(first, swapped["X"])
    np.testing.assert_array_equal(run.outputs, again.outputs.swapaxes(0, 1))
    np.testing.assert_array_equal(run.state.cell, again.state.cell)


def test_what_comes_at_run_time_is_named_and_asked_for():
  case = Case("LSTM", lengths=(5, 2, 3))
  arrays = drawn(case)
  (entry,) = from_onnx(model(case, arrays, fed=("X", "sequence_lens", "initial_h", "initial_c")))
  assert (entry.fed.lengths, entry.fed.fed_state, entry.fed.state) == (
    "sequence_lens",
    ("initial_h", "initial_c"),
    None,
  )
  with pytest.raises(ValueError, match="node gets the lengths of its sequences from sequence_lens at run time"):
    run_entry(entry, arrays["X"])
  with pytest.raises(ValueError, match="node gets its state from initial_h, initial_c at run time; give state"):
    run_entry(entry, arrays["X"], lengths=[5, 2, 3])
  given = rl.LSTMState(arrays["initial_h"][0], arrays["initial_c"][0])
  (constant,) = from_onnx(model(case, arrays))
  np.testing.assert_array_equal(
    run_entry(entry, arrays["X"], [5, 2, 3], given).outputs, run_entry(constant, arrays["X"]).outputs
  )


def test_a_sequence_of_length_0_ends_in_0_as_in_onnxruntime():
  arrays = drawn(CASES["GRU"])
  (entry,) = from_onnx(model(CASES["GRU"], arrays))
  run = run_entry(entry, arrays["X"], lengths=[0, 5, 1])
  assert not np.any(run.outputs[:, 0])
  assert not np.any(run.state[0])
  assert np.all(run.state[1] != 0)


def test_equal_nodes_share_one_cell_and_plain_ones_are_the_labs_own():
  entries = {name: from_onnx(model(case, drawn(case)))[0].cell for name, case in CASES.items()}
  assert entries["LSTM"] is rl.lstm()
  assert entries["GRU"] is rl.gru("before")
  assert entries["GRU, reset after"] is rl.gru()
  assert entries["RNN"] is rl.rnn()
  assert entries["LSTM, clip"] is from_onnx(model(CASES["LSTM, clip"], drawn(CASES["LSTM, clip"], seed=1)))[0].cell


WRAPPED = """
agraph (float[T, B, 2] X) => (float[T, D, B, 4] Y) {
  axes = Constant <value = int64[1] {0}> ()
  flat = Transpose <perm = [1, 0]> (kernel)
  W = Unsqueeze (flat, axes)
  one = Slice (stacked, start, middle, axes)
  two = Slice (stacked, middle, end, axes)
  R0 = Concat <axis = 0> (one, two)
  R = Unsqueeze (R0, axes)
  shape = Shape (X)
  batch = Gather <axis = 0> (shape, second)
  sizes = Concat <axis = 0> (ones, batch, units)
  h = Expand (learned, sizes)
  Y = RNN <hidden_size = 4> (X, W, R, , , h)
}
"""


def test_weights_that_exporters_wrap_are_folded_and_states_are_broadcast():
  rng = np.random.default_rng(0)
  kernel, stacked, learned = rng.normal(size=(2, 4)), rng.normal(size=(4, 4)), rng.normal(size=(1, 1, 4))
  graph = parser.parse_graph(WRAPPED)
  integers = {"start": [0], "middle": [2], "end": [4], "second": [1], "ones": [1], "units": [4]}
  for name, array in {"kernel": kernel, "stacked": stacked, "learned": learned}.items():
    graph.initializer.append(numpy_helper.from_array(array.astype(np.float32), name))
  for name, numbers in integers.items():
    graph.initializer.append(numpy_helper.from_array(np.array(numbers), name))
  (entry,) = from_onnx(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))
  np.testing.assert_array_equal(entry.params.input_kernel, kernel.astype(np.float32))
  np.testing.assert_array_equal(entry.params.recurrent_kernel, stacked.T.astype(np.float32))
  np.testing.assert_array_equal(entry.fed.state, learned[0, 0].astype(np.float32))
  assert run_entry(entry, np.ones((2, 5, 2), np.float32)).outputs.shape == (2, 5, 4)


def test_layers_know_what_lies_below():
  cell = rl.stack(rl.lstm(), rl.gru())
  params = cell.init(jax.random.key(0), INPUTS, HIDDEN)
  entries = from_onnx(to_onnx(cell, params))
  assert [(entry.name, entry.fed.below) for entry in entries] == [("LSTM_0", ()), ("GRU_1", ("LSTM_0",))]
  for entry, own in zip(entries, params, strict=True):
    jax.tree.map(np.testing.assert_array_equal, entry.params, jax.tree.map(np.asarray, own))


def test_a_net_of_two_directions_has_no_jacobian_product_of_its_own():
  entries = from_onnx(model(CASES["GRU, both directions, lengths"], drawn(CASES["GRU, both directions, lengths"])))
  with pytest.raises(ValueError, match="node reads in both directions; say direction='forward' or direction='reverse'"):
    one_entry(entries)
  assert one_entry(entries, direction="reverse") is entries[1] is one_entry(entries, "node", "reverse")
  with pytest.raises(ValueError, match=r"No entry fits; there are node/forward \(forward\), node/reverse \(reverse\)"):
    one_entry(entries, "other")


def test_a_recurrent_node_is_found_among_others(tmp_path):
  proto = to_onnx(rl.rnn(), rl.rnn().init(jax.random.key(0), 2, 3))
  proto.graph.node.insert(0, helper.make_node("Relu", ["raw"], ["inputs"]))
  del proto.graph.input[:]
  proto.graph.input.append(helper.make_tensor_value_info("raw", TensorProto.FLOAT, ["T", "B", 2]))
  (tmp_path / "model.onnx").write_bytes(proto.SerializeToString())
  (entry,) = from_onnx(tmp_path / "model.onnx")
  assert (entry.fed.input, entry.fed.output) == ("inputs", "Y_0")
