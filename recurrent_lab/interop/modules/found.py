"""The parts that are found in a file, before they are put together: layers, pairs of directions, and a readout."""

from typing import Any, NamedTuple

import jax

from recurrent_lab.cell import Cell, Params
from recurrent_lab.combinators import BidirectionalParams
from recurrent_lab.readouts import ReadoutParams

MERGES = ("concat", "sum", "ave", "mul")  # Keras' names; all other libraries concatenate


class Layer(NamedTuple):
  """One recurrent layer that reads in one direction.

  Attributes:
    name: where it was found.
    kind: the full name of the cell in its library, a key of `LAYOUTS` where it has one.
    cell: the cell.
    params: its params, as NumPy arrays.
    input_size: numbers per step that it takes.
    output_size: numbers per step that it puts out.
    backwards: whether it reads from the last step to the first. Its outputs then stay in the order in which it made them.
  """

  name: str
  kind: str
  cell: Cell
  params: Params
  input_size: int
  output_size: int
  backwards: bool = False


class Pair(NamedTuple):
  """Two layers that read the same inputs in opposite directions.

  Attributes:
    forward: the layer that reads from the first step to the last.
    backward: the layer that reads from the last step to the first. Its outputs are turned round before they are merged.
    merge: how the outputs of a step are merged, one of `MERGES`.
  """

  forward: Layer
  backward: Layer
  merge: str = "concat"

  @property
  def name(self) -> str:
    return f"{self.forward.name} and {self.backward.name}"

  @property
  def input_size(self) -> int:
    return self.forward.input_size

  @property
  def output_size(self) -> int:
    both = self.backward.output_size if self.merge == "concat" else 0
    return self.forward.output_size + both

  @property
  def params(self) -> BidirectionalParams:
    return BidirectionalParams(self.forward.params, self.backward.params)


class Readout(NamedTuple):
  """A dense layer on the outputs of the recurrent layers."""

  name: str  # where it was found
  params: ReadoutParams
  activation: str = "identity"  # a name in READOUTS


class Found(NamedTuple):
  """All that was found: layers from the lowest to the highest, and what is not one of them."""

  layers: tuple[Layer | Pair, ...]
  readout: Readout | None
  left_out: tuple[str, ...]  # names of other parts of the file
  notes: tuple[str, ...] = ()  # sentences on what the file does beside the layers


def made(name: str, kind: str, cell: Cell, params: Any, backwards: bool = False) -> Layer:
  """Returns a layer with the sizes of its params, which have an input kernel `[I, kH]`.

  A projection `[H, P]` decides the size of the outputs, if there is one.
  """
  units = params.recurrent_kernel.shape[0]
  return Layer(name, kind, cell, params, params.input_kernel.shape[0], units, backwards)


def dtypes(tree: Any) -> set[str]:
  """Returns the names of the dtypes of all arrays."""
  return {leaf.dtype.name for leaf in jax.tree.leaves(tree)}
