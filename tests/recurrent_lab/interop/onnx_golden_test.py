"""Models that other libraries exported, and numbers that onnxruntime computed; `python -m oracles.onnx` wrote both."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from oracles.onnx.by_hand import CASES, drawn
from recurrent_lab.interop import from_onnx, run_entry
from tests.nets import by_default
from tests.support import onnx_operators

GOLDEN = Path(__file__).parent / "golden" / "onnx_models"
EXPORTED = sorted(path.stem for path in GOLDEN.glob("*.onnx"))
SOME = [name for name in EXPORTED if "deep" in name or name.endswith("hard")]


def test_loops_and_onnxruntime_agree_on_every_variant():
  """The loops, against which the other tests hold the library, are those of onnxruntime 1.32.0."""
  golden = json.loads((GOLDEN / "by_hand.json").read_text())
  assert golden["outputs"].keys() == CASES.keys()
  for name, case in CASES.items():
    y = onnx_operators.run_case(case, drawn(case))[0]
    for d, outputs in enumerate(golden["outputs"][name]):
      np.testing.assert_allclose(y[:, d], outputs, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", by_default(SOME, EXPORTED))
def test_an_exported_model_computes_what_onnxruntime_computes(name):
  record = json.loads((GOLDEN / f"{name}.json").read_text())
  entries = from_onnx(GOLDEN / f"{name}.onnx")
  assert {entry.name for entry in entries} == record["nodes"].keys()
  for entry in entries:
    seen = record["nodes"][entry.name]
    outputs = run_entry(entry, np.array(seen["xs"], np.float32)).outputs
    np.testing.assert_allclose(outputs, seen["outputs"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
  "name", by_default(["torch_lstm_script", "torch_gru_dynamo"], [n for n in EXPORTED if "torch" in n])
)
def test_gradients_are_those_of_the_library_that_exported(name):
  record = json.loads((GOLDEN / f"{name}.json").read_text())
  if record["slopes"] is None:
    return
  (entry,) = from_onnx(GOLDEN / f"{name}.onnx")
  xs = jnp.asarray(record["nodes"][entry.name]["xs"])
  weights = np.cos(np.arange(xs.shape[0] * xs.shape[1] * entry.params.recurrent_kernel.shape[0]))
  loss = lambda xs: jnp.sum(weights * run_entry(entry, xs).outputs.ravel())
  np.testing.assert_allclose(jax.grad(loss)(xs), record["slopes"], rtol=1e-5, atol=1e-5)
