"""`haiku.dynamic_unroll`. Its plain RNN has a relu, so it is not compared with a tanh RNN."""

import haiku as hk
import numpy as np

from benchmarks import problem
from benchmarks.peers.on_jax import Layer, prepare_layers
from benchmarks.worker import Prepared

CORES = {"lstm": hk.LSTM, "gru": hk.GRU}


def make_layer(cell: str, shape: problem.Shape, p: problem.Problem) -> Layer:
  """Returns a layer with the weights of the problem."""

  def forward(xs: np.ndarray) -> np.ndarray:
    core = CORES[cell](shape.hidden)
    return hk.dynamic_unroll(core, xs, core.initial_state(shape.batch))[0]

  if cell == "lstm":
    i, f, g, o = np.split(np.concatenate([p.input_kernel, p.recurrent_kernel, p.bias[None]]), 4, axis=-1)
    f[-1] -= 1  # haiku adds 1 to the forget bias
    joint = np.concatenate([i, g, f, o], axis=-1)
    params = {"lstm/linear": {"w": joint[:-1], "b": joint[-1]}}
    recurrent = lambda tree: tree["lstm/linear"]["w"][shape.inputs :]
    note = ""
  else:
    params = {"gru": {"w_i": p.input_kernel, "w_h": p.recurrent_kernel, "b": p.bias}}
    recurrent = lambda tree: tree["gru"]["w_h"]
    note = "resets before the product"
  return Layer(hk.without_apply_rng(hk.transform(forward)).apply, params, recurrent, note)


def make(cell: str, shape: tuple[int, ...]) -> Prepared:
  """Prepares value and gradient on the weights of the problem. The GRU resets before the product."""
  return prepare_layers(make_layer, cell, shape)
