#!/usr/bin/env bash
# Keras 3.15.1: under the policy mixed_bfloat16, an LSTM carries its cell state in bfloat16, and a sum in it stops at 256.
#
# A policy of mixed precision keeps variables in float32 and computes in half precision. Seen with Keras 3.15.1 on TensorFlow 2.21: states
# are not variables, so the cell state of an LSTM is rounded to 8 bits at each step. With open gates and a candidate of 0.7, c should
# grow by 0.7 per step to 700 after 1000 steps. It stops at 256, where the next number of bfloat16 is 2 away. With mixed_float16, c comes to 663.5.
# Flax's OptimizedLSTMCell, with dtype=bfloat16, carries c in float32 and comes to 699.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "tensorflow-cpu==2.21.0" "keras==3.15.1"
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - <<'PYTHON'
import keras
import numpy as np

print("keras", keras.__version__)
# Biases of i, f, g, o; all kernels are 0.
bias = np.array([20.0, 20.0, np.arctanh(0.7), 20.0], np.float32)
zeros, xs = np.zeros((1, 4), np.float32), np.zeros((1, 1000, 1), np.float32)
c = {}
for policy in ("float32", "mixed_bfloat16", "mixed_float16"):
  layer = keras.layers.LSTM(1, return_state=True, dtype=policy)
  layer.build(xs.shape)
  layer.set_weights([zeros, zeros, bias])
  c[policy] = float(np.asarray(keras.ops.cast(layer(xs)[2], "float32")).item())
  print(f"{policy}: variables {layer.weights[0].dtype}, c after 1000 steps of 0.7: {c[policy]:.2f}")
assert abs(c["float32"] - 700) < 0.1 and c["mixed_bfloat16"] == 256, "the behaviour has changed"
assert 640 < c["mixed_float16"] < 680, "the behaviour of mixed_float16 has changed"
print("the cell state is carried in half precision, as described")
PYTHON
