"""MLX: LSTM, GRU and Elman network, on its CPU backend."""

from importlib import metadata

from mlx import nn
import mlx.core as mx
import numpy as np

from oracles.layouts.record import HIDDEN, INPUTS, draw, record


def run(name):
  def of_layer(rng, xs):
    layer = getattr(nn, name)(INPUTS, HIDDEN)
    arrays = {key: draw(rng, array.shape) for key, array in layer.parameters().items()}
    layer.update({key: mx.array(array) for key, array in arrays.items()})
    outputs = layer(mx.array(np.ascontiguousarray(xs.swapaxes(0, 1))))
    hidden = outputs[0] if isinstance(outputs, tuple) else outputs
    return arrays, np.array(hidden).swapaxes(0, 1)

  return of_layer


if __name__ == "__main__":
  record(
    "mlx",
    metadata.version("mlx"),
    {"mlx.nn." + name: run(name) for name in ("RNN", "LSTM", "GRU")},
    {"mlx.nn.LSTM": ["It returns the hidden states and the cell states of all steps."]},
  )
