"""Observes what happens to a checkpoint in float64 or in whole numbers that is loaded into a layer in float32.

    python -m oracles.runtimes.casts torch

prints one line of JSON per way of loading. `docs/runtimes.json` keeps these lines. Needs NumPy and the runtime alone.
"""

from importlib import metadata
import json
import sys
import warnings

import numpy as np

INPUTS, HIDDEN = 2, 3


def of_torch():
  import torch

  layer = torch.nn.LSTM(INPUTS, HIDDEN)

  def load(dtype):
    layer.load_state_dict({name: torch.full_like(value, 3).to(dtype) for name, value in layer.state_dict().items()})
    return layer.weight_ih_l0.detach().numpy()

  yield "torch", "load_state_dict", lambda: load(torch.float64), lambda: load(torch.int64)


def of_paddle():
  import paddle

  layer = paddle.nn.LSTM(INPUTS, HIDDEN)

  def load(dtype):
    layer.set_state_dict({name: paddle.full_like(value, 3).astype(dtype) for name, value in layer.state_dict().items()})
    return layer.state_dict()["weight_ih_l0"].numpy()

  yield "paddlepaddle", "set_state_dict", lambda: load("float64"), lambda: load("int64")


def of_keras():
  import keras

  layer = keras.layers.LSTM(HIDDEN)
  layer.build((1, 4, INPUTS))

  def load(dtype):
    layer.set_weights([np.full(weight.shape, 3, dtype) for weight in layer.weights])
    return np.asarray(layer.weights[0])

  yield "keras", "set_weights", lambda: load(np.float64), lambda: load(np.int64)


def of_flax():
  from flax import linen as nn
  import jax

  cell = nn.SimpleCell(HIDDEN)
  xs, h = np.zeros((1, INPUTS), np.float32), np.zeros((1, HIDDEN), np.float32)
  params = cell.init(jax.random.key(0), h, xs)

  def load(dtype):
    given = jax.tree.map(lambda array: np.full(array.shape, 3, dtype), params)
    return np.asarray(cell.apply(given, h, xs)[0])

  yield "flax", "apply with NumPy arrays", lambda: load(np.float64), lambda: load(np.int64)


def of_mlx():
  from mlx import nn
  import mlx.core as mx

  layer = nn.LSTM(INPUTS, HIDDEN)

  def load(dtype):
    layer.load_weights([(name, mx.array(np.full(value.shape, 3, dtype))) for name, value in layer.parameters().items()])
    return layer.Wx

  yield "mlx", "load_weights", lambda: load(np.float64), lambda: load(np.int64)


def of_chainer():
  import io

  import chainer

  link = chainer.links.LSTM(INPUTS, HIDDEN)

  def load(dtype):
    file = io.BytesIO()
    np.savez(file, **{path[1:]: np.full(parameter.shape, 3, dtype) for path, parameter in link.namedparams()})
    file.seek(0)
    chainer.serializers.load_npz(file, link)
    return link.upward.W.array

  yield "chainer", "serializers.load_npz", lambda: load(np.float64), lambda: load(np.int64)


def observed(load):
  """Returns what happened to the numbers: their dtype after loading, and whether anything was said."""
  with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    try:
      dtype = str(load().dtype).split(".")[-1]
    except Exception as error:
      return f"refused by {type(error).__name__}"
  return dtype + (" with a warning" if said else " without a word")


def main():
  """Prints a line for each way of loading of the runtime that is named."""
  for package, way, doubles, integers in globals()["of_" + sys.argv[1]]():
    facts = {"package": package, "version": metadata.version(package), "of": way, "function": "casts"}
    print(json.dumps({**facts, "float64": observed(doubles), "int64": observed(integers)}))


if __name__ == "__main__":
  main()
