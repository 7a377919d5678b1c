"""Layers are found by their names, in the order of their numbers, with the readout above them; what is left out is said."""

from collections import OrderedDict
import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from oracles.layouts.record import GOLDEN as ONE_CELL
from oracles.layouts.record import load
import recurrent_lab as rl
from recurrent_lab.interop import BidirectionalModel, import_model, import_weights
from recurrent_lab.interop.modules.trees import KINDS
from tests.recurrent_lab.interop import loops

PADDLE = {"paddle.nn.LSTM": "torch.nn.LSTM", "paddle.nn.GRU": "torch.nn.GRU", "paddle.nn.SimpleRNN": "torch.nn.RNN"}


def linear(name, outputs, inputs, bias=True):
  """The arrays of a linear layer of torch."""
  arrays = {f"{name}.weight": np.full((outputs, inputs), 0.5, np.float32)}
  return arrays | ({f"{name}.bias": np.ones(outputs, np.float32)} if bias else {})


def drawn(kind="LSTM", **options):
  return loops.drawn(kind, np.random.default_rng(0), dtype=np.float32, **options)


def names(model):
  return [layer.name for layer in model.layers]


@pytest.mark.parametrize("prefix", ["", "rnn.", "encoder.rnn.", "module.", "_orig_mod.model.0.", "state_dict/net."])
def test_prefixes_do_not_matter(prefix):
  bare = import_model(drawn(layers=2))
  model = import_model(drawn(layers=2, prefix=prefix))
  assert names(model) == [f"{prefix.rstrip('.') or 'the net'} layer {layer}" for layer in (0, 1)]
  jax.tree.map(np.testing.assert_array_equal, model.params, bare.params)
  assert model.cell is bare.cell


def test_dicts_may_be_nested_ordered_and_hold_more_than_arrays():
  arrays = drawn(prefix="rnn.")
  tree = {"state": OrderedDict(arrays), "epoch": 3, "name": "best", "optimizer": None, "steps": np.arange(3)}
  model = import_model(tree)
  assert names(model) == ["state/rnn"]
  assert model.left_out == ("steps",)


def test_one_layer_is_its_cell_and_several_are_a_stack():
  assert type(import_model(drawn()).params).__name__ == "LSTMParams"
  assert len(import_model(drawn(layers=3)).params) == 3
  assert type(import_model({**drawn(prefix="rnn."), **linear("fc", 2, 4)}).params).__name__ == "WithReadoutParams"


def test_a_linear_layer_of_the_right_width_is_the_readout():
  arrays = {
    **drawn(prefix="rnn."),
    **linear("fc", 2, 4),
    **linear("input", 3, 7),
    "norm.weight": np.ones(4, np.float32),
  }
  model = import_model(arrays)
  assert model.readout.name == "fc"
  np.testing.assert_array_equal(model.readout.params.kernel, np.full((4, 2), 0.5))
  assert set(model.left_out) == {"input", "norm"}
  assert import_model(arrays, readout=False).readout is None


@pytest.mark.parametrize(
  ("more", "said"),
  [
    (
      {**linear("actor", 2, 4), **linear("critic", 1, 4)},
      "2 dense layers have the width.*readout='actor' or readout='critic'",
    ),
    ({**linear("fc1", 8, 4), **linear("fc2", 2, 8)}, "fc1 may feed fc2; choose readout='fc1'"),
    (linear("table", 9, 4, bias=False), "table has no bias and may be an embedding; choose readout='table'"),
  ],
)
def test_a_readout_that_is_not_sure_is_left_out_and_said(more, said):
  square = {name: array if "weight_ih" not in name else np.ones((16, 4), np.float32) for name, array in drawn().items()}
  model = import_model({**square, **more})
  assert model.readout is None
  assert re.search(said, model.notes[0])
  chosen = next(iter(more)).rpartition(".")[0]
  assert import_model({**square, **more}, readout=chosen).readout.name == chosen


def test_a_readout_of_another_name_or_width_is_refused():
  arrays = {**drawn(prefix="rnn."), **linear("fc", 2, 5)}
  with pytest.raises(ValueError, match="readout is 'head'; the dense layers are fc"):
    import_model(arrays, readout="head")
  with pytest.raises(ValueError, match="fc takes 5 numbers, but the layer below it puts out 4"):
    import_model(arrays, readout="fc")


def cells(*sizes, name="cells.{}"):
  """The arrays of LSTM cells, each of which takes the outputs of the one below."""
  arrays = {}
  for i, (inputs, units) in enumerate(itertools.pairwise(sizes)):
    shapes = {"weight_ih": (4 * units, inputs), "weight_hh": (4 * units, units)}
    arrays |= {f"{name.format(i)}.{leaf}": np.ones(shape, np.float32) for leaf, shape in shapes.items()}
  return arrays


def test_layers_are_stacked_by_their_numbers():
  assert names(import_model(cells(*range(2, 14)))) == [f"cells.{i}" for i in range(11)]
  first = {name.replace("lstm_0", "lstm"): array for name, array in cells(3, 4, 5, name="lstm_{}").items()}
  assert names(import_model(first)) == ["lstm", "lstm_1"]


def test_layers_are_chosen_by_name():
  arrays = {**drawn(prefix="encoder."), **cells(4, 4, name="decoder")}
  model = import_model(arrays, layers=["encoder", "decoder"])
  assert names(model) == ["encoder", "decoder"]
  for one in ("decoder", ["decoder"]):
    assert import_model(arrays, layers=one).left_out == ("encoder",)
  for wrong in (["decoder", "other"], ["encoder", "encoder"], [], [("encoder", "decoder", "encoder")]):
    with pytest.raises(ValueError, match=r"the recurrent modules are|every recurrent module once|a pair \(forward"):
      import_model(arrays, layers=wrong)


