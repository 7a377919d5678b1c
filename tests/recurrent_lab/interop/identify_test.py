"""`identify` finds the order of the gates and the variant of random nets and of real packages, and says where it cannot."""

from itertools import permutations

import numpy as np
import pytest

from oracles.layouts.record import GOLDEN, load
import recurrent_lab as rl
from recurrent_lab.interop import identify, import_weights
from tests.nets import by_default

INPUTS, HIDDEN, STEPS = 3, 5, 9
# Habits: interleaved gates, 1 added to f, arrays by gate and by turns, 4 biases, 2 rows of biases, no forget gate.
HABITS = (
  "chainer.links.LSTM",
  "brainstate.nn.LSTMCell",
  "dynet.GRUBuilder",
  "flax.linen.GRUCell",
  "ncnn.GRU",
  "keras.layers.GRUCell",
  "onnx.LSTM",
  "torchrecurrent.OriginalLSTMCell",
)
# Peepholes and heads are not tried. rnn-jax has its arrays in two orders, which names alone can tell.
NOT_TRIED = ("onnx.LSTM-P", "tensorflow.raw_ops.BlockLSTM-use_peephole=True", "torchrecurrent.PeepholeLSTMCell")
NOT_TRIED += ("xlstm.sLSTMLayer", "xlstm.sLSTMLayer-with-2-heads", "rnn_jax.cells.LongShortTermMemoryCell")
TRIED = [path.stem for path in sorted(GOLDEN.glob("*.json")) if path.stem not in NOT_TRIED]


def sigmoid(a):
  return 1 / (1 + np.exp(-a))


def hard_sigmoid(a):
  return np.clip(0.2 * a + 0.5, 0, 1)


def lstm_step(a, h, c, gate=sigmoid, shift=0.0):
  c = gate(a["f"] + shift) * c + gate(a["i"]) * np.tanh(a["g"])
  return gate(a["o"]) * np.tanh(c), c


def drawn(rng, order, steps=STEPS):
  """Kernels and biases by gate, and inputs."""
  draw = lambda *shape: rng.normal(0.1, 0.5, shape)
  weights = {gate: (draw(INPUTS, HIDDEN), draw(HIDDEN, HIDDEN), draw(HIDDEN), draw(HIDDEN)) for gate in order}
  return weights, rng.normal(size=(steps, INPUTS))


def lstm(weights, xs, **options):
  h = c = np.zeros(HIDDEN)
  outputs = []
  for x in xs:
    h, c = lstm_step({gate: x @ w + h @ u + b + d for gate, (w, u, b, d) in weights.items()}, h, c, **options)
    outputs.append(h)
  return np.array(outputs)


def gru(weights, xs, reset, writes):
  h = np.zeros(HIDDEN)
  outputs = []
  for x in xs:
    r, z = (sigmoid(x @ w + h @ u + b + d) for w, u, b, d in (weights["r"], weights["z"]))
    w, u, b, d = weights["n"]
    n = np.tanh(x @ w + b + (r * (h @ u + d) if reset == "after" else (r * h) @ u + d))
    keep = 1 - z if writes else z
    h = keep * h + (1 - keep) * n
    outputs.append(h)
  return np.array(outputs)


def packed(weights, order, interleaved, transposed):
  """The arrays of a library with that order, with two biases in one array."""
  join = lambda k: np.stack([weights[gate][k] for gate in order], axis=-1 if interleaved else -2)
  flat = lambda blocks: blocks.reshape(*blocks.shape[:-2], -1)
  arrays = {"α": flat(join(0)), "β": flat(join(1)), "γ": np.stack([flat(join(2)), flat(join(3))])}
  return {name: array.T if transposed and name != "γ" else array for name, array in arrays.items()}


def check(found, xs, outputs):
  assert found.verdict == "match", str(found)
  assert found.next.error > 1e3 * found.tolerance
  params = type(found.params)(*(array.astype(np.float32) for array in found.params))
  np.testing.assert_allclose(rl.unroll(found.cell, params, xs.astype(np.float32))[1], outputs, rtol=0, atol=2e-6)


