"""Chainer: its links for single steps and for sequences. In links for single steps z is 1 - z of the lab."""

import chainer.links as links
import numpy as np

from oracles.defaults.arrays import side_by_side
from oracles.defaults.statistics import Fields

PACKAGE = "chainer"


def lstm(kind: str):
  """Returns the draws of an LSTM for single steps. Its rows are interleaved: g, i, f, o of one unit after another."""

  def draw(seed: int, inputs: int, units: int) -> Fields:
    np.random.seed(seed)
    link = getattr(links, kind)(inputs, units)
    by_gate = lambda rows: dict(zip("gifo", rows.reshape(units, 4, -1).swapaxes(0, 1), strict=True))
    in_order = lambda rows: np.concatenate([by_gate(rows)[gate] for gate in "ifgo"])
    return {
      "input_kernel": in_order(link.upward.W.array).T,
      "recurrent_kernel": in_order(link.lateral.W.array).T,
      "bias": in_order(link.upward.b.array)[:, 0],
    }

  return draw


def gru(kind: str):
  """Returns the draws of a GRU for single steps."""

  def draw(seed: int, inputs: int, units: int) -> Fields:
    np.random.seed(seed)
    link = getattr(links, kind)(inputs, units)
    sign = np.repeat([1, -1, 1], units).astype(np.float32)
    own, recurrent = [link.W_r, link.W_z, link.W], [link.U_r, link.U_z, link.U]
    return {
      "input_kernel": sign * side_by_side([part.W.array.T for part in own]),
      "recurrent_kernel": sign * side_by_side([part.W.array.T for part in recurrent]),
      "bias": sign * side_by_side([a.b.array + b.b.array for a, b in zip(own, recurrent, strict=True)]),
    }

  return draw


def sequence(kind: str, order: tuple[int, ...]):
  """Returns the draws of a link for sequences. `order` has the numbers of its gates in the lab's order."""

  def draw(seed: int, inputs: int, units: int) -> Fields:
    np.random.seed(seed)
    link = getattr(links, kind)(1, inputs, units, 0.0)
    (weights,), (biases,) = link.ws, link.bs
    half = len(order)
    fields = {
      "input_kernel": side_by_side([weights[i].array.T for i in order]),
      "recurrent_kernel": side_by_side([weights[half + i].array.T for i in order]),
    }
    outer, inner = ([biases[start + i].array for i in order] for start in (0, half))
    if kind == "NStepGRU":
      bias = side_by_side([outer[0] + inner[0], outer[1] + inner[1], outer[2]])
      return {**fields, "bias": bias, "recurrent_bias": inner[2]}
    return {**fields, "bias": side_by_side(outer) + side_by_side(inner)}

  return draw


CLASSES = {
  **{f"chainer.links.{kind}": lstm(kind) for kind in ("LSTM", "StatelessLSTM")},
  **{f"chainer.links.{kind}": gru(kind) for kind in ("GRU", "StatelessGRU")},
  "chainer.links.NStepLSTM": sequence("NStepLSTM", (0, 1, 3, 2)),
  "chainer.links.NStepGRU": sequence("NStepGRU", (0, 1, 2)),
  "chainer.links.NStepRNNTanh": sequence("NStepRNNTanh", (0,)),
  "chainer.links.NStepRNNReLU": sequence("NStepRNNReLU", (0,)),
}