def test_two_cells_of_the_same_inputs_are_a_pair_if_the_caller_says_so():
  arrays = {**cells(3, 5, name="net_0"), **cells(3, 5, name="net_1")}
  with pytest.raises(ValueError, match=r"As two directions of one layer, give layers=\[\('net_0', 'net_1'\)\]"):
    import_model(arrays)
  model = import_model(arrays, layers=[("net_0", "net_1")])
  assert isinstance(model, BidirectionalModel)
  assert model.layers[0].output_size == 10


def test_the_only_order_that_fits_is_offered():
  arrays = {**cells(4, 5, name="net_0"), **cells(3, 4, name="net_1")}
  with pytest.raises(ValueError, match=r"They fit in one order: layers=\['net_1', 'net_0'\]"):
    import_model(arrays)


def test_a_model_says_what_it_is():
  model = import_model({**drawn("RNN", prefix="rnn."), **linear("fc", 2, 4), **linear("input", 3, 7)})
  assert str(model).splitlines() == [
    "rnn: torch.nn.RNN, 3 → 4",
    "fc: readout, 4 → 2, identity",
    "left out: input",
    "The arrays do not hold the nonlinearity of rnn: the default of its library is taken.",
  ]
  pair = import_model(drawn("GRU", ways=2))
  assert str(pair).splitlines() == [
    "the net layer 0: torch.nn.GRU, 3 → 4",
    "the net layer 0_reverse: torch.nn.GRU, 3 → 4 backwards",
  ]


def test_the_nonlinearity_of_a_simple_layer_can_be_given():
  arrays = drawn("RNN")
  assert import_model(arrays, activation="relu").cell is rl.get_cell("rnn_relu")
  assert import_model(arrays).cell is rl.get_cell("rnn")
  with pytest.raises(ValueError, match="Activation 'sine' is unknown"):
    import_model(arrays, activation="sine")
  with pytest.raises(ValueError, match="no simple recurrent layer"):
    import_model(drawn("LSTM"), activation="relu")


def test_numbers_that_are_not_finite_are_said():
  arrays = drawn(layers=2)
  assert not import_model(arrays).notes
  arrays["bias_hh_l1"][3] = np.nan
  assert import_model(arrays).notes == ("The arrays of the net layer 1 hold numbers that are not finite.",)


def test_arrays_of_float64_are_rounded_and_it_is_said():
  assert "float64; JAX rounds them to float32" in import_model(loops.drawn("GRU", np.random.default_rng(0))).notes[0]


def keras_arrays(cell, *bias):
  """The arrays of a layer of Keras by their paths, as `{v.path: v.numpy() for v in model.weights}` has them."""
  blocks = {"lstm": 4, "gru": 3, "simple_rnn": 1}[cell]
  shapes = {"kernel": (3, 5 * blocks), "recurrent_kernel": (5, 5 * blocks), **({"bias": bias} if bias else {})}
  return {f"net/{cell}/{cell}_cell/{name}": np.ones(shape, np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize(
  ("arrays", "kind"),
  [
    (keras_arrays("lstm", 20), "keras.layers.LSTMCell"),
    (keras_arrays("gru", 2, 15), "keras.layers.GRUCell"),
    (keras_arrays("gru", 15), "keras.layers.GRUCell(reset_after=False)"),
    (keras_arrays("simple_rnn"), "keras.layers.SimpleRNNCell"),
  ],
)
def test_kinds_of_the_same_names_are_told_apart_by_their_shapes(arrays, kind):
  assert import_model(arrays).layers[0].kind == kind


FOUND = {*KINDS, "flax.linen.OptimizedLSTMCell", "tinygrad.nn.LSTMCell", *PADDLE}


@pytest.mark.parametrize(
  "path", [path for path in sorted(ONE_CELL.glob("*.json")) if load(path)["kind"] in FOUND], ids=lambda path: path.stem
)
def test_every_kind_is_found_by_its_names(path):
  """The arrays are those that the packages gave for `make oracles-layouts`."""
  golden = load(path)
  kind = golden["kind"]
  inside = {"haiku.LSTM": "net/lstm/linear", "haiku.VanillaRNN": "net/vanilla_rnn"}.get(kind, "net")
  found = import_model({f"{inside}/{name}": array for name, array in golden["arrays"].items()})
  assert found.layers[0].kind in (kind, PADDLE.get(kind), "torch.nn.LSTM", "flax.linen.LSTMCell")
  jax.tree.map(np.testing.assert_array_equal, found.params, import_weights(kind, golden["arrays"], exact=False))


def test_bfloat16_and_other_byte_orders_are_read(tmp_path):
  h5py = pytest.importorskip("h5py", reason="it is in the extra interop")
  arrays = keras_arrays("lstm", 20)
  with h5py.File(tmp_path / "net.weights.h5", "w") as file:
    for i, array in enumerate(arrays.values()):
      stored = file.create_dataset(
        f"layers/lstm/cell/vars/{i}", data=np.asarray(jnp.asarray(array, jnp.bfloat16)).view("V2")
      )
      stored.attrs["dtype"] = "bfloat16"
  assert import_model(tmp_path / "net.weights.h5").params.bias.dtype == jnp.bfloat16
  np.savez(tmp_path / "net.npz", **{name: array.astype(">f4") for name, array in arrays.items()})
  model = import_model(tmp_path / "net.npz")
  assert model.params.bias.dtype.isnative
  np.testing.assert_array_equal(model.params.bias, np.ones(20))