@pytest.mark.parametrize("number", range(24))
def test_every_order_of_an_lstm(number, rng):
  order = list(permutations("ifgo"))[number]
  weights, xs = drawn(rng, order)
  interleaved, transposed, shift = number % 2 == 1, number // 2 % 2 == 1, number // 4 % 2
  found = identify(packed(weights, order, interleaved, transposed), xs, outputs := lstm(weights, xs, shift=shift))
  assert (found.best.name, found.verdict) == ("lstm", "match"), str(found)
  assert ("1 added to f" in str(found)) == bool(shift)
  assert ("interleaved" in str(found)) == interleaved
  if number in (0, 23):
    check(found, xs, outputs)


@pytest.mark.parametrize("reset", ["before", "after"])
@pytest.mark.parametrize("number", range(6))
def test_every_order_of_a_gru(number, reset, rng):
  order = list(permutations("rzn"))[number]
  weights, xs = drawn(rng, order)
  writes = number % 2 == 1
  outputs = gru(weights, xs, reset, writes)
  found = identify(packed(weights, order, False, number % 3 == 0), xs, outputs)
  assert found.verdict == "match", str(found)
  assert f"reset {reset} the product, z {'writes' if writes else 'keeps'}" in str(found)
  if number < 2:
    check(found, xs, outputs)


@pytest.mark.parametrize("name", by_default(HABITS, TRIED))
def test_packages_are_found_without_their_names(name):
  golden = load(GOLDEN / f"{name}.json")
  arrays = {f"array {j}": array for j, array in enumerate(golden["arrays"].values())}
  found = identify(arrays, golden["xs"], golden["outputs"])
  assert found.verdict == "match", str(found)
  expected = import_weights(golden["kind"], golden["arrays"], exact=False)
  for ours, theirs in zip(found.params, expected, strict=True):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=3e-7)
  if len(arrays) <= 4:
    assert golden["kind"] in found.tables


def test_names_of_a_table_tell_arrays_in_an_odd_order():
  golden = load(GOLDEN / "rnn_jax.cells.LongShortTermMemoryCell.json")
  found = identify(golden["arrays"], golden["xs"], golden["outputs"])
  assert found.tables == ("rnn_jax.cells.LongShortTermMemoryCell",)
  assert "as rnn_jax.cells.LongShortTermMemoryCell by name" in str(found)


def test_a_batch_may_come_first_and_a_layer_run_backwards(rng):
  weights, xs = drawn(rng, "ifgo", steps=7)
  batch = np.stack([xs, 2 * xs, -xs])
  outputs = np.stack([lstm(weights, sequence[::-1])[::-1] for sequence in batch])
  found = identify(packed(weights, "ifgo", False, True), batch, outputs)
  assert found.verdict == "match"
  assert "batch first, backwards" in str(found)


def test_hard_sigmoids_are_found_with_a_cell_that_has_them(rng):
  weights, xs = drawn(rng, "ifgo")
  found = identify(packed(weights, "ifgo", False, True), 2 * xs, outputs := lstm(weights, 2 * xs, gate=hard_sigmoid))
  assert "hard sigmoid of slope 1/5" in str(found)
  assert found.best.name is None
  check(found, 2 * xs, outputs)


def test_a_function_that_the_lab_has_no_cell_for_is_said(rng):
  """A minimal gated unit that resets after the product."""
  weights, xs = drawn(rng, "fn")
  h, outputs = np.zeros(HIDDEN), []
  for x in xs:
    (w, u, b, _), (w_n, u_n, b_n, _) = weights["f"], weights["n"]
    f = sigmoid(x @ w + h @ u + b)
    h = (1 - f) * h + f * np.tanh(x @ w_n + b_n + f * (h @ u_n))
    outputs.append(h)
  arrays = {f"{gate}{j}": array for gate, all_ in weights.items() for j, array in enumerate(all_[:3])}
  found = identify(arrays, xs, np.array(outputs))
  assert (found.verdict, found.best.cell) == ("match", None), str(found)
  with pytest.raises(ValueError, match=r"no cell for a minimal gated unit, gates f n, reset after the product"):
    found.cell  # noqa: B018


