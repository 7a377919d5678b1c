"""Libraries of older graphs: Keras, TensorFlow, Chainer, MXNet and DyNet.

Each of them has a habit that shape and names do not show:

- TensorFlow's `BlockLSTM` adds `forget_bias`, 1 by default, to the forget gate at run time, and clips c at ±3 (`cell_clip`).
  `BlockLSTMV2` does neither. The lab's LSTM does not clip: c beyond 3 would differ, so set `cell_clip` to 0 or check `|c|`.
- Chainer's `links.LSTM` interleaves the gates of a unit: g₀ i₀ f₀ o₀ g₁ …
- Chainer's `links.StatefulGRU` (and `links.GRU`) leaves out the recurrent biases at the first step after `reset_state`. It
  computes the function of its arrays only after `set_state` with zeros, or if these biases are 0.
- DyNet adds 1 to the forget gate at run time.
"""

from collections.abc import Mapping

from recurrent_lab.interop.layouts.layout import (
  INNER,
  OUTER,
  Block,
  Layers,
  Layout,
  Part,
  adding_1,
  biases,
  gru,
  joint,
  kernels,
  lstm,
  peephole_lstm,
  reset_before,
  rnn,
  row,
  writing,
)

NAMES = ("kernel", "recurrent_kernel")

KERAS: Mapping[str, Layout] = {
  "keras.layers.SimpleRNNCell": rnn((*kernels(NAMES, "n"), *biases("bias"))),
  "keras.layers.LSTMCell": lstm((*kernels(NAMES, "ifgo"), *biases("bias", gates="ifgo"))),
  "keras.layers.GRUCell": gru(
    (*kernels(NAMES, "zrn"), Part("bias", tuple((b[1], b[0], b[2]) for b in (OUTER, INNER)), optional=True))
  ),
  "keras.layers.GRUCell(reset_after=False)": reset_before((*kernels(NAMES, "zrn"), *biases("bias", gates="zrn"))),
}


def block_lstm(gates: str, bias: tuple[Block, ...]) -> tuple[Part, ...]:
  return Part("w", (row("input_kernel", gates), row("recurrent_kernel", gates))), Part("b", (bias,))


PEEPHOLES = tuple(Part(f"wc{gate}", (row("peephole", gate),)) for gate in "ifo")
CLIP = " It clips c at ±3 unless cell_clip is 0."

TENSORFLOW: Mapping[str, Layout] = {
  "tensorflow.raw_ops.BlockLSTM": lstm(block_lstm("igfo", adding_1("igfo")), note=CLIP),
  "tensorflow.raw_ops.BlockLSTM(use_peephole=True)": peephole_lstm(
    (*block_lstm("igfo", adding_1("igfo")), *PEEPHOLES), note=CLIP
  ),
  "tensorflow.raw_ops.BlockLSTMV2": lstm(block_lstm("ifgo", row("bias", "ifgo"))),
  "tensorflow.raw_ops.GRUBlockCell": reset_before(
    (*joint(("w_ru", "b_ru"), "rz", optional=False), *joint(("w_c", "b_c"), "n", optional=False))
  ),
}


def numbered(gates: str, recurrent_bias: bool = False) -> tuple[Part, ...]:
  """Returns one kernel and one bias per gate as Chainer numbers them: first those of the input, then those of the state."""
  k = len(gates)
  inner = lambda gate: "recurrent_bias" if recurrent_bias and gate == "n" else "bias"
  return (
    *(Part(f"w{j}", (row("input_kernel", gate),), transposed=True) for j, gate in enumerate(gates)),
    *(Part(f"w{k + j}", (row("recurrent_kernel", gate),), transposed=True) for j, gate in enumerate(gates)),
    *(Part(f"b{j}", (row("bias", gate),)) for j, gate in enumerate(gates)),
    *(Part(f"b{k + j}", (row(inner(gate), gate),)) for j, gate in enumerate(gates)),
  )


def _of_gate(gate: str) -> tuple[Part, ...]:
  """Returns the two linear links of one gate of Chainer's GRU."""
  at = "" if gate == "n" else f"_{gate}"
  return (
    Part(f"W{at}/W", (writing("input_kernel", gate),), transposed=True),
    Part(f"U{at}/W", (writing("recurrent_kernel", gate),), transposed=True),
    Part(f"W{at}/b", (writing("bias", gate),), optional=True),
    Part(f"U{at}/b", (writing("bias", gate),), optional=True),
  )


STEPS = Layers("{layer}/{name}")

CHAINER: Mapping[str, Layout] = {
  "chainer.links.LSTM": lstm(
    (
      Part("upward/W", (row("input_kernel", "gifo"),), transposed=True, interleaved=True),
      Part("lateral/W", (row("recurrent_kernel", "gifo"),), transposed=True, interleaved=True),
      Part("upward/b", (row("bias", "gifo"),), optional=True, interleaved=True),
    )
  ),
  "chainer.links.StatelessGRU": reset_before(
    tuple(part for gate in "rzn" for part in _of_gate(gate)),
    note="; StatefulGRU leaves out the biases of U at the first step",
  ),
  "chainer.links.NStepRNNTanh": rnn(numbered("n"), ("rnn",), layers=STEPS),
  "chainer.links.NStepLSTM": lstm(numbered("ifgo"), layers=STEPS),
  "chainer.links.NStepGRU": gru(numbered("rzn", recurrent_bias=True), layers=STEPS),
}

GLUON = ("i2h_weight", "h2h_weight")
OF_GLUON = Layers("l{layer}_{name}", "r{layer}_{name}")

MXNET: Mapping[str, Layout] = {
  "mxnet.gluon.rnn.RNN": rnn(
    (*kernels(GLUON, "n", True), *biases("i2h_bias", "h2h_bias")), ("rnn_relu", "rnn"), layers=OF_GLUON
  ),
  "mxnet.gluon.rnn.LSTM": lstm(
    (*kernels(GLUON, "ifgo", True), *biases("i2h_bias", "h2h_bias", gates="ifgo")), layers=OF_GLUON
  ),
  "mxnet.gluon.rnn.GRU": gru(
    (*kernels(GLUON, "rzn", True), Part("i2h_bias", (OUTER,)), Part("h2h_bias", (INNER,))), layers=OF_GLUON
  ),
}

DYNET: Mapping[str, Layout] = {
  "dynet.VanillaLSTMBuilder": lstm((*kernels(("x2i", "h2i"), "ifog", True), Part("bi", (adding_1("ifog"),)))),
  "dynet.GRUBuilder": reset_before(
    tuple(
      part
      for gate, letter in (("z", "z"), ("r", "r"), ("n", "h"))
      for part in (
        Part(f"x2{letter}", (writing("input_kernel", gate),), transposed=True),
        Part(f"h2{letter}", (writing("recurrent_kernel", gate),), transposed=True),
        Part(f"b{letter}", (writing("bias", gate),)),
      )
    )
  ),
}
