#!/usr/bin/env bash
# onnxruntime 1.32.0: Tanh and Sigmoid in float32 exceed 1, and fall where the functions rise.
#
# Seen with onnxruntime 1.32.0 on an x86 CPU: for inputs from 8 on, Tanh returns up to 1.00000024, so 1 - h² is negative and its logarithm
# NaN. Sigmoid returns up to 1.00000012, and exactly 0 for large negative inputs, whose logarithm is -inf. Both fall by up to 4e-7 between
# neighbouring inputs. Inside the operators RNN, LSTM and GRU, the same release uses other functions, which stay at or below 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "onnxruntime==1.32.0" "onnx<2" "numpy<3"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from onnx import TensorProto, helper, numpy_helper
import onnxruntime

print("onnxruntime", onnxruntime.__version__)
info = helper.make_tensor_value_info


def run(node, shape, weights=()):
  stored = [numpy_helper.from_array(array, name) for name, array in weights]
  ins, outs = [info("X", TensorProto.FLOAT, shape)], [info("Y", TensorProto.FLOAT, None)]
  graph = helper.make_graph([node], "g", ins, outs, stored)
  model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
  session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
  return session.run(None, {"X": a.reshape(shape)})[0].reshape(-1).astype(np.float64)


a = np.linspace(-20, 20, 2**20 + 1).astype(np.float32)
one = np.ones((1, 1, 1), np.float32)
above = {}
for name in ("Tanh", "Sigmoid"):
  alone = run(helper.make_node(name, ["X"], ["Y"]), (a.size,))
  node = helper.make_node("RNN", ["X", "W", "R"], ["Y"], hidden_size=1, activations=[name])
  inside = run(node, (1, a.size, 1), [("W", one), ("R", 0 * one)])
  above[name] = alone.max() - 1, inside.max() - 1
  fall = (alone[:-1] - alone[1:]).max()
  print(f"{name}: largest {alone.max():.8f}, smallest {alone.min():.2e}, largest fall {fall:.1e}; inside RNN {inside.max():.8f}")
assert above["Tanh"][0] > 0 and above["Sigmoid"][0] > 0, "the behaviour has changed, or another CPU has other kernels"
assert above["Tanh"][1] <= 0 and above["Sigmoid"][1] <= 0, "the behaviour of RNN has changed"
print("the operators exceed 1 and the recurrent operator does not, as described")
PYTHON
