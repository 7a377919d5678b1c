#!/usr/bin/env bash
# onnxruntime 1.32.0: a recurrent node whose activation is Affine, ScaledTanh or ThresholdedRelu, without activation_alpha, takes alpha = 0.
#
# The text of the operators says that missing parameters have the defaults of the operators of the same names: alpha = 1 for
# ThresholdedRelu. An RNN with Affine and no parameters therefore puts out 0 at every step, whatever it reads; with ThresholdedRelu it
# lets values between 0 and 1 pass. LeakyRelu, Elu and HardSigmoid have the documented defaults.
#
# Seen: one unit with W = 1 and R = 0 on the inputs 0.5 and 2 puts out 0 and 0 (Affine, ScaledTanh) and 0.5 and 2 (ThresholdedRelu; the
# operator ThresholdedRelu itself gives 0 and 2).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "onnx==1.23.2" "onnxruntime==1.32.0" "numpy<3"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

onnxruntime.set_default_logger_severity(4)
XS = np.array([0.5, 2.0], np.float32).reshape(2, 1, 1)


def run(nodes, out):
  weights = [numpy_helper.from_array(np.full((1, 1, 1), value, np.float32), name) for name, value in (("W", 1), ("R", 0))]
  graph = helper.make_graph(
    nodes,
    "g",
    [helper.make_tensor_value_info("X", TensorProto.FLOAT, (2, 1, 1))],
    [helper.make_tensor_value_info(out, TensorProto.FLOAT, None)],
    weights,
  )
  model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
  session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
  return session.run(None, {"X": XS})[0].ravel().tolist()


print("onnxruntime", onnxruntime.__version__)
found = {
  name: run([helper.make_node("RNN", ["X", "W", "R"], ["Y"], hidden_size=1, activations=[name])], "Y")
  for name in ("Affine", "ScaledTanh", "ThresholdedRelu", "LeakyRelu", "Elu")
}
found["the operator ThresholdedRelu"] = run([helper.make_node("ThresholdedRelu", ["X"], ["Y"])], "Y")
for name, values in found.items():
  print(f"{name}: {values}")
assert found["Affine"] == found["ScaledTanh"] == [0, 0], "the behaviour has changed"
assert found["ThresholdedRelu"] == [0.5, 2], "the behaviour has changed"
assert found["the operator ThresholdedRelu"] == [0, 2], "the operator has changed"
print("missing parameters are 0, as described")
PYTHON
