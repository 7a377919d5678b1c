#!/usr/bin/env bash
# paddle2onnx 2.1.0 (paddlepaddle 3.3.1): nn.SimpleRNN is exported without its recurrence, and the export reports success.
#
# The file holds reshapes and constants alone. A transposition at its end reads a tensor that no node makes, so onnxruntime refuses the
# file. nn.LSTM and nn.GRU are exported as LSTM and GRU nodes.
#
# Seen: no error, no node that multiplies by the recurrent weights, and "is not a graph input, initializer, or output of a previous node"
# from onnxruntime 1.32.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "paddlepaddle==3.3.1" "paddle2onnx==2.1.0" "onnxruntime==1.32.0"
cd "$folder"
cat > export.py <<'PYTHON'
import sys

import onnx
import onnxruntime
import paddle

kind = sys.argv[1]
net = getattr(paddle.nn, kind)(3, 4)
net.eval()
spec = paddle.static.InputSpec([None, None, 3], "float32", "x")
paddle.onnx.export(net, kind, input_spec=[spec], opset_version=17, optimize_tool="None")
operators = sorted({node.op_type for node in onnx.load(f"{kind}.onnx").graph.node})
try:
  onnxruntime.InferenceSession(f"{kind}.onnx", providers=["CPUExecutionProvider"])
  runs = True
except Exception as error:
  runs = False
  print(str(error)[:160])
print(kind, operators, "- accepted by onnxruntime:", runs)
if kind == "SimpleRNN":
  made = not {"RNN", "Loop", "Scan", "MatMul", "Gemm", "Tanh"} & set(operators)
  assert made and not runs, "the behaviour has changed"
else:
  assert kind in operators and runs, "the behaviour has changed"
PYTHON
for kind in GRU SimpleRNN; do "$folder/venv/bin/python" -W ignore export.py "$kind" 2>&1 | grep -E "^$kind|Error|graph input"; done
echo "SimpleRNN is exported without its recurrence, as described"
