"""Chainer: the interleaved LSTM, the GRU without a state of its own, and the layers that follow cuDNN."""

import chainer
import numpy as np

from oracles.layouts.record import BATCH, HIDDEN, INPUTS, draw, record, scan


def redrawn(rng, link):
  """Redraws the parameters of a link, and returns them by path."""
  arrays = {}
  for path, parameter in link.namedparams():
    parameter.array[...] = arrays[path[1:]] = draw(rng, parameter.shape)
  return arrays


def lstm(rng, xs):
  link = chainer.links.LSTM(INPUTS, HIDDEN)
  return redrawn(rng, link), np.stack([link(x).array for x in xs])


def gru(rng, xs):
  link = chainer.links.StatelessGRU(INPUTS, HIDDEN)
  arrays = redrawn(rng, link)
  step = lambda h, x: (link(h, x),) * 2
  return arrays, scan(lambda h, x: (lambda new: (new[0], new[1].array))(step(h, x)), np.zeros((BATCH, HIDDEN), "f"), xs)


def steps(name, states):
  def run(rng, xs):
    link = getattr(chainer.links, name)(1, INPUTS, HIDDEN, 0.0)
    arrays = redrawn(rng, link)
    outputs = link(*[None] * states, [np.ascontiguousarray(xs[:, j]) for j in range(BATCH)])[-1]
    return arrays, np.stack([of_sequence.array for of_sequence in outputs], axis=1)

  return run


if __name__ == "__main__":
  record(
    "chainer",
    chainer.__version__,
    {
      "chainer.links.LSTM": lstm,
      "chainer.links.StatelessGRU": gru,
      "chainer.links.NStepRNNTanh": steps("NStepRNNTanh", 1),
      "chainer.links.NStepLSTM": steps("NStepLSTM", 2),
      "chainer.links.NStepGRU": steps("NStepGRU", 1),
    },
  )
