"""Nets of Keras as `.keras` and `.weights.h5` files: its layers and cells, both resets, directions, and nonlinearities."""

from pathlib import Path
from typing import Any

import keras
from keras import layers as kl
import numpy as np

from oracles.nets.net import INPUTS, Net, by_jax, redrawn

LENGTH = None  # steps; any number


def net(file: str, model: Any, **options: Any) -> Net:
  """Draws the weights of a model, and says how to save and run it."""
  rng = np.random.default_rng(0)
  model.set_weights([redrawn(array.shape, rng) for array in model.get_weights()])

  def save(path: Path) -> None:
    if file.endswith(".weights.h5"):
      model.save_weights(path, overwrite=True)
    else:
      model.save(path, overwrite=True)

  return Net(file, "keras", save, by_jax(lambda xs: model(xs[None])[0]), options)


def chain() -> Any:
  """Returns a Sequential model of an LSTM and a GRU without biases that resets before the product, under a softmax."""
  return keras.Sequential(
    [
      keras.Input((LENGTH, INPUTS)),
      kl.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid", name="memory"),
      kl.Dropout(0.1),
      kl.GRU(3, return_sequences=True, reset_after=False, use_bias=False, activation="softsign"),
      kl.Dense(2, activation="softmax"),
    ]
  )


def graph() -> Any:
  """Returns a Functional model with layers of two directions, merged in two ways."""
  inputs = keras.Input((LENGTH, INPUTS))
  lower = kl.Bidirectional(kl.LSTM(3, return_sequences=True))(inputs)
  upper = kl.Bidirectional(kl.SimpleRNN(4, return_sequences=True, activation="relu"), merge_mode="mul")(lower)
  return keras.Model(inputs, kl.TimeDistributed(kl.Dense(2))(upper))


def cells() -> Any:
  """Returns a model of cells that read backwards, with a dense layer between them and the next layer."""
  return keras.Sequential(
    [
      keras.Input((LENGTH, INPUTS)),
      kl.RNN([kl.LSTMCell(3), kl.GRUCell(4), kl.LSTMCell(2)], return_sequences=True, go_backwards=True),
      kl.Dense(5),
      kl.SimpleRNN(3, return_sequences=True),
    ]
  )


def plain() -> Any:
  """Returns a model whose arrays say all that matters: two GRUs and a dense layer."""
  return keras.Sequential(
    [keras.Input((LENGTH, INPUTS)), kl.GRU(4, return_sequences=True), kl.GRU(3, return_sequences=True), kl.Dense(2)]
  )


NETS = (
  net("keras_chain.keras", chain()),
  net("keras_graph.keras", graph()),
  net("keras_cells.keras", cells()),
  net("keras_plain.weights.h5", plain()),
)
