"""brainstate: LSTM (with its 1 on the forget gate), GRU, minimal gated unit and Elman network."""

import brainstate
import jax.numpy as jnp
import numpy as np

from oracles.layouts.record import BATCH, HIDDEN, INPUTS, record, redraw


def run(name, **options):
  def of_cell(rng, xs):
    cell = getattr(brainstate.nn, name)(INPUTS, HIDDEN, **options)
    brainstate.nn.init_all_states(cell, batch_size=BATCH)
    arrays = {}
    for linear in ("W", "Wrz", "Wf", "Wh"):
      if hasattr(cell, linear):
        weights = redraw(rng, getattr(cell, linear).weight.value)
        getattr(cell, linear).weight.value = {key: jnp.asarray(array) for key, array in weights.items()}
        arrays.update({linear + "/" + key: array for key, array in weights.items()})
    return arrays, np.stack([np.asarray(cell(jnp.asarray(x))) for x in xs])

  return of_cell


if __name__ == "__main__":
  record(
    "brainstate",
    brainstate.__version__,
    {
      "brainstate.nn.ValinaRNNCell": run("ValinaRNNCell", activation="tanh"),
      "brainstate.nn.LSTMCell": run("LSTMCell"),
      "brainstate.nn.GRUCell": run("GRUCell"),
      "brainstate.nn.MGUCell": run("MGUCell"),
    },
    {"brainstate.nn.ValinaRNNCell": ["Its activation is relu by default; it is tanh here."]},
  )
