"""Keras: its cells, on the backend that it finds."""

import keras
import numpy as np

from oracles.layouts.record import BATCH, HIDDEN, INPUTS, draw, record, scan


def run(name, **options):
  def of_cell(rng, xs):
    cell = getattr(keras.layers, name)(HIDDEN, **options)
    cell.build((BATCH, INPUTS))
    arrays = {variable.name: draw(rng, variable.shape) for variable in cell.weights}
    cell.set_weights([arrays[variable.name] for variable in cell.weights])
    step = lambda state, x: cell(np.asarray(x), state)[::-1]
    return arrays, scan(step, cell.get_initial_state(BATCH), xs)

  return of_cell


if __name__ == "__main__":
  record(
    "keras",
    keras.__version__,
    {
      "keras.layers.SimpleRNNCell": run("SimpleRNNCell"),
      "keras.layers.LSTMCell": run("LSTMCell"),
      "keras.layers.GRUCell": run("GRUCell"),
      "keras.layers.GRUCell(reset_after=False)": run("GRUCell", reset_after=False),
    },
  )
