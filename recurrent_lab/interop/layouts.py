"""A table of how other libraries store the weights of a cell.

Each of their arrays is a grid of blocks. Each block holds the numbers of one gate in one field of the lab's params:

    ours = sign · theirs + shift

The gates of the lab are `i f g o` (LSTM) and `r z n` with h_t = (1 - z_t) ⊗ n_t + z_t ⊗ h_{t-1} (GRU). Its kernels are
`(in, out)`. If two blocks belong to the same gate and field, they are added: torch and Keras have two biases where one is enough.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from recurrent_lab.cells import GRUParams, LSTMParams, ResetBeforeGRUParams, RNNParams


class Block(NamedTuple):
  """The numbers of one gate in one field: ours = sign · theirs + shift."""

  field: str
  gate: str
  sign: int = 1
  shift: int = 0


class Part(NamedTuple):
  """An array of the other library.

  Attributes:
    name: its path; the levels of nested dicts are joined by `/`.
    grid: its rows of blocks, after transposing. Each row of biases is a vector, and an array with a single row of biases is a
      vector too.
    transposed: whether the array is `(out, in)`.
    optional: whether a module may be built without the array. Its numbers are then 0.
  """

  name: str
  grid: tuple[tuple[Block, ...], ...]
  transposed: bool = False
  optional: bool = False


class Layout(NamedTuple):
  """The weights of one cell of another library.

  Attributes:
    params: the class of the lab's params that hold the same numbers.
    gates: the lab's gates, in the lab's order.
    cells: names in `CELLS` of cells that compute the same function of these params.
    parts: the arrays.
    note: a sentence for error messages on how this cell differs.
  """

  params: Any
  gates: str
  cells: tuple[str, ...]
  parts: tuple[Part, ...]
  note: str = ""


def row(field: str, gates: str) -> tuple[Block, ...]:
  """Returns the blocks of one field, side by side."""
  return tuple(Block(field, gate) for gate in gates)


def kernels(names: tuple[str, str], gates: str, transposed: bool = False) -> tuple[Part, ...]:
  """Returns an input kernel and a recurrent kernel, each with all gates side by side."""
  fields = ("input_kernel", "recurrent_kernel")
  return tuple(Part(name, (row(field, gates),), transposed) for name, field in zip(names, fields, strict=True))


def each(pattern: str, field: str, gates: str, keys: Mapping[str, str] = MappingProxyType({})) -> tuple[Part, ...]:
  """Returns one array per gate. `keys` maps gates to their letters, where the other library uses other letters."""
  return tuple(Part(pattern.format(keys.get(gate, gate)), (row(field, gate),)) for gate in gates)


def flax_lstm(keys: Mapping[str, str] = MappingProxyType({})) -> tuple[Part, ...]:
  return (
    *each("i{}/kernel", "input_kernel", "ifgo", keys),
    *each("h{}/kernel", "recurrent_kernel", "ifgo"),
    *each("h{}/bias", "bias", "ifgo"),
  )


def biases(*names: str, gates: str = "n", optional: bool = True) -> tuple[Part, ...]:
  """Returns bias vectors that are added to each other."""
  return tuple(Part(name, (row("bias", gates),), optional=optional) for name in names)


# Biases outside and inside the reset product.
OUTER = row("bias", "rzn")
INNER = (*row("bias", "rz"), Block("recurrent_bias", "n"))
TORCH = ("weight_ih", "weight_hh")
KERAS = ("kernel", "recurrent_kernel")
RNNS = ("rnn", "rnn_relu", "rnn_linear", "rnn_sigmoid", "rnn_leaky_relu", "rnn_softsign", "rnn_hard_tanh")


def lstm(parts: tuple[Part, ...], note: str = "") -> Layout:
  return Layout(LSTMParams, "ifgo", ("lstm",), parts, note)


def gru(parts: tuple[Part, ...], note: str = "") -> Layout:
  note = f" It resets after the recurrent product{note}."
  return Layout(GRUParams, "rzn", ("gru",), parts, note)


def reset_before(parts: tuple[Part, ...]) -> Layout:
  return Layout(ResetBeforeGRUParams, "rzn", ("gru_reset_before",), parts, " It resets before the recurrent product.")


def rnn(parts: tuple[Part, ...], cells: tuple[str, ...] = RNNS) -> Layout:
  return Layout(RNNParams, "n", cells, parts)


# Haiku's LSTM adds 1 to the pre-activation of f at run time.
HAIKU_LSTM_BIAS = (Block("bias", "i"), Block("bias", "g"), Block("bias", "f", shift=1), Block("bias", "o"))


def haiku_gru(field: str) -> tuple[Block, ...]:
  """Returns the gates of Haiku's GRU. Its z keeps the candidate where the lab's z keeps the state: σ(-a) = 1 - σ(a)."""
  return (Block(field, "z", sign=-1), Block(field, "r"), Block(field, "n"))


#: The layouts of the weights of other libraries, by the full name of the cell.
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
  {
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
    "torch.nn.RNN": rnn((*kernels(TORCH, "n", True), *biases("bias_ih", "bias_hh")), ("rnn", "rnn_relu")),
    "torch.nn.LSTM": lstm(
      (*kernels(TORCH, "ifgo", True), *biases("bias_ih", "bias_hh", gates="ifgo")),
      note=" The lab's LSTM has no projection (weight_hr).",
    ),
    "torch.nn.GRU": gru(
      (
        *kernels(TORCH, "rzn", True),
        Part("bias_ih", (OUTER,), optional=True),
        Part("bias_hh", (INNER,), optional=True),
      )
    ),
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
        Part("b", (HAIKU_LSTM_BIAS,)),
      )
    ),
    "haiku.GRU": reset_before(
      (
        Part("w_i", (haiku_gru("input_kernel"),)),
        Part("w_h", (haiku_gru("recurrent_kernel"),)),
        Part("b", (haiku_gru("bias"),)),
      )
    ),
    "keras.layers.SimpleRNNCell": rnn((*kernels(KERAS, "n"), *biases("bias"))),
    "keras.layers.LSTMCell": lstm((*kernels(KERAS, "ifgo"), *biases("bias", gates="ifgo"))),
    "keras.layers.GRUCell": gru(
      (*kernels(KERAS, "zrn"), Part("bias", tuple((b[1], b[0], b[2]) for b in (OUTER, INNER)), optional=True))
    ),
    "keras.layers.GRUCell(reset_after=False)": reset_before((*kernels(KERAS, "zrn"), *biases("bias", gates="zrn"))),
    "equinox.nn.LSTMCell": lstm((*kernels(TORCH, "ifgo", True), *biases("bias", gates="ifgo"))),
    "equinox.nn.GRUCell": gru(
      (
        *kernels(TORCH, "rzn", True),
        Part("bias", (OUTER,), optional=True),
        Part("bias_n", (row("recurrent_bias", "n"),), optional=True),
      )
    ),
  }
)

# Cells that have no counterpart in the lab, with the reason.
REFUSED: Mapping[str, str] = MappingProxyType(
  {
    "flax.linen.MGUCell": "the lab has no minimal gated unit",
    "flax.linen.ConvLSTMCell": "the lab has no convolutions",
    "equinox.nn.RNNCell": "Equinox has no simple recurrent cell",
  }
)
