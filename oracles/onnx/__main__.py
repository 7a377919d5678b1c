"""Holds `from_onnx` and `to_onnx` to onnxruntime, on models by hand and on those that torch, Keras and Paddle export.

    python -m oracles.onnx              what is installed here
    python -m oracles.onnx torch        one exporter

Each recurrent node is compared by itself: its input and output become outputs of the model. Exported models and onnxruntime's
numbers are kept for the tests. An exporter that is not installed keeps the numbers of its last run.
"""

from collections.abc import Callable, Mapping
from importlib import metadata
import json
from pathlib import Path
import sys
import tempfile
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime

from oracles.onnx.by_hand import CASES, drawn, model
from oracles.onnx.exporters import EXPORTERS, Exported
from oracles.oracle import weights
import recurrent_lab as rl
from recurrent_lab.interop import OnnxEntry, from_onnx, run_entry, to_onnx
from recurrent_lab.parametric import clipped, elu, hard_sigmoid

GOLDEN = Path(__file__).parents[2] / "tests" / "recurrent_lab" / "interop" / "golden" / "onnx_models"
TOLERANCE = 1e-5

#: Cells that are written and run.
WRITTEN: Mapping[str, rl.Cell] = {
  **{
    name: rl.CELLS[name]
    for name in ("rnn", "rnn_relu", "rnn_linear", "lstm", "lstm_coupled", "gru", "gru_reset_before")
  },
  **{name: rl.CELLS[name] for name in ("peephole_lstm", "peephole_lstm_coupled", "rnn_softsign", "rnn_leaky_relu")},
  "lstm, hard gates, clip": rl.lstm(clipped("tanh", 0.7), gate=clipped(hard_sigmoid(0.2, 0.5), 0.7)),
  "lstm, f = 1 - i": rl.lstm(elu(0.7), "input_coupled"),
  "projected_lstm": rl.cells.projected_lstm(3),
  "stack": rl.stack(rl.lstm(), rl.gru(), rl.rnn()),
}


class Compared(NamedTuple):
  """A recurrent node beside onnxruntime's numbers."""

  entry: OnnxEntry
  xs: np.ndarray  # what the node reads
  outputs: np.ndarray  # Y of its direction
  difference: float  # the largest of outputs


def session(proto: onnx.ModelProto) -> onnxruntime.InferenceSession:
  """Returns a session on the CPU that prints errors alone."""
  options = onnxruntime.SessionOptions()
  options.log_severity_level = 3
  return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def compare(proto: onnx.ModelProto, feeds: Mapping[str, np.ndarray]) -> list[Compared]:
  """Runs onnxruntime on the whole model, and the lab on every recurrent node.

  Raises:
    AssertionError: if a node differs by more than 1e-5.
  """
  entries = from_onnx(proto)
  opened = onnx.ModelProto()
  opened.CopyFrom(proto)
  known = {one.name for one in (*opened.graph.output, *opened.graph.input)}
  names = [name for name in dict.fromkeys(n for e in entries for n in (e.fed.input, e.fed.output)) if name not in feeds]
  opened.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
  values = dict(zip(names, session(opened).run(names, dict(feeds)), strict=True)) | dict(feeds)
  found = []
  for entry in entries:
    y = values[entry.fed.output]
    row = 1 if entry.name.endswith("/reverse") else 0
    theirs = y[:, :, row] if entry.fed.batch_first else y[:, row]
    ours = run_entry(entry, values[entry.fed.input]).outputs
    difference = float(np.abs(np.asarray(ours) - theirs).max())
    assert difference <= TOLERANCE, f"{entry.name} differs from onnxruntime by {difference:.1e}"
    assert np.abs(theirs).max() > 1e-3, f"{entry.name} puts out 0 alone"
    found.append(Compared(entry, values[entry.fed.input], theirs, difference))
  return found


