"""Runtimes that only run nets: ONNX, OpenVINO, ncnn and Core ML.

The arrays of ONNX, OpenVINO and ncnn have a leading axis of directions: `layer="0_reverse"` takes the second. ONNX joins the
biases of input and state in one vector. OpenVINO and ncnn add those of r and z before they store them.

The attributes of an operator are not in its arrays. These tables hold for the default activations, without clip and without
coupled gates; ONNX's GRU resets before the product unless linear_before_reset is 1.
"""

from collections.abc import Mapping

from recurrent_lab.interop.layouts.layout import (
  BOTH,
  INNER,
  OUTER,
  Block,
  Layers,
  Layout,
  Part,
  biases,
  gru,
  kernels,
  lstm,
  peephole_lstm,
  reset_before,
  rnn,
  row,
)

DIRECTIONS = Layers(stacked=True)
W_R = ("W", "R")


def ordered(blocks: tuple[Block, ...], gates: str) -> tuple[Block, ...]:
  """Returns the first blocks in the order of the gates. Further blocks follow as they are."""
  by_gate = {block.gate: block for block in blocks[: len(gates)]}
  return *(by_gate[gate] for gate in gates), *blocks[len(gates) :]


ONNX_LSTM = (*kernels(W_R, "iofg", True), Part("B", (row("bias", "iofg") * 2,), optional=True))

ONNX: Mapping[str, Layout] = {
  "onnx.RNN": rnn((*kernels(W_R, "n", True), Part("B", (row("bias", "n") * 2,), optional=True)), layers=DIRECTIONS),
  "onnx.LSTM": lstm(ONNX_LSTM, layers=DIRECTIONS),
  "onnx.LSTM(P)": peephole_lstm((*ONNX_LSTM, Part("P", (row("peephole", "iof"),))), layers=DIRECTIONS),
  "onnx.GRU": reset_before(
    (*kernels(W_R, "zrn", True), Part("B", (row("bias", "zrn") * 2,), optional=True)),
    note=" unless linear_before_reset is 1",
    layers=DIRECTIONS,
  ),
  "onnx.GRU(linear_before_reset=1)": gru(
    (*kernels(W_R, "zrn", True), Part("B", (ordered(OUTER, "zrn") + ordered(INNER, "zrn"),), optional=True)),
    layers=DIRECTIONS,
  ),
}

OPENVINO: Mapping[str, Layout] = {
  "openvino.opset5.RNNSequence": rnn((*kernels(W_R, "n", True), *biases("B", optional=False)), layers=DIRECTIONS),
  "openvino.opset5.LSTMSequence": lstm(
    (*kernels(W_R, "figo", True), *biases("B", gates="figo", optional=False)), layers=DIRECTIONS
  ),
  "openvino.opset5.GRUSequence": reset_before(
    (*kernels(W_R, "zrn", True), *biases("B", gates="zrn", optional=False)),
    note=" unless linear_before_reset is true",
    layers=DIRECTIONS,
  ),
  "openvino.opset5.GRUSequence(linear_before_reset=True)": gru(
    (*kernels(W_R, "zrn", True), Part("B", (ordered(BOTH, "zrn"),))), layers=DIRECTIONS
  ),
}

OF_NCNN = ("weight_xc_data", "weight_hc_data")

NCNN: Mapping[str, Layout] = {
  "ncnn.RNN": rnn((*kernels(OF_NCNN, "n", True), *biases("bias_c_data", optional=False)), ("rnn",), layers=DIRECTIONS),
  "ncnn.LSTM": lstm(
    (*kernels(OF_NCNN, "ifog", True), *biases("bias_c_data", gates="ifog", optional=False)), layers=DIRECTIONS
  ),
  "ncnn.GRU": gru((*kernels(OF_NCNN, "rzn", True), Part("bias_c_data", (BOTH,))), layers=DIRECTIONS),
}

COREML: Mapping[str, Layout] = {
  "coremltools.mil.rnn": rnn((*kernels(("weight_ih", "weight_hh"), "n", True), *biases("bias"))),
  "coremltools.mil.lstm": lstm((*kernels(("weight_ih", "weight_hh"), "ifog", True), *biases("bias", gates="ifog"))),
  "coremltools.mil.gru": gru(
    (
      *kernels(("weight_ih", "weight_hh"), "rnz", True),
      Part("bias", (ordered(OUTER, "rnz"),), optional=True),
    ),
    note=", without a bias inside the reset",
  ),
}
