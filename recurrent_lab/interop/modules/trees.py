"""Finds recurrent layers and a readout among named arrays, by the names and shapes of `layouts.LAYOUTS`.

The kinds of `KINDS` are recognised by the names of their arrays, at any depth of the tree. Kinds that share all names (LSTM, GRU
and RNN of torch, Keras and NNX) are told apart by the number of blocks in their recurrent kernel. Other libraries have taken over
torch's names: those of Paddle and tinygrad mean the same, but `torchrecurrent.OriginalLSTMCell` has the arrays of a `GRUCell`.
"""

from collections.abc import Iterator, Sequence
import re
from typing import Any, NamedTuple

import jax
import numpy as np

from recurrent_lab.cells import RNNParams, get_cell, rnn
from recurrent_lab.interop.layouts import Layout
from recurrent_lab.interop.modules import order, paddle_states, torch_states
from recurrent_lab.interop.modules.dense import choose_readout, dense_layers
from recurrent_lab.interop.modules.files import Arrays
from recurrent_lab.interop.modules.found import Found, Layer, Pair, made
from recurrent_lab.interop.weights import get_layout, import_weights

#: The kinds that are found by their names. Of kinds that share names and shapes, the first one is taken.
KINDS = (
  "flax.linen.LSTMCell",
  "flax.linen.GRUCell",
  "flax.linen.SimpleCell",
  "flax.nnx.LSTMCell",
  "flax.nnx.OptimizedLSTMCell",
  "flax.nnx.GRUCell",
  "flax.nnx.SimpleCell",
  "haiku.LSTM",
  "haiku.GRU",
  "haiku.VanillaRNN",
  "keras.layers.LSTMCell",
  "keras.layers.GRUCell",
  "keras.layers.GRUCell(reset_after=False)",
  "keras.layers.SimpleRNNCell",
  "torch.nn.LSTM",
  "torch.nn.GRU",
  "torch.nn.RNN",
  "equinox.nn.LSTMCell",
  "equinox.nn.GRUCell",
  "mlx.nn.LSTM",
  "mlx.nn.GRU",
  "mlx.nn.RNN",
  "chainer.links.LSTM",
  "chainer.links.StatelessGRU",
  "chainer.links.NStepLSTM",
  "chainer.links.NStepGRU",
  "chainer.links.NStepRNNTanh",
)
DEEPEST = 2  # levels in the names of a layout: linear/w
# Names that layers of other kinds have too, so they are not a sign of a recurrent layer.
COMMON = {"kernel", "bias", "w", "b"}
# Haiku's LSTM and VanillaRNN are linear modules within a module; only the name of that module tells them from an MLP.
BY_MODULE = {"haiku.LSTM": r"(.*/)?lstm(_\d+)?/linear", "haiku.VanillaRNN": r"(.*/)?vanilla_rnn(_\d+)?"}


class Wanted(NamedTuple):
  """Choices of the caller: the arguments of `import_model`."""

  layers: Sequence[str | tuple[str, str]] | None = None
  readout: str | bool = True
  activation: str | None = None


def named(tree: Any) -> Arrays:
  """Returns the arrays of any tree by the path of each, with `/` between levels, or by their own names if it is a flat dict.

  Leaves that are not arrays, such as functions and texts, are left out.

  Raises:
    ValueError: for arrays that NumPy cannot hold, such as torch tensors on a GPU or in bfloat16.
  """
  arrays: Arrays = {}
  for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
    if not (hasattr(leaf, "shape") and hasattr(leaf, "dtype")):
      continue
    # A parameter of NNX is a node with one child.
    name = re.sub(r"/(value|raw_value)$", "", jax.tree_util.keystr(path, simple=True, separator="/"))
    try:
      arrays[name] = np.asarray(leaf.detach() if hasattr(leaf, "detach") else leaf)
    except (TypeError, RuntimeError) as error:
      reason = str(error).splitlines()[0].rstrip(".")
      raise ValueError(
        f"{name} cannot be a NumPy array ({reason}); save the net as safetensors and give its path."
      ) from error
  if not arrays:
    raise ValueError("There are no arrays; give import_model a file, or a dict of arrays by name.")
  return arrays


def find(arrays: Arrays, wanted: Wanted) -> Found:
  """Returns the recurrent layers among named arrays in their order, and the readout if there is one.

  Raises:
    ValueError: in the cases of `import_model`.
  """
  plain = {name.replace(".", "/"): name for name in arrays}  # one sign for one, so prefixes keep their length
  if len(plain) < len(arrays):
    raise ValueError("Two arrays have the same name except for the signs between its parts.")
  if own := next((name for name in plain if name.rpartition("/")[2] == "input_kernel"), None):
    raise ValueError(
      f"{plain[own]} is an array of the lab's own params; use load and from_named with the cell's params."
    )
  spelled = lambda prefix: next(
    (name[: len(prefix)] for n, name in plain.items() if n.startswith(f"{prefix}/")), prefix
  )
  modules, rest = torch_states.split(paddle_states.as_torch({name: arrays[own] for name, own in plain.items()}))
  units = [
    order.Unit(name := spelled(prefix) or "the net", torch_states.layers(name, states, wanted.activation))
    for prefix, states in modules.items()
  ]
  for prefix, kinds in _places(rest).items():
    layer, used = _layer(spelled(prefix) or "the net", prefix, kinds, wanted.activation)
    rest = {name: array for name, array in rest.items() if name not in used}
    units.append(order.Unit(layer.name, (layer,)))
  if not units:
    raise ValueError(f"No recurrent layer is found by name among {_listed(arrays)}.")
  layers = order.ordered(units, wanted.layers)
  dense = {spelled(prefix): one for prefix, one in dense_layers(rest).items()}
  readout, notes = choose_readout(dense, layers, wanted.readout)
  taken = {layer.name for layer in order.flat(layers)}
  unused = [unit.name for unit in units if not taken & {layer.name for layer in order.flat(unit.layers)}]
  others = dict.fromkeys(spelled(name.rpartition("/")[0]) or name for name in rest)
  left_out = [*unused, *(name for name in others if readout is None or name != readout.name)]
  return Found(layers, readout, tuple(left_out), (*notes, *_said(layers, wanted.activation)))