def test_a_cell_that_matches_nothing_is_no_match(rng):
  """Outputs of a leaky net: none of the functions that are tried."""
  weights, xs = drawn(rng, "n")
  (w, u, b, _), h, outputs = weights["n"], np.zeros(HIDDEN), []
  for x in xs:
    h = 0.7 * h + 0.3 * np.tanh(x @ w + h @ u + b)
    outputs.append(h)
  found = identify({"w": w, "u": u, "b": b}, xs, np.array(outputs))
  assert found.verdict == "no match"
  assert found.best.error > 1e3 * found.tolerance
  assert str(found).startswith("No match. The best is Elman network")
  with pytest.raises(ValueError, match="No match"):
    found.params  # noqa: B018


@pytest.mark.parametrize("steps", [1, STEPS])
def test_one_step_does_not_show_the_forget_gate(steps, rng):
  weights, xs = drawn(rng, "ifgo", steps)
  found = identify(packed(weights, "ifgo", False, True), xs, lstm(weights, xs))
  assert found.verdict == ("ambiguous" if steps == 1 else "match")
  if steps == 1:
    assert "1 added to f" in str(found)
    assert "may tell them apart" in str(found)


def test_two_candidates_that_agree_are_ambiguous(rng):
  """As long as no pre-activation is negative, relu and the identity are one function."""
  w, u, xs = (np.abs(rng.normal(0, 0.3, shape)) for shape in ((INPUTS, HIDDEN), (HIDDEN, HIDDEN), (STEPS, INPUTS)))
  h, outputs = np.zeros(HIDDEN), []
  for x in xs:
    h = x @ w + h @ u
    outputs.append(h)
  found = identify({"w": w, "u": u}, xs, np.array(outputs))
  assert found.verdict == "ambiguous"
  assert {match.name for match in found.matches} >= {"rnn_relu", "rnn_linear"}


def test_biases_of_0_do_not_make_two_functions(rng):
  """Two biases of 0 are the same inside and outside the reset."""
  weights, xs = drawn(rng, "rzn")
  weights = {gate: (w, u, 0 * b, 0 * d) for gate, (w, u, b, d) in weights.items()}
  found = identify(packed(weights, "rzn", False, True), xs, gru(weights, xs, "after", False))
  assert found.verdict == "match"


@pytest.mark.parametrize(
  ("arrays", "xs", "outputs", "message"),
  [
    ({}, np.ones((4, 3)), np.ones((4, 5)), "arrays is empty"),
    ({"w": np.ones((3, 5))}, np.ones((4, 3)), np.ones((5, 5)), r"given are \(4, 3\) and \(5, 5\)"),
    ({"w": np.full((3, 5), np.nan)}, np.ones((4, 3)), np.ones((4, 5)), "w must hold finite"),
    (
      {"w": np.ones((3, 5), int)},
      np.ones((4, 3)),
      np.ones((4, 5)),
      "w must hold finite floating numbers; its dtype is int64",
    ),
  ],
)
def test_what_is_no_run_is_refused(arrays, xs, outputs, message):
  with pytest.raises(ValueError, match=message):
    identify(arrays, xs, outputs)
  if message == "arrays is empty":
    with pytest.raises(ValueError, match="tolerance is 0; it must be a positive number"):
      identify({"w": np.ones((3, 5))}, xs, outputs, tolerance=0)


def test_arrays_that_fit_no_layer_are_no_match():
  found = identify({"w": np.ones((3, 7))}, np.ones((4, 3)), np.ones((4, 5)))
  assert (found.verdict, found.best) == ("no match", None)
  assert "fit no layer" in str(found)
