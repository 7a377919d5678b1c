"""Libraries on JAX: Flax, Haiku, Equinox, brainstate and rnn-jax.

Haiku and brainstate add 1 to the pre-activation of the forget gate at run time, so a forget bias of 0 in their arrays is 1 here.
Their GRUs write with z where the lab keeps with z, which is a change of sign.

rnn-jax's `LongShortTermMemory` and `GatedRecurrentUnit` hold a cell of Equinox in their fields `lstm` and `gru`: use the tables
of Equinox for these. Its `GatedRecurrentUnitCell` is not a GRU, because its candidate has the kernels of the update gate.
"""

from collections.abc import Mapping
from types import MappingProxyType

from recurrent_lab.interop.layouts.layout import (
  OUTER,
  TORCH,
  Layout,
  Part,
  adding_1,
  biases,
  each,
  gru,
  joint,
  kernels,
  lstm,
  mgu,
  reset_before,
  rnn,
  row,
  writing,
)


def flax_lstm(keys: Mapping[str, str] = MappingProxyType({})) -> tuple[Part, ...]:
  return (
    *each("i{}/kernel", "input_kernel", "ifgo", keys),
    *each("h{}/kernel", "recurrent_kernel", "ifgo"),
    *each("h{}/bias", "bias", "ifgo"),
  )


FLAX: Mapping[str, Layout] = {
  "flax.linen.LSTMCell": lstm(flax_lstm()),
  "flax.linen.OptimizedLSTMCell": lstm(flax_lstm()),
  "flax.linen.GRUCell": gru(
    (
      *each("i{}/kernel", "input_kernel", "rzn"),
      *each("h{}/kernel", "recurrent_kernel", "rzn"),
      *each("i{}/bias", "bias", "rzn"),
      *each("h{}/bias", "recurrent_bias", "n"),
    )
  ),
  "flax.linen.SimpleCell": rnn((*kernels(("i/kernel", "h/kernel"), "n"), *biases("i/bias", optional=False))),
  "flax.nnx.LSTMCell": lstm(flax_lstm({"f": "f_"})),
  "flax.nnx.OptimizedLSTMCell": lstm(
    (*kernels(("dense_i/kernel", "dense_h/kernel"), "ifgo"), *biases("dense_h/bias", gates="ifgo", optional=False))
  ),
  "flax.nnx.GRUCell": gru(
    (*kernels(("dense_i/kernel", "dense_h/kernel"), "rzn"), *biases("dense_i/bias", gates="rzn", optional=False)),
    note=", without a bias inside the reset",
  ),
  "flax.nnx.SimpleCell": rnn(
    (*kernels(("dense_i/kernel", "dense_h/kernel"), "n"), *biases("dense_i/bias", optional=False))
  ),
}

HAIKU: Mapping[str, Layout] = {
  "haiku.VanillaRNN": rnn(
    (
      *kernels(("linear/w", "linear_1/w"), "n"),
      *biases("linear/b", optional=False),
      *biases("linear_1/b"),
    ),
    ("rnn_relu",),
  ),
  "haiku.LSTM": lstm(
    (
      Part("w", (row("input_kernel", "igfo"), row("recurrent_kernel", "igfo"))),
      Part("b", (adding_1("igfo"),)),
    )
  ),
  "haiku.GRU": reset_before(
    (
      Part("w_i", (writing("input_kernel", "zrn"),)),
      Part("w_h", (writing("recurrent_kernel", "zrn"),)),
      Part("b", (writing("bias", "zrn"),)),
    )
  ),
}

EQUINOX: Mapping[str, Layout] = {
  "equinox.nn.LSTMCell": lstm((*kernels(TORCH, "ifgo", True), *biases("bias", gates="ifgo"))),
  "equinox.nn.GRUCell": gru(
    (
      *kernels(TORCH, "rzn", True),
      Part("bias", (OUTER,), optional=True),
      Part("bias_n", (row("recurrent_bias", "n"),), optional=True),
    )
  ),
}

BRAINSTATE: Mapping[str, Layout] = {
  "brainstate.nn.ValinaRNNCell": rnn(joint(("W/weight", "W/bias"), "n")),
  "brainstate.nn.LSTMCell": lstm(
    (
      Part("W/weight", (row("input_kernel", "igfo"), row("recurrent_kernel", "igfo"))),
      Part("W/bias", (adding_1("igfo"),), optional=True),
    )
  ),
  "brainstate.nn.GRUCell": reset_before(
    (
      Part("Wrz/weight", (writing("input_kernel", "rz"), writing("recurrent_kernel", "rz"))),
      Part("Wrz/bias", (writing("bias", "rz"),), optional=True),
      *joint(("Wh/weight", "Wh/bias"), "n"),
    )
  ),
  "brainstate.nn.MGUCell": mgu((*joint(("Wf/weight", "Wf/bias"), "f"), *joint(("Wh/weight", "Wh/bias"), "n"))),
}

RNN_JAX: Mapping[str, Layout] = {
  "rnn_jax.cells.ElmanRNNCell": rnn(
    (*kernels(("w_ih", "w_hh"), "n", True), *biases("b", optional=False)),
    ("rnn_relu", "rnn"),
  ),
  "rnn_jax.cells.LongShortTermMemoryCell": lstm(
    (
      *each("w_{}i", "input_kernel", "ifgo", {"g": "c"}, transposed=True),
      *each("w_{}h", "recurrent_kernel", "ifgo", {"g": "c"}, transposed=True),
      *each("b_{}", "bias", "ifgo", {"g": "c"}),
    ),
    note=" Its nonlinearity is relu by default and must be tanh.",
  ),
}
