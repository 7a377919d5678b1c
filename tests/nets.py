"""Random nets for tests, drawn with NumPy so that no test waits for a compiler to draw them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from tests import reference

# One cell of each family, and of each way of its own through the code.
FAMILIES = ("rnn", "lstm", "peephole_lstm", "gru", "gru_reset_before", "simplified_lstm", "indrnn", "hopfield")


def by_default(some, every, others=pytest.mark.slow):
  """All of `every` as parameters of a test; those that are not among `some` get the mark `others`."""
  return [name if name in some else pytest.param(name, marks=others) for name in every]


def slow(some, every):
  """All of `every` as parameters of a slow test; those that are not among `some` as exhaustive tests."""
  return [pytest.param(one, marks=pytest.mark.slow if one in some else pytest.mark.exhaustive) for one in every]


# The families that the lab began with meet every test of an instrument. The cells of the atlas have a table of tests of their own
# (`cells/atlas_test.py`), and meet the instruments by kind of state.
CLASSICS = tuple(reference.classic.CELLS)
ATLAS = tuple(name for name in rl.CELLS if name not in CLASSICS)

MOST_USED = ("rnn", "lstm", "gru")
# What every cell must do is asked of the families by default. What follows from their steps is asked of the most used.
EVERY_CELL = by_default(FAMILIES, CLASSICS)
EVERY_FAMILY = by_default(MOST_USED, FAMILIES)
EVERY_STEP = by_default(MOST_USED, CLASSICS, pytest.mark.exhaustive)


def random_net(name, key, *, steps=8, inputs=3, hidden=5, dtype=np.float32, recurrent_gain=1.2):
  """`(cell, params, xs)` with every parameter away from 0, in the shapes that the cell's own `init` gives."""
  cell = rl.get_cell(name)
  rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
  shapes = jax.eval_shape(lambda key: cell.init(key, inputs, hidden, dtype=dtype), key)
  scales = {"recurrent_kernel": recurrent_gain / hidden**0.5, "input_kernel": inputs**-0.5}
  leaves = [
    jnp.asarray(rng.normal(0.2 if "bias" in field else 0, scales.get(field, 0.4), shape.shape), dtype)
    for field, shape in shapes._asdict().items()
  ]
  return cell, type(shapes)(*leaves), jnp.asarray(rng.normal(size=(steps, inputs)), dtype)


def to_float64(tree):
  return jax.tree.map(lambda a: np.asarray(a, np.float64), tree)
