"""Paddle: its recurrent layers."""

import paddle

from oracles.defaults.arrays import two_biases
from oracles.defaults.statistics import Fields

PACKAGE = "paddlepaddle"


def layer(kind: str):
  """Returns the draws of a layer."""

  def draw(seed: int, inputs: int, units: int) -> Fields:
    paddle.seed(seed)
    named = {name: value.numpy() for name, value in getattr(paddle.nn, kind)(inputs, units).state_dict().items()}
    return two_biases(*(named[f"{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")))

  return draw


CLASSES = {f"paddle.nn.{kind}": layer(kind) for kind in ("LSTM", "GRU", "SimpleRNN")}
