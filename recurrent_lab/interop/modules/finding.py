"""Finds the recurrent net in a file or a tree of arrays, and puts it together.

model = import_model("net.safetensors")
print(model)
rl.product_log_norms(model.cell, model.params, xs)
"""

from collections.abc import Sequence
import itertools
import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from recurrent_lab.combinators import stack
from recurrent_lab.interop.modules import files, keras_files, onnx_graphs, trees
from recurrent_lab.interop.modules.found import Found, Layer, Pair, Readout, dtypes
from recurrent_lab.interop.modules.models import BidirectionalModel, Model
from recurrent_lab.readouts import WithReadoutParams, with_readout

#: The suffixes of files that `import_model` reads.
SUFFIXES = (".keras", ".weights.h5", ".safetensors", ".npz", ".msgpack", ".onnx")
DTYPES = ("float16", "bfloat16", "float32", "float64")
MOST_ORDERED = 6  # layers of which all orders are tried, for the advice in a message


def import_model(
  source: str | os.PathLike[str] | Any,
  *,
  layers: str | Sequence[str | tuple[str, str]] | None = None,
  readout: str | bool = True,
  activation: str | None = None,
  limit: int = files.LARGEST,
) -> Model | BidirectionalModel:
  """Finds the recurrent net in a file or in a tree of arrays.

  - Files: safetensors, npz, `.keras`, `.weights.h5`, msgpack of Flax, and ONNX. The first two hold state dicts of torch, or any
    tree of arrays under the names of its paths. No pickle is ever read.
  - Trees: state dicts of torch, variables of Flax, params of Haiku, modules of Equinox, `{v.path: v.numpy() for v in
    model.weights}` of Keras.

  Files of Keras and ONNX say how their layers are connected, and what they cannot stack is refused. In all others, layers whose
  names differ only in a number are stacked by that number, and other orders are asked for. The stack feeds every layer the
  outputs of the layer below. If the net does more between its layers, such as a residual sum, the stack is not that net.

  Args:
    source: the path of a file, or the tree.
    layers: the name of the recurrent layer, or the names of several, the lowest first, if they are not numbered or only some are
      wanted. A pair `(forward, backward)` stands for two directions of one layer.
    readout: the name of the dense layer on top. True takes the only one of that width, and False none.
    activation: the nonlinearity of simple recurrent layers, for files that do not say it. By default that of their library: tanh,
      or relu for Haiku.
    limit: the largest number of bytes of arrays to read.

  Raises:
    ValueError: for a file of another format than its name says, a truncated or damaged file, or one that could run code. Also
      if no recurrent layer is found, an array is missing or has a wrong shape, dtypes are mixed, or several nets are found.
    ModuleNotFoundError: if the library that reads the format is not installed; the extras `interop` and `onnx` have all of them.
  """
  chosen = [layers] if isinstance(layers, str) else layers
  found = _find(source, trees.Wanted(chosen, readout, activation), limit)
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
    raise files.BadFile(
      f"{path.name}: a name that ends in {suffix} is of an older format of Keras, which is not read. {files.HOW_TO_SAVE[3]}."
    )
  if suffix not in SUFFIXES:
    raise files.BadFile(f"{path.name} has none of the suffixes that import_model reads: {', '.join(SUFFIXES)}.")
  files.check_file(path)
  if suffix == ".keras":
    return keras_files.find_in_archive(path, wanted, limit)
  if suffix == ".weights.h5":
    return keras_files.find_in_weights(path, wanted, limit)
  if suffix == ".onnx":
    return onnx_graphs.find_in_onnx(path, wanted, limit)
  read = {".safetensors": files.read_safetensors, ".npz": files.read_npz, ".msgpack": files.read_msgpack}[suffix]
  return trees.find(trees.named(read(path, limit)), wanted)


def _check_chain(found: Found) -> None:
  """Raises `ValueError` unless every layer takes as many numbers as the layer below puts out, in one dtype."""
  for below, above in itertools.pairwise(found.layers):
    if below.output_size != above.input_size:
      raise ValueError(
        f"{above.name} takes {above.input_size} numbers per step, but {below.name} below it puts out"
        f" {below.output_size}.{_advice(found.layers)}"
      )
  precisions = {part.name: ", ".join(sorted(dtypes(part.params))) for part in _parts(found)}
  if len(set(precisions.values())) > 1:
    listed = "; ".join(f"{name}: {dtype}" for name, dtype in precisions.items())
    raise ValueError(f"The parts have different dtypes, which must be one ({listed}).")
  if next(iter(precisions.values())) not in DTYPES:
    raise ValueError(
      f"The arrays have dtype {next(iter(precisions.values()))}; the lab computes in {', '.join(DTYPES)}."
    )


def _parts(found: Found) -> list[Layer | Pair | Readout]:
  return [*found.layers, *([found.readout] if found.readout else [])]


def _is_finite(params: Any) -> bool:
  return all(np.isfinite(array).all() for array in jax.tree.leaves(params))


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
  if broken := [part.name for part in _parts(found) if not _is_finite(part.params)]:
    notes = (*notes, f"The arrays of {', '.join(broken)} hold numbers that are not finite.")
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
