"""Whole nets of other libraries compute here what they compute there: files that these libraries wrote, and loops in float64."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.interop import BidirectionalModel, import_model
from tests.nets import by_default
from tests.recurrent_lab.interop import loops

GOLDEN = Path(__file__).parent / "golden" / "nets"
FILES = sorted(path.name.removesuffix(".json") for path in GOLDEN.glob("*.json"))
# A file of each format, and each way through the code that puts layers together.
FEW = {
  "torch_lstm.onnx",
  "keras_cells.keras",
  "keras_chain.keras",
  "keras_graph.keras",
  "keras_plain.weights.h5",
  "haiku_lstm.npz",
  "linen_lstm.msgpack",
  "torch_gru_cells.safetensors",
  "torch_projection_two_directions.safetensors",
}


def outputs_of(model, xs):
  if isinstance(model, BidirectionalModel):
    return model.outputs(xs)
  return rl.unroll(model.cell, model.params, xs[::-1] if model.backwards else xs)[1]


@pytest.mark.parametrize("name", by_default(FEW, FILES))
def test_a_file_computes_what_its_library_computes(name):
  golden = json.loads((GOLDEN / f"{name}.json").read_text())
  model = import_model(GOLDEN / name, **golden["options"])
  outputs, back = jax.vjp(lambda xs: outputs_of(model, xs), jnp.asarray(golden["xs"], jnp.float32))
  np.testing.assert_allclose(outputs, golden["outputs"], rtol=0, atol=1e-6)
  weights = np.cos(np.arange(outputs.size, dtype=np.float32)).reshape(outputs.shape)
  np.testing.assert_allclose(back(weights)[0], golden["slopes"], rtol=0, atol=3e-6)


def test_every_format_and_library_has_a_file():
  assert len(FILES) >= 19
  assert set(FILES) >= FEW
  packages = {json.loads((GOLDEN / f"{name}.json").read_text())["package"] for name in FILES}
  assert packages == {"torch", "keras", "flax", "dm-haiku", "equinox"}


ONNX = ["torch_deep_gru_script", "torch_deep_lstm_dynamo", "torch_deep_gru_dynamo", "torch_deep_lstm_script"]


@pytest.mark.parametrize("name", by_default(ONNX[:2], ONNX))
def test_layers_of_an_onnx_model_are_connected_as_in_its_graph(name):
  """The numbers are those of onnxruntime, from each node's own inputs and outputs."""
  models = GOLDEN.parent / "onnx_models"
  nodes = json.loads((models / f"{name}.json").read_text())["nodes"]
  model = import_model(models / f"{name}.onnx")
  assert [layer.input_size for layer in model.layers] == [3, 8]
  lower, *_, ahead, back = nodes.values()
  outputs = np.concatenate([ahead["outputs"], back["outputs"]], axis=-1)
  np.testing.assert_allclose(model.outputs(jnp.asarray(lower["xs"])), outputs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
  ("kind", "options"),
  [
    ("GRU", {"layers": 2, "ways": 2}),
    ("LSTM", {"projection": 3, "biases": False}),
    ("RNN", {"layers": 2}),
  ],
)
def test_a_state_dict_computes_what_a_loop_computes(kind, options, rng, x64):
  arrays, xs = loops.drawn(kind, rng, **options), rng.normal(size=(5, loops.INPUTS))
  expected = loops.outputs(kind, arrays, xs, options.get("layers", 1), options.get("ways", 1))
  found = outputs_of(import_model(arrays), jnp.asarray(xs))
  np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_one_direction_is_measured_and_the_whole_is_refused(rng):
  model = import_model(loops.drawn("GRU", rng, layers=2, ways=2, dtype=np.float32))
  xs = jnp.asarray(rng.normal(size=(5, loops.INPUTS)), jnp.float32)
  refused = r"belongs to one direction of one layer: choose it by model.direction\(\"forward\", xs, layer=0\)"
  with pytest.raises(ValueError, match=refused):
    rl.product_log_norms(model.cell, None, xs)
  with pytest.raises(ValueError, match=refused):
    model.params  # noqa: B018
  with pytest.raises(ValueError, match="the forward cell on xs, or the backward cell on"):
    rl.product_log_norms((rl.get_cell("gru"),) * 2, model.layers[0].params, xs)
  cell, params, inputs = model.direction("backward", xs, layer=1)
  lower = model.layers[0]
  both = rl.bidirectional_unroll(lower.forward.cell, lower.backward.cell, lower.params, xs)[1]
  np.testing.assert_allclose(inputs, both[::-1], rtol=0, atol=1e-6)
  assert params is model.layers[1].backward.params
  assert rl.product_log_norms(cell, params, inputs).shape == (5,)
  for wrong in ({"which": "both"}, {"layer": 2}, {"layer": -1}):
    with pytest.raises(ValueError, match=r"choose forward or backward|the net has layers 0 to 1"):
      model.direction(**{"which": "forward", "xs": xs, **wrong})
