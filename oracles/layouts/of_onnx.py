"""ONNX operators, run by onnxruntime."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import onnxruntime

from oracles.layouts.record import BATCH, HIDDEN, INPUTS, STEPS, draw, record


def run(operator, gates, peepholes=False, **attributes):
  def of_operator(rng, xs):
    arrays = {
      "W": draw(rng, (1, gates * HIDDEN, INPUTS)),
      "R": draw(rng, (1, gates * HIDDEN, HIDDEN)),
      "B": draw(rng, (1, 2 * gates * HIDDEN)),
    }
    names = ["X", "W", "R", "B"]
    if peepholes:
      arrays["P"] = draw(rng, (1, 3 * HIDDEN))
      names += ["", "", "", "P"]
    node = helper.make_node(operator, names, ["Y"], hidden_size=HIDDEN, **attributes)
    graph = helper.make_graph(
      [node],
      operator,
      [helper.make_tensor_value_info("X", TensorProto.FLOAT, [STEPS, BATCH, INPUTS])],
      [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [STEPS, 1, BATCH, HIDDEN])],
      [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return arrays, session.run(None, {"X": np.ascontiguousarray(xs)})[0][:, 0]

  return of_operator


if __name__ == "__main__":
  record(
    "onnxruntime",
    onnxruntime.__version__,
    {
      "onnx.RNN": run("RNN", 1),
      "onnx.LSTM": run("LSTM", 4),
      "onnx.LSTM(P)": run("LSTM", 4, peepholes=True),
      "onnx.GRU": run("GRU", 3),
      "onnx.GRU(linear_before_reset=1)": run("GRU", 3, linear_before_reset=1),
    },
  )
