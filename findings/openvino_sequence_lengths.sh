#!/usr/bin/env bash
# OpenVINO 2026.4.1: recurrent sequences ignore sequence_lengths on the CPU if the number of steps is dynamic.
#
# LSTMSequence, GRUSequence and RNNSequence stop each sequence of a batch at its length: outputs behind it are 0, and the last state is
# that at the length. Seen with OpenVINO 2026.4.1 on the CPU: this holds if the number of steps is fixed in the model. With a dynamic
# number of steps, the same model with the same lengths runs on through the padding, returns its outputs, and returns the state at
# the end of the padding. Nothing warns, and the lengths may be a constant or an input.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "openvino==2026.4.1" "numpy<3"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib import metadata

import numpy as np
import openvino as ov
from openvino import opset5 as ops

print("openvino", metadata.version("openvino"))
BATCH, STEPS, INPUTS, HIDDEN, LENGTHS = 2, 6, 3, 4, (6, 4)
rng = np.random.default_rng(0)
xs = rng.normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32)
xs[1, 4:] = 1.5  # padding
for name, gates in (("lstm_sequence", 4), ("gru_sequence", 3), ("rnn_sequence", 1)):
  weights = [rng.normal(0, 0.5, (1, gates * HIDDEN, *more)).astype(np.float32) for more in ((INPUTS,), (HIDDEN,), ())]
  stopped = {}
  for axis, steps in (("fixed", STEPS), ("dynamic", -1)):
    x = ops.parameter([BATCH, steps, INPUTS], np.float32)
    zeros = ops.constant(np.zeros((BATCH, 1, HIDDEN), np.float32))
    states = (zeros, zeros) if gates == 4 else (zeros,)
    lengths = ops.constant(np.array(LENGTHS, np.int32))
    node = getattr(ops, name)(x, *states, lengths, *map(ops.constant, weights), HIDDEN, "FORWARD")
    model = ov.Model([node.output(0), node.output(1)], [x])
    found = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([xs])
    outputs, last = np.array(found[0])[1, 0], np.array(found[1])[1, 0]
    stopped[axis] = not np.any(outputs[4:]) and np.allclose(last, outputs[3])
    at = "the length" if np.allclose(last, outputs[3]) else "the end of the padding"
    print(f"{name}, {axis} steps: largest output behind the end {np.abs(outputs[4:]).max():.3f}; the state is that at {at}")
  assert stopped == {"fixed": True, "dynamic": False}, "the behaviour has changed"
print("lengths are ignored if the number of steps is dynamic, as described")
PYTHON
