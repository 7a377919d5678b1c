"""torch: its recurrent layers and their cells."""

import torch

from oracles.defaults.arrays import two_biases
from oracles.defaults.statistics import Fields

PACKAGE = "torch"


def layer(kind: str):
  """Returns the draws of a layer or a cell."""

  def draw(seed: int, inputs: int, units: int) -> Fields:
    torch.manual_seed(seed)
    module = getattr(torch.nn, kind)(inputs, units)
    named = {name.removesuffix("_l0"): value.detach().numpy() for name, value in module.named_parameters()}
    return two_biases(named["weight_ih"], named["weight_hh"], named["bias_ih"], named["bias_hh"])

  return draw


CLASSES = {f"torch.nn.{kind}": layer(kind) for kind in ("LSTM", "LSTMCell", "GRU", "GRUCell", "RNN", "RNNCell")}