def by_hand() -> float:
  """Compares and keeps all variants that are written by hand. Returns the largest difference."""
  kept: dict[str, Any] = {
    "onnxruntime": metadata.version("onnxruntime"),
    "onnx": metadata.version("onnx"),
    "outputs": {},
  }
  worst = 0.0
  for name, case in CASES.items():
    arrays = drawn(case)
    compared = compare(model(case, arrays), {"X": arrays["X"]})
    worst = max(worst, *(one.difference for one in compared))
    kept["outputs"][name] = [np.round(one.outputs, 7).tolist() for one in compared]
  (GOLDEN / "by_hand.json").write_text(json.dumps(kept) + "\n")
  return worst


def slopes_differ(exported: Exported, compared: Compared) -> float:
  """Returns the largest difference from the gradient of Σ weights ⊗ outputs by the inputs that the exporter's library has."""
  loss = lambda xs: jnp.sum(jnp.asarray(weights(compared.outputs.shape)) * run_entry(compared.entry, xs).outputs)
  ours = jax.grad(loss)(jnp.asarray(compared.xs))
  return float(np.abs(np.asarray(ours) - exported.slopes).max())


def from_exporter(name: str, export: Callable[[Path], Exported]) -> str:
  """Compares and keeps the model of one exporter. Returns a line that says how well it agrees."""
  with tempfile.TemporaryDirectory() as folder:
    exported = export(Path(folder))
  compared = compare(exported.proto, exported.feeds)
  largest = max(one.difference for one in compared)
  slopes = slopes_differ(exported, compared[0]) if exported.slopes is not None else None
  assert slopes is None or slopes <= TOLERANCE, f"{name}: gradients differ by {slopes:.1e}"
  onnx.save(exported.proto, GOLDEN / f"{name}.onnx")
  record = {
    "exporter": exported.exporter,
    "onnxruntime": metadata.version("onnxruntime"),
    "difference": largest,
    "nodes": {one.entry.name: {"xs": one.xs.tolist(), "outputs": one.outputs.tolist()} for one in compared},
    "slopes": None if exported.slopes is None else exported.slopes.tolist(),
  }
  (GOLDEN / f"{name}.json").write_text(json.dumps(record) + "\n")
  gradients = "" if slopes is None else f", gradients {slopes:.1e}"
  return f"{name}: {exported.exporter}, {len(compared)} entries, outputs {largest:.1e}{gradients}"


def written() -> float:
  """Runs cells that `to_onnx` writes. Returns the largest difference of outputs and states."""
  xs = np.random.default_rng(0).normal(size=(6, 3, 2)).astype(np.float32)
  worst = 0.0
  for name, cell in WRITTEN.items():
    params = cell.init(jax.random.key(1), 2, 5, bias_scale=0.5)
    outputs, *state = session(to_onnx(cell, params)).run(None, {"inputs": xs})
    ours, own = rl.unroll(cell, params, xs)
    pairs = [(own, outputs), *zip(jax.tree.leaves(ours), state, strict=True)]
    difference = max(float(np.abs(a - b).max()) for a, b in pairs)
    assert difference <= TOLERANCE, f"{name}: what to_onnx wrote differs by {difference:.1e}"
    worst = max(worst, difference)
  return worst


def main() -> int:
  """Runs the comparisons. Returns 1 if one fails."""
  GOLDEN.mkdir(exist_ok=True)
  chosen = sys.argv[1:]
  if not chosen:
    print(f"by hand: {len(CASES)} variants, {by_hand():.1e}")
    print(f"to_onnx: {len(WRITTEN)} cells, {written():.1e}")
  failed = 0
  for name, (package, export) in EXPORTERS.items():
    if chosen and package not in chosen:
      continue
    try:
      print(from_exporter(name, export))
    except ModuleNotFoundError as missing:
      print(f"{name}: left out, for {missing.name} is not installed.", file=sys.stderr)
    except AssertionError as error:
      print(error, file=sys.stderr)
      failed += 1
  return 1 if failed else 0


if __name__ == "__main__":
  sys.exit(main())
