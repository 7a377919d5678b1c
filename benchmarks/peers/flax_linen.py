"""`flax.linen.RNN` with the cell that Flax recommends for speed."""

import flax.linen as nn
import numpy as np

from benchmarks import problem
from benchmarks.peers.on_jax import Layer, prepare_layers
from benchmarks.worker import Prepared

CELLS = {"rnn": nn.SimpleCell, "lstm": nn.OptimizedLSTMCell, "gru": nn.GRUCell}
GATES = {"rnn": ("",), "lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}


def make_layer(cell: str, shape: problem.Shape, p: problem.Problem) -> Layer:
  """Returns a layer with the weights of the problem."""
  split = lambda array: np.split(array, len(GATES[cell]), axis=-1)
  params: dict[str, dict[str, np.ndarray]] = {}
  for gate, w, u, b in zip(GATES[cell], split(p.input_kernel), split(p.recurrent_kernel), split(p.bias), strict=True):
    on_input, on_state = ("i", "h") if cell == "rnn" else (f"i{gate}", f"h{gate}")
    params[on_input], params[on_state] = {"kernel": w}, {"kernel": u}
    params[on_state if cell == "lstm" else on_input]["bias"] = b
  if cell == "gru":
    params["hn"]["bias"] = p.recurrent_bias
  # The scope that holds the cell's parameters is named by Flax.
  net = nn.RNN(CELLS[cell](shape.hidden), time_major=True)
  apply = lambda params, xs: net.apply({"params": {"cell": params}}, xs)
  recurrent = lambda tree: [tree[name]["kernel"] for name in params if name.startswith("h")]
  return Layer(apply, params, recurrent)


def make(cell: str, shape: tuple[int, ...]) -> Prepared:
  """Prepares value and gradient on the weights of the problem."""
  return prepare_layers(make_layer, cell, shape)
