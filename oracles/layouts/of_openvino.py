"""OpenVINO: RNN, LSTM and GRU sequences of opset 5, in float32. By default it computes in bfloat16 on a CPU that has it."""

import numpy as np
import openvino as ov
from openvino import opset5 as ops

from oracles.layouts.record import BATCH, HIDDEN, INPUTS, STEPS, draw, record


def run(name, gates, **options):
  def of_operator(rng, xs):
    rows = gates + 1 if options else gates
    arrays = {
      "W": draw(rng, (1, gates * HIDDEN, INPUTS)),
      "R": draw(rng, (1, gates * HIDDEN, HIDDEN)),
      "B": draw(rng, (1, rows * HIDDEN)),
    }
    x = ops.parameter([BATCH, STEPS, INPUTS], np.float32)
    zeros = ops.constant(np.zeros((BATCH, 1, HIDDEN), np.float32))
    states = (zeros, zeros) if name == "lstm_sequence" else (zeros,)
    lengths = ops.constant(np.full(BATCH, STEPS, np.int32))
    weights = [ops.constant(arrays[key]) for key in "WRB"]
    node = getattr(ops, name)(x, *states, lengths, *weights, HIDDEN, "FORWARD", **options)
    model = ov.Model([node.output(0)], [x])
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled([np.ascontiguousarray(xs.swapaxes(0, 1))])[0]  # [B, directions, T, H]
    return arrays, found[:, 0].swapaxes(0, 1)

  return of_operator


if __name__ == "__main__":
  bfloat16 = ["By default it computes in bfloat16 on a CPU that has it; float32 is asked for here."]
  runs = {
    "openvino.opset5.RNNSequence": run("rnn_sequence", 1),
    "openvino.opset5.LSTMSequence": run("lstm_sequence", 4),
    "openvino.opset5.GRUSequence": run("gru_sequence", 3),
    "openvino.opset5.GRUSequence(linear_before_reset=True)": run("gru_sequence", 3, linear_before_reset=True),
  }
  record("openvino", ov.__version__.split("-")[0], runs, dict.fromkeys(runs, bfloat16))
