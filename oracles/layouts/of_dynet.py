"""DyNet: VanillaLSTMBuilder and GRUBuilder. Their parameters have no names, only an order."""

from importlib import metadata

import dynet as dy
import numpy as np

from oracles.layouts.record import BATCH, HIDDEN, INPUTS, draw, record

NAMES = {
  "VanillaLSTMBuilder": ("x2i", "h2i", "bi"),
  "GRUBuilder": ("x2z", "h2z", "bz", "x2r", "h2r", "br", "x2h", "h2h", "bh"),
}


def run(name):
  def of_builder(rng, xs):
    model = dy.ParameterCollection()
    builder = getattr(dy, name)(1, INPUTS, HIDDEN, model)
    arrays = {}
    for key, parameter in zip(NAMES[name], builder.get_parameters()[0], strict=True):
      arrays[key] = draw(rng, parameter.shape())
      parameter.set_value(arrays[key])
    outputs = []
    for j in range(BATCH):
      dy.renew_cg()
      states = builder.initial_state().transduce([dy.inputTensor(x) for x in xs[:, j]])
      outputs.append(np.stack([state.npvalue() for state in states]))
    return arrays, np.stack(outputs, axis=1)

  return of_builder


if __name__ == "__main__":
  record("dynet", metadata.version("dynet"), {"dynet." + name: run(name) for name in NAMES})
