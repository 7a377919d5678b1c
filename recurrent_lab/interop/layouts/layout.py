"""The words in which the tables of this folder say how a library stores the weights of a cell."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from recurrent_lab.cells import GRUParams, LSTMParams, PeepholeLSTMParams, ResetBeforeGRUParams, RNNParams
from recurrent_lab.cells.dense import MGUParams


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
    interleaved: whether the gates of a unit stand side by side, as `g₀ i₀ f₀ o₀ g₁ i₁ …`, and not the units of a gate.
  """

  name: str
  grid: tuple[tuple[Block, ...], ...]
  transposed: bool = False
  optional: bool = False
  interleaved: bool = False


class Layers(NamedTuple):
  """The way in which a library names the layers and directions of a module, or stacks them.

  Attributes:
    forward: the name of an array of a layer, from its `name` in the table and its `layer`.
    reverse: the name in the layer that runs backwards, or "" if the library has none.
    stacked: whether each array has a leading axis of one or two directions instead.
  """

  forward: str = "{name}"
  reverse: str = ""
  stacked: bool = False


class Packing(NamedTuple):
  """The way in which a library packs arrays that are not grids of blocks: dicts of arrays to dicts of grids, and back."""

  read: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
  write: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]


class Layout(NamedTuple):
  """The weights of one cell of another library.

  Attributes:
    params: the class of the lab's params that hold the same numbers.
    gates: the lab's gates, in the lab's order.
    cells: names in `CELLS` of cells that compute the same function of these params.
    parts: the arrays.
    note: a sentence for error messages on how this cell differs.
    layers: how the library names the layers of a module.
    packing: for arrays that are not grids of blocks.
  """

  params: Any
  gates: str
  cells: tuple[str, ...]
  parts: tuple[Part, ...]
  note: str = ""
  layers: Layers = Layers()
  packing: Packing | None = None


def row(field: str, gates: str) -> tuple[Block, ...]:
  """Returns the blocks of one field, side by side."""
  return tuple(Block(field, gate) for gate in gates)


def kernels(names: tuple[str, str], gates: str, transposed: bool = False) -> tuple[Part, ...]:
  """Returns an input kernel and a recurrent kernel, each with all gates side by side."""
  fields = ("input_kernel", "recurrent_kernel")
  return tuple(Part(name, (row(field, gates),), transposed) for name, field in zip(names, fields, strict=True))


def each(
  pattern: str, field: str, gates: str, keys: Mapping[str, str] = MappingProxyType({}), **options: bool
) -> tuple[Part, ...]:
  """Returns one array per gate. `keys` maps gates to their letters, where the other library uses other letters."""
  return tuple(Part(pattern.format(keys.get(gate, gate)), (row(field, gate),), **options) for gate in gates)


def joint(names: tuple[str, str], gates: str, optional: bool = True) -> tuple[Part, ...]:
  """Returns one kernel for the input above the state, `[I + H, kH]`, and its bias."""
  rows = (row("input_kernel", gates), row("recurrent_kernel", gates))
  return Part(names[0], rows), *biases(names[1], gates=gates, optional=optional)


def biases(*names: str, gates: str = "n", optional: bool = True) -> tuple[Part, ...]:
  """Returns bias vectors that are added to each other."""
  return tuple(Part(name, (row("bias", gates),), optional=optional) for name in names)


# Biases outside and inside the reset product.
OUTER = row("bias", "rzn")
INNER = (*row("bias", "rz"), Block("recurrent_bias", "n"))
# Two biases for r and z in one, as in OpenVINO and ncnn: the candidate alone has one outside and one inside.
BOTH = (*OUTER, Block("recurrent_bias", "n"))
# Names that several libraries share.
TORCH = ("weight_ih", "weight_hh")
NUMBERED = Layers("{name}_l{layer}", "{name}_l{layer}_reverse")
RNNS = ("rnn", "rnn_relu", "rnn_linear", "rnn_sigmoid", "rnn_leaky_relu", "rnn_softsign", "rnn_hard_tanh")


def lstm(parts: tuple[Part, ...], note: str = "", **options: Any) -> Layout:
  return Layout(LSTMParams, "ifgo", ("lstm",), parts, note, **options)


def peephole_lstm(parts: tuple[Part, ...], note: str = "", **options: Any) -> Layout:
  return Layout(PeepholeLSTMParams, "ifgo", ("peephole_lstm",), parts, note, **options)


def gru(parts: tuple[Part, ...], note: str = "", **options: Any) -> Layout:
  note = f" It resets after the recurrent product{note}."
  return Layout(GRUParams, "rzn", ("gru",), parts, note, **options)


def reset_before(parts: tuple[Part, ...], note: str = "", **options: Any) -> Layout:
  note = f" It resets before the recurrent product{note}."
  return Layout(ResetBeforeGRUParams, "rzn", ("gru_reset_before",), parts, note, **options)


def rnn(parts: tuple[Part, ...], cells: tuple[str, ...] = RNNS, note: str = "", **options: Any) -> Layout:
  return Layout(RNNParams, "n", cells, parts, note, **options)


def mgu(parts: tuple[Part, ...], note: str = "", **options: Any) -> Layout:
  return Layout(MGUParams, "fn", ("mgu",), parts, note, **options)


def adding_1(gates: str, field: str = "bias") -> tuple[Block, ...]:
  """Returns the biases of a library that adds 1 to the pre-activation of f at run time."""
  return tuple(Block(field, gate, shift=int(gate == "f")) for gate in gates)


def writing(field: str, gates: str) -> tuple[Block, ...]:
  """Returns the gates of a GRU whose z keeps the candidate where the lab's z keeps the state: σ(-a) = 1 - σ(a)."""
  return tuple(Block(field, gate, sign=-1 if gate == "z" else 1) for gate in gates)
