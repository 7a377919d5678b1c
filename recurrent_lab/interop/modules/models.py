"""The two types of nets that `import_model` returns.

A net whose layers all read in the same direction is a `Model`: a stack, under its readout if it has one. A net that reads in both
directions is a `BidirectionalModel`, because its outputs depend on future inputs.
"""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab.cell import Cell, Params
from recurrent_lab.interop.modules.found import Layer, Pair, Readout
from recurrent_lab.readouts import readout
from recurrent_lab.sequences.unrolling import unroll

ONE_DIRECTION = (
  "This net reads in both directions, so a Jacobian product belongs to one direction of one layer:"
  ' choose it by model.direction("forward", xs, layer=0) or model.direction("backward", xs, layer=0).'
)


@dataclass(frozen=True)
class Model:
  """A recurrent net whose layers all read in the same direction.

  Attributes:
    cell: the net: the cell of its only layer, or a stack, under `with_readout` if it has a readout.
    params: the params of `cell`, as NumPy arrays.
    layers: what was found, from the lowest layer to the highest.
    readout: the readout, or None.
    backwards: whether the file's net reads from the last step to the first. Give `cell` the inputs `xs[::-1]`
      then; its outputs come in the order in which it reads.
    left_out: other parts of the file, which are not in `cell`.
    notes: sentences on what the file's net does beside its layers.
  """

  cell: Cell
  params: Params
  layers: tuple[Layer, ...]
  readout: Readout | None
  backwards: bool
  left_out: tuple[str, ...]
  notes: tuple[str, ...]

  def __str__(self) -> str:
    return _described(self)


@dataclass(frozen=True)
class BidirectionalModel:
  """A recurrent net with a layer that reads from the last step to the first, so it is no `Cell`.

  Attributes:
    layers: layers and pairs of layers, from the lowest to the highest.
    readout: the readout, or None.
    left_out: other parts of the file.
    notes: sentences on what the file's net does beside its layers.
  """

  layers: tuple[Layer | Pair, ...]
  readout: Readout | None
  left_out: tuple[str, ...]
  notes: tuple[str, ...]

  def __str__(self) -> str:
    return _described(self)

  @property
  def cell(self) -> Cell:
    """Raises `ValueError`, because no single cell computes this net."""
    raise ValueError(ONE_DIRECTION)

  @property
  def params(self) -> Params:
    """Raises `ValueError` as `cell` does. The params of a direction are those of its layer."""
    raise ValueError(ONE_DIRECTION)

  def inputs(self, xs: Float[Array, "T *batch I"]) -> tuple[Float[Array, "T *batch _"], ...]:
    """Returns the inputs of every layer, from `xs` on, and the outputs of the highest layer as the last entry."""
    inputs = [jnp.asarray(xs)]
    for layer in self.layers:
      inputs.append(_run(layer, inputs[-1]))
    return tuple(inputs)

  def outputs(self, xs: Float[Array, "T *batch I"]) -> Float[Array, "T *batch O"]:
    """Returns the outputs of the net, after its readout if it has one."""
    outputs = self.inputs(xs)[-1]
    return outputs if self.readout is None else readout(self.readout.params, outputs, self.readout.activation)

  def direction(self, which: str, xs: Float[Array, "T *batch I"], layer: int = 0) -> tuple[Cell, Params, Array]:
    """Returns one direction of one layer as the first three arguments of an instrument.

        rl.product_log_norms(*model.direction("backward", xs))

    Args:
      which: `forward` or `backward`.
      xs: the inputs of the net `[T, ..., I]`.
      layer: the number of the layer, from 0 for the lowest.

    Returns:
      `(cell, params, inputs)`. The inputs are those of the layer, in the order in which this direction reads them.

    Raises:
      ValueError: for another `which`, or a layer or direction that the net does not have.
    """
    if which not in ("forward", "backward"):
      raise ValueError(f"which is {which!r}; choose forward or backward.")
    if not 0 <= layer < len(self.layers):
      raise ValueError(f"layer is {layer}; the net has layers 0 to {len(self.layers) - 1}.")
    found = self.layers[layer]
    if isinstance(found, Layer):
      if found.backwards != (which == "backward"):
        raise ValueError(f"Layer {layer}, {found.name}, reads in one direction only: not {which}.")
    else:
      found = found.forward if which == "forward" else found.backward
    inputs = self.inputs(xs)[layer]
    return found.cell, found.params, inputs if which == "forward" else inputs[::-1]


def _run(layer: Layer | Pair, xs: Array) -> Array:
  """Returns the outputs of a layer in the order of the net."""
  if isinstance(layer, Layer):
    return unroll(layer.cell, layer.params, xs[::-1] if layer.backwards else xs)[1]
  ahead = unroll(layer.forward.cell, layer.forward.params, xs)[1]
  back = unroll(layer.backward.cell, layer.backward.params, xs[::-1])[1][::-1]
  if layer.merge == "concat":
    return jnp.concatenate([ahead, back], axis=-1)
  return {"sum": ahead + back, "ave": (ahead + back) / 2, "mul": ahead * back}[layer.merge]


def _described(model: Model | BidirectionalModel) -> str:
  """Returns one line per layer, then the readout, what was left out, and the notes."""
  lines = []
  for layer in model.layers:
    both = (layer.forward, layer.backward) if isinstance(layer, Pair) else (layer,)
    for one in both:
      way = " backwards" if one.backwards else ""
      lines.append(f"{one.name}: {one.kind}, {one.input_size} → {one.output_size}{way}")
  if model.readout is not None:
    inputs, outputs = model.readout.params.kernel.shape
    lines.append(f"{model.readout.name}: readout, {inputs} → {outputs}, {model.readout.activation}")
  if model.left_out:
    lines.append(f"left out: {', '.join(model.left_out)}")
  return "\n".join([*lines, *model.notes])
