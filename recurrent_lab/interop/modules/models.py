"""Finds the recurrent net in a file or a tree of arrays, and puts it together as a `Cell` that the instruments take.

    model = import_model("net.safetensors")
    print(model)
    rl.product_log_norms(model.cell, model.params, xs)

A net whose layers all read forward is a `Model`: a stack, under its readout if it has one. A net with a layer that reads from the
last step to the first is a `BidirectionalModel`, because its output depends on future inputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import itertools
import os
from pathlib import Path
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np

from recurrent_lab.cell import Cell, Params
from recurrent_lab.combinators import stack
from recurrent_lab.interop.modules import files, keras_files, trees
from recurrent_lab.interop.modules.found import Found, Layer, Pair, Readout, dtypes
from recurrent_lab.readouts import WithReadoutParams, readout, with_readout
from recurrent_lab.sequences.unrolling import unroll

#: The suffixes of files that `import_model` reads.
SUFFIXES = (".keras", ".weights.h5", ".safetensors", ".npz", ".msgpack")

MOST_ORDERED = 6  # layers of which all orders are tried, for the advice in a message


@dataclass(frozen=True)
class Model:
  """A recurrent net whose layers all read in the same direction.

  Attributes:
    cell: the net: the cell of its only layer, or a stack, under `with_readout` if it has a readout.
    params: the params of `cell`, as NumPy arrays.
    layers: what was found, from the lowest layer to the highest.
    readout: the readout, or None.
    backwards: whether the file's net reads from the last step to the first. Give `cell` the inputs `xs[::-1]` then.
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
    raise ValueError(
      "This net reads in both directions, so a Jacobian product belongs to one direction of one layer:"
      ' choose it by model.direction("forward", xs, layer=0) or model.direction("backward", xs, layer=0).'
    )

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


def import_model(
  source: str | os.PathLike[str] | Any,
  *,
  layers: Sequence[str | tuple[str, str]] | None = None,
  readout: str | bool = True,
  activation: str | None = None,
  limit: int = files.LARGEST,
) -> Model | BidirectionalModel:
  """Finds the recurrent net in a file or in a tree of arrays.

  - Files: safetensors, npz, `.keras`, `.weights.h5` and msgpack of Flax. The first two hold state dicts of torch, or any tree of
    arrays under the names of its paths. No pickle is ever read.
  - Trees: state dicts of torch, variables of Flax, params of Haiku, modules of Equinox, `{v.path: v.numpy() for v in
    model.weights}` of Keras.

  Only a `.keras` file says in what order its layers stand, what stands between them, and their activations. In all others, layers
  whose names differ only in a number are stacked by that number, and anything else is asked for. The stack feeds every layer the
  outputs of the layer below. If the net does more between its layers, such as a residual sum, the stack is not that net.

  Args:
    source: the path of a file, or the tree.
    layers: the names of the recurrent layers, the lowest first, if they are not numbered or only some are wanted. A pair
      `(forward, backward)` stands for two directions of one layer.
    readout: the name of the dense layer on top. True takes the only one of that width, and False none.
    activation: the nonlinearity of simple recurrent layers, for files that do not say it. By default that of their library: tanh,
      or relu for Haiku.
    limit: the largest number of bytes of arrays to read.

  Raises:
    ValueError: for a file of another format than its name says, a truncated or damaged file, or one that could run code. Also
      if no recurrent layer is found, an array is missing or has a wrong shape, dtypes are mixed, or several nets are found.
    ModuleNotFoundError: if the library that reads the format is not installed; the extra `interop` has all of them.
  """
  found = _find(source, trees.Wanted(layers, readout, activation), limit)
  _check_chain(found)
  return _put_together(found)


def _find(source: Any, wanted: trees.Wanted, limit: int) -> Found:
  if not isinstance(source, str | os.PathLike):
    return trees.find(trees.named(source), wanted)
  path = Path(source)
  suffix = files.suffix_of(path)
  if suffix in files.REFUSED:
    reason, instead = files.REFUSED[suffix]
    raise files.BadFile(f"{path.name} is not read, since {reason}. {instead}.")
  if suffix in (".h5", ".hdf5"):
    raise files.BadFile(f"{path.name} has an older format of Keras. {files.HOW_TO_SAVE[3]}.")
  if suffix not in SUFFIXES:
    raise files.BadFile(f"{path.name} has none of the suffixes that import_model reads: {', '.join(SUFFIXES)}.")
  if suffix == ".keras":
    return keras_files.find_in_archive(path, wanted, limit)
  if suffix == ".weights.h5":
    return keras_files.find_in_weights(path, wanted, limit)
  read = {".safetensors": files.read_safetensors, ".npz": files.read_npz, ".msgpack": files.read_msgpack}[suffix]
  return trees.find(trees.named(read(path, limit)), wanted)


def _check_chain(found: Found) -> None:
  """Raises `ValueError` unless every layer takes as many numbers as the layer below puts out, in one dtype."""
  for below, above in zip(found.layers, found.layers[1:], strict=False):
    if below.output_size != above.input_size:
      raise ValueError(
        f"{above.name} takes {above.input_size} numbers per step, but {below.name} below it puts out"
        f" {below.output_size}.{_advice(found.layers)}"
      )
  parts = [*found.layers, *([found.readout] if found.readout else [])]
  precisions = {part.name: ", ".join(sorted(dtypes(part.params))) for part in parts}
  if len(set(precisions.values())) > 1:
    listed = "; ".join(f"{name}: {dtype}" for name, dtype in precisions.items())
    raise ValueError(f"The parts have different dtypes, which must be one ({listed}).")


def _advice(layers: Sequence[Layer | Pair]) -> str:
  """Returns a sentence that begins with a space, on how layers whose sizes do not fit could be connected; else nothing."""
  if (
    len(layers) == 2
    and all(isinstance(layer, Layer) for layer in layers)
    and layers[0].input_size == layers[1].input_size
  ):
    return f" As two directions of one layer, give layers=[({layers[0].name!r}, {layers[1].name!r})]."
  is_module = any(" layer " in layer.name for layer in layers)  # modules of torch have an order of their own
  if is_module or len(layers) > MOST_ORDERED:
    return ""
  fits = lambda order: all(a.output_size == b.input_size for a, b in itertools.pairwise(order))
  fitting = [order for order in itertools.permutations(layers) if fits(order)]
  if len(fitting) != 1:
    return ""
  return f" They fit in one order: layers=[{', '.join(repr(layer.name) for layer in fitting[0])}]."


def _put_together(found: Found) -> Model | BidirectionalModel:
  notes = found.notes
  if any("float64" in dtypes(layer.params) for layer in found.layers) and jnp.zeros((), float).dtype != np.float64:
    notes = (*notes, "The arrays are float64; JAX rounds them to float32 unless jax_enable_x64 is set.")
  layers = found.layers
  if any(isinstance(layer, Pair) or layer.backwards for layer in layers[1:]) or isinstance(layers[0], Pair):
    return BidirectionalModel(layers, found.readout, found.left_out, notes)
  single = tuple(layer for layer in layers if isinstance(layer, Layer))
  cell, params = single[0].cell, single[0].params
  if len(single) > 1:
    cell, params = stack(*(layer.cell for layer in single)), tuple(layer.params for layer in single)
  if found.readout is not None:
    kernel = found.readout.params.kernel
    cell = with_readout(cell, kernel.shape[1], found.readout.activation)
    params = WithReadoutParams(params, found.readout.params)
  return Model(cell, params, single, found.readout, single[0].backwards, found.left_out, notes)


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
