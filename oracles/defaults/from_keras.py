"""Keras: its recurrent layers and their cells, on JAX."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

from oracles.defaults.arrays import ordered
from oracles.defaults.statistics import Fields

PACKAGE = "keras"


def layer(kind: str, **options: bool):
  """Returns the draws of a layer or a cell."""

  def draw(seed: int, inputs: int, units: int) -> Fields:
    keras.utils.set_random_seed(seed)
    module = getattr(keras.layers, kind)(units, **options)
    module.build((None, inputs) if kind.endswith("Cell") else (None, None, inputs))
    named = {weight.name: np.asarray(weight) for weight in module.weights}
    gated = kind.startswith("GRU")
    fields = {
      name: ordered(named[theirs], "zrn", "rzn") if gated else named[theirs]
      for name, theirs in (("input_kernel", "kernel"), ("recurrent_kernel", "recurrent_kernel"), ("bias", "bias"))
    }
    if fields["bias"].ndim == 1:
      return fields
    outer, inner = fields.pop("bias")
    gates = np.concatenate([inner[: 2 * units], np.zeros(units, inner.dtype)])
    return {**fields, "bias": outer + gates, "recurrent_bias": inner[2 * units :]}

  return draw


CLASSES = {
  f"keras.layers.{kind}": layer(kind) for kind in ("LSTM", "LSTMCell", "GRU", "GRUCell", "SimpleRNN", "SimpleRNNCell")
}
CLASSES |= {f"keras.layers.{kind}(reset_after=False)": layer(kind, reset_after=False) for kind in ("GRU", "GRUCell")}
