"""The functions that recurrent layers compute, for every order of their gates at once.

Each step starts from the outputs that were given, so no error grows along the run, and all steps are computed together. The
cell state of an LSTM alone is not given; it is computed from 0 on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations, product
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from recurrent_lab.interop.identification.arrangements import Arrangement

Function = Callable[[np.ndarray], np.ndarray]

GATES: Mapping[str, Function] = MappingProxyType(
  {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "hard sigmoid of slope 1/6": lambda a: np.clip(a / 6 + 0.5, 0, 1),
    "hard sigmoid of slope 1/5": lambda a: np.clip(a / 5 + 0.5, 0, 1),
  }
)
NODES: Mapping[str, Function] = MappingProxyType(
  {
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "sigmoid": GATES["sigmoid"],
    "identity": lambda a: a,
    "leaky_relu": lambda a: np.where(a > 0, a, 0.01 * a),
    "softsign": lambda a: a / (1 + np.abs(a)),
    "hard_tanh": lambda a: np.clip(a, -1, 1),
  }
)


class Run(NamedTuple):
  """Inputs and outputs of a layer, and the output before each step, which is 0 before the first."""

  xs: np.ndarray  # [T, B, I]
  outputs: np.ndarray  # [T, B, H]
  before: np.ndarray  # [T, B, H]


class Variant(NamedTuple):
  """A function of a family."""

  family: str
  order: str  # the gates in the order of the blocks
  gate: str = "sigmoid"
  node: str = "tanh"  # the candidate's nonlinearity
  output: str = "tanh"  # the nonlinearity of an LSTM's cell state
  shift: int = 0  # what is added to the forget gate at run time
  reset: str = ""  # a GRU resets before or after the recurrent product
  update: str = ""  # z of a GRU `keeps` the state or `writes` the candidate


class _Parts(NamedTuple):
  """Pre-activations of blocks, without the recurrent part in `x` and with all of it in `whole`."""

  x: np.ndarray  # [k, T, B, H], without biases
  h: np.ndarray  # [k, T, B, H], without biases
  whole: np.ndarray  # [k, T, B, H], with all biases


class _Orders:
  """Takes the blocks of a gate in several orders of the gates at once."""

  def __init__(self, orders: Sequence[str]) -> None:
    self.orders = orders

  def of(self, gate: str, blocks: np.ndarray) -> np.ndarray:
    """Returns `[orders, ...]` from blocks `[k, ...]`."""
    return blocks[[order.index(gate) for order in self.orders]]


def orders_of(family: str) -> list[str]:
  """Returns all orders of the gates of a family."""
  return ["".join(order) for order in permutations(LETTERS[family])]


def variants(family: str) -> Iterator[Variant]:
  """Yields the functions of a family, with an empty order."""
  if family == "rnn":
    yield from (Variant(family, "", node=node) for node in NODES)
  elif family in ("gru", "mgu"):
    for gate, node, reset, update in product(GATES, ("tanh", "relu"), ("after", "before"), ("keeps", "writes")):
      yield Variant(family, "", gate, node, reset=reset, update=update)
  else:
    shifts = (0, 1) if "f" in LETTERS[family] else (0,)
    for gate, (node, output), shift in product(GATES, _NODE_PAIRS, shifts):
      yield Variant(family, "", gate, node, output, shift)


def outputs(variant: Variant, orders: Sequence[str], arrangement: Arrangement, run: Run) -> np.ndarray:
  """Returns the outputs `[orders, T, B, H]` of a function for several orders of its gates."""
  along = lambda inputs, kernel: np.einsum("tbi,kih->ktbh", inputs, kernel, optimize=True)
  x, h = along(run.xs, arrangement.input_kernel), along(run.before, arrangement.recurrent_kernel)
  parts = _Parts(x, h, x + h + arrangement.biases.total[:, None, None])
  if variant.family == "rnn":
    return NODES[variant.node](parts.whole)
  step = _gru if variant.family in ("gru", "mgu") else _lstm
  return step(variant, _Orders(orders), parts, arrangement, run)


def _lstm(variant: Variant, orders: _Orders, parts: _Parts, arrangement: Arrangement, run: Run) -> np.ndarray:
  sigma, letters = GATES[variant.gate], LETTERS[variant.family]
  gates, shifted = sigma(parts.whole), sigma(parts.whole + variant.shift)
  if "f" in letters:
    f = orders.of("f", shifted)
    i = orders.of("i", gates) if "i" in letters else 1 - f
  else:
    i = orders.of("i", gates)
    f = 1 - i if variant.family == "lstm, f = 1 - i" else np.ones_like(i)
  written = i * orders.of("g", NODES[variant.node](parts.whole))
  cells = np.empty_like(written)
  cell = np.zeros_like(written[:, 0])
  for t in range(written.shape[1]):
    cells[:, t] = cell = f[:, t] * cell + written[:, t]
  return orders.of("o", gates) * NODES[variant.output](cells)


def _gru(variant: Variant, orders: _Orders, parts: _Parts, arrangement: Arrangement, run: Run) -> np.ndarray:
  sigma, biases = GATES[variant.gate], arrangement.biases
  gates = sigma(parts.whole)
  r, z = (orders.of(gate, gates) for gate in (("r", "z") if variant.family == "gru" else ("f", "f")))
  alone = lambda bias: orders.of("n", bias)[:, None, None]
  if variant.reset == "after":
    a = orders.of("n", parts.x) + alone(biases.outside) + r * (orders.of("n", parts.h) + alone(biases.inside))
  else:
    kernel = orders.of("n", arrangement.recurrent_kernel)
    inner = np.einsum("ptbi,pih->ptbh", r * run.before, kernel, optimize=True)
    a = orders.of("n", parts.x) + alone(biases.total) + inner
  new = NODES[variant.node](a)
  keep = z if variant.update == "keeps" else 1 - z
  return keep * run.before + (1 - keep) * new


# The gates of each family, in the lab's order.
LETTERS: Mapping[str, str] = MappingProxyType(
  {
    "rnn": "n",
    "mgu": "fn",
    "gru": "rzn",
    "lstm": "ifgo",
    "lstm, i = 1 - f": "fgo",
    "lstm, f = 1 - i": "igo",
    "lstm, f = 1": "igo",
  }
)
_NODE_PAIRS = (
  ("tanh", "tanh"),
  ("relu", "relu"),
  ("sigmoid", "tanh"),
  ("tanh", "identity"),
  ("tanh", "relu"),
  ("relu", "tanh"),
)
