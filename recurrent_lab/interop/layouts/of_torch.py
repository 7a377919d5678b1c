"""torch, and libraries in its manner: torchrecurrent, Paddle, MLX and tinygrad.

The gates stand below each other in kernels that are `(out, in)`. torch, Paddle and tinygrad add two biases.

Paddle's names mislead in a module with a projection and several layers or directions. It counts four arrays per cell where there
are five, so `weight_hh_l1` holds the input kernel of layer 1 (Paddle 3.3.1). Its state dicts hold the same arrays again as
`1.cell.weight_ih`, which are right, and `import_model` takes these. Without a projection, both names agree.
"""

from collections.abc import Mapping

from recurrent_lab.cells import NoForgetLSTMParams
from recurrent_lab.interop.layouts.layout import (
  INNER,
  NUMBERED,
  OUTER,
  TORCH,
  Layout,
  Part,
  biases,
  gru,
  kernels,
  lstm,
  mgu,
  peephole_lstm,
  rnn,
  row,
)


def two_biases(gates: str) -> tuple[Part, ...]:
  """Returns kernels and biases under the names of torch, with two biases that are added."""
  return (*kernels(TORCH, gates, True), *biases("bias_ih", "bias_hh", gates=gates))


TORCH_GRU = (
  *kernels(TORCH, "rzn", True),
  Part("bias_ih", (OUTER,), optional=True),
  Part("bias_hh", (INNER,), optional=True),
)
NO_PROJECTION = " The lab's LSTM has no projection (weight_hr)."

OF_TORCH: Mapping[str, Layout] = {
  "torch.nn.RNN": rnn(two_biases("n"), ("rnn", "rnn_relu"), layers=NUMBERED),
  "torch.nn.LSTM": lstm(two_biases("ifgo"), note=NO_PROJECTION, layers=NUMBERED),
  "torch.nn.GRU": gru(TORCH_GRU, layers=NUMBERED),
  "torchrecurrent.OriginalLSTMCell": Layout(NoForgetLSTMParams, "igo", ("lstm_1997",), two_biases("igo")),
  "torchrecurrent.PeepholeLSTMCell": peephole_lstm((*two_biases("ifgo"), Part("weight_ph", (row("peephole", "ifo"),)))),
  "torchrecurrent.MGUCell": mgu(two_biases("fn")),
}

PADDLE: Mapping[str, Layout] = {
  "paddle.nn.SimpleRNN": rnn(two_biases("n"), ("rnn", "rnn_relu"), layers=NUMBERED),
  "paddle.nn.LSTM": lstm(
    two_biases("ifgo"),
    note=f"{NO_PROJECTION} With one, Paddle's names are shifted against its arrays from layer 1 on.",
    layers=NUMBERED,
  ),
  "paddle.nn.GRU": gru(TORCH_GRU, layers=NUMBERED),
}

MLX: Mapping[str, Layout] = {
  "mlx.nn.RNN": rnn((*kernels(("Wxh", "Whh"), "n", True), *biases("bias"))),
  "mlx.nn.LSTM": lstm((*kernels(("Wx", "Wh"), "ifgo", True), *biases("bias", gates="ifgo"))),
  "mlx.nn.GRU": gru(
    (
      *kernels(("Wx", "Wh"), "rzn", True),
      Part("b", (OUTER,), optional=True),
      Part("bhn", (row("recurrent_bias", "n"),), optional=True),
    )
  ),
}

TINYGRAD: Mapping[str, Layout] = {"tinygrad.nn.LSTMCell": lstm(two_biases("ifgo"))}
