#!/usr/bin/env bash
# torch 2.14.1: torch.onnx.export(dynamo=True), the default exporter, writes the length of the example into recurrent nets whose length
# was declared dynamic.
#
# nn.RNN becomes its steps, unrolled, and the model's input has the fixed length of the example. nn.LSTM and nn.GRU become LSTM and GRU
# nodes, and the input keeps its dynamic length; but a Reshape after the node holds the length of the example. Other lengths fail there, and
# a multiple of it is scrambled without a word.
#
# Seen, for an example of 5 steps and a batch of 2: the RNN model has the input [5, B, 3] and no RNN node. The LSTM model fails on 9 steps,
# and turns 10 steps of 2 sequences into 5 steps of 4. dynamo=False writes an RNN node, and runs both with any length.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "torch==2.14.1" "onnx==1.23.2" "onnxruntime==1.32.0" "onnxscript==0.7.2" "numpy<3"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import onnx
import onnxruntime
import torch

warnings.simplefilter("ignore")
onnxruntime.set_default_logger_severity(4)


class Net(torch.nn.Module):
  def __init__(self, kind):
    super().__init__()
    self.inner = getattr(torch.nn, kind)(3, 4)

  def forward(self, x):
    return self.inner(x)[0]


def exported(kind, dynamo):
  x = torch.randn(5, 2, 3)
  if dynamo:
    axes = {"x": {0: torch.export.Dim("T", min=2), 1: torch.export.Dim("B", min=2)}}
    torch.onnx.export(Net(kind).eval(), (x,), "m.onnx", dynamo=True, input_names=["x"], dynamic_shapes=axes, verbose=False)
  else:
    torch.onnx.export(Net(kind).eval(), (x,), "m.onnx", dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "T", 1: "B"}})
  operators = [node.op_type for node in onnx.load("m.onnx").graph.node]
  return operators, onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])


def shape(session, steps):
  try:
    return session.run(None, {"x": torch.randn(steps, 2, 3).numpy()})[0].shape
  except Exception:
    return "fails"


print("torch", torch.__version__, "onnxruntime", onnxruntime.__version__)
operators, session = exported("RNN", dynamo=True)
print("RNN, dynamo: input", session.get_inputs()[0].shape, "- RNN nodes:", operators.count("RNN"))
assert session.get_inputs()[0].shape[0] == 5 and "RNN" not in operators, "the behaviour has changed"
for kind in ("LSTM", "GRU"):
  operators, session = exported(kind, dynamo=True)
  found = [shape(session, steps) for steps in (5, 9, 10)]
  print(f"{kind}, dynamo: input {session.get_inputs()[0].shape}; 5, 9 and 10 steps of 2 sequences give {found}")
  assert isinstance(session.get_inputs()[0].shape[0], str) and kind in operators
  assert found == [(5, 2, 4), "fails", (5, 4, 4)], "the behaviour has changed"
for kind in ("RNN", "LSTM"):
  operators, session = exported(kind, dynamo=False)
  assert kind in operators and shape(session, 9) == (9, 2, 4) and shape(session, 10) == (10, 2, 4)
print("dynamo=False gives 9 and 10 steps, as described")
PYTHON
