"""rnn-jax: its own LSTM and Elman network, with tanh in place of its default relu. Needs Python 3.12."""

from importlib import metadata, util
import sys
from types import ModuleType

import equinox as eqx
import jax
import jax.numpy as jnp

from oracles.layouts.record import BATCH, HIDDEN, INPUTS, draw, record, scan

# Its __init__ imports torch, which no cell needs.
folders = list(util.find_spec("rnn_jax").submodule_search_locations)
sys.modules["rnn_jax"] = ModuleType("rnn_jax")
sys.modules["rnn_jax"].__path__ = folders
from rnn_jax import cells  # noqa: E402


def run(name, states):
  def of_cell(rng, xs):
    cell = getattr(cells, name)(INPUTS, HIDDEN, nonlinearity=jnp.tanh, key=jax.random.key(0))
    names = [field for field, value in vars(cell).items() if eqx.is_array(value)]
    arrays = {field: draw(rng, getattr(cell, field).shape) for field in names}
    cell = eqx.tree_at(lambda c: [getattr(c, f) for f in names], cell, [jnp.asarray(arrays[f]) for f in names])
    step = lambda state, x: jax.vmap(cell)(jnp.asarray(x), state)
    zeros = tuple(jnp.zeros((BATCH, HIDDEN)) for _ in range(states))
    return arrays, scan(step, zeros, xs)

  return of_cell


if __name__ == "__main__":
  record(
    "rnn-jax",
    metadata.version("rnn-jax"),
    {
      "rnn_jax.cells.ElmanRNNCell": run("ElmanRNNCell", 1),
      "rnn_jax.cells.LongShortTermMemoryCell": run("LongShortTermMemoryCell", 2),
    },
    {
      "rnn_jax.cells.ElmanRNNCell": ["Its nonlinearity is relu by default; it is tanh here."],
      "rnn_jax.cells.LongShortTermMemoryCell": [
        "Its nonlinearity is relu by default; it is tanh here.",
        "Another class of the package, LongShortTermMemory, writes the 1 of its forget bias into the candidate's bias.",
      ],
    },
  )