def _places(arrays: Arrays) -> dict[str, dict[str, Arrays]]:
  """Returns the paths at which a recurrent layer stands, with the kinds that have most of its names, and its arrays for each.

  A path counts if it has more than half of the arrays that a kind needs, so that a layer with a missing array is noticed.
  """
  groups: dict[str, Arrays] = {}
  for name, array in arrays.items():
    levels = name.split("/")
    for depth in range(1, min(DEEPEST, len(levels)) + 1):
      groups.setdefault("/".join(levels[:-depth]), {})["/".join(levels[-depth:])] = array
  places = {}
  for prefix, group in groups.items():
    given = {kind: _of_layout(get_layout(kind), group) for kind in KINDS}
    scores = {kind: _score(kind, given[kind], prefix) for kind in KINDS}
    if best := max(scores.values()):
      places[prefix] = {kind: given[kind] for kind in KINDS if scores[kind] == best}
  return places


def _of_layout(layout: Layout, group: Arrays) -> Arrays:
  """Returns the arrays whose names begin as those of a layout."""
  firsts = {part.name.partition("/")[0] for part in layout.parts}
  return {name: array for name, array in group.items() if name.partition("/")[0] in firsts}


def _score(kind: str, given: Arrays, prefix: str) -> int:
  """Returns how many names fit, less those that do not; 0 if they are not a sign of this kind."""
  parts = get_layout(kind).parts
  names = {part.name for part in parts}
  is_sign = re.fullmatch(BY_MODULE[kind], prefix) if kind in BY_MODULE else given.keys() & (names - COMMON)
  score = len(given.keys() & names) - len(given.keys() - names)
  needed = sum(not part.optional for part in parts)
  return score if is_sign and 2 * score > needed else 0


def _layer(name: str, prefix: str, kinds: dict[str, Arrays], activation: str | None) -> tuple[Layer, set[str]]:
  """Returns the layer at a path, and the names of its arrays.

  Raises:
    ValueError: if no kind fits. The message is that of the first kind.
  """
  first: ValueError | None = None
  for kind in _with_blocks(name, kinds):
    pattern = get_layout(kind).layers.forward
    numbered = {pattern.format(name=inner, layer=0): array for inner, array in kinds[kind].items()}
    try:
      params = import_weights(kind, numbered, exact=False)
    except ValueError as error:
      first = first or error
      continue
    own = get_layout(kind).cells[0]
    cell = rnn(activation) if activation and own.startswith("rnn") else get_cell(own)
    start = f"{prefix}/" if prefix else ""
    return made(name, kind, cell, params), {f"{start}{inner}" for inner in kinds[kind]}
  raise ValueError(f"{name}: {first or 'no kind of layer has as many blocks'}")


def _with_blocks(name: str, kinds: dict[str, Arrays]) -> Iterator[str]:
  """Yields the kinds whose recurrent kernel has as many blocks as the given one, or all if a kernel is missing.

  Raises:
    ValueError: if the kernels have shapes that no kind has.
  """
  for kind, given in kinds.items():
    parts = {part.grid[-1][0].field: part for part in get_layout(kind).parts if len(part.grid) == 1}
    kernels = [parts[field] for field in ("input_kernel", "recurrent_kernel") if field in parts]
    if len(kinds) > 1 and len(kernels) == 2 and all(part.name in given for part in kernels):
      turned = [given[part.name].T if part.transposed else given[part.name] for part in kernels]
      if torch_states.blocks(name, *turned) != len(kernels[1].grid[0]):
        continue
    yield kind


def _said(layers: Sequence[Layer | Pair], activation: str | None) -> list[str]:
  """Returns sentences on what the arrays do not say.

  Raises:
    ValueError: for an `activation` that no layer has.
  """
  found = order.flat(layers)
  simple = [layer.name for layer in found if isinstance(layer.params, RNNParams)]
  if activation and not simple:
    raise ValueError(
      f"activation is {activation!r}, but there is no simple recurrent layer; gated ones have their own."
    )
  said = []
  if simple and not activation:
    said.append(f"The arrays do not hold the nonlinearity of {', '.join(simple)}: the default of its library is taken.")
  if any(layer.kind == "haiku.LSTM" for layer in found):
    said.append("Haiku adds 1 to the forget gate at run time; here it is a part of the bias.")
  return said


def _listed(arrays: Arrays) -> str:
  """Lists the first names."""
  names = list(arrays)
  return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
