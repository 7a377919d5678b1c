"""rnn-jax: the clockwork RNN. A line of its file needs Python 3.12: the name of a type, which is rewritten for older ones."""

from collections.abc import Mapping
import functools
from pathlib import Path
import sys
from types import ModuleType
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from oracles.from_rnn_jax import PACKAGE  # with empty packages around the files of rnn-jax
from oracles.oracle import Oracle, by_jax

PERIODS = (1, 2, 4, 8)  # the default of the lab's `clockwork_rnn`


@functools.cache
def clockwork() -> ModuleType:
  """Returns the module of the cell."""
  file = Path(sys.modules["rnn_jax.cells"].__path__[0]) / "clockwork.py"
  module = ModuleType("rnn_jax.cells.clockwork")
  exec(compile(file.read_text().replace("\ntype Block = ", "\nBlock = "), file, "exec"), module.__dict__)
  return module


def outputs(params: Mapping[str, Any], xs: Any) -> Any:
  """Runs the cell twice per step: with the identity in place of tanh, idle groups are those that it leaves as they are."""
  inputs, hidden = params["input_kernel"].shape
  size, groups = hidden // len(PERIODS), range(len(PERIODS))
  of = lambda group: slice(group * size, (group + 1) * size)
  u = params["recurrent_kernel"].T
  weights = (
    [[u[of(i), of(j)] if j >= i else None for j in groups] for i in groups],
    [params["input_kernel"].T[of(i)] for i in groups],
    [params["bias"][of(i)] for i in groups],
  )
  made = [
    clockwork().ClockWorkRNNCell(inputs, size, PERIODS, f, key=jax.random.key(0)) for f in (jnp.tanh, lambda a: a)
  ]
  cells = [eqx.tree_at(lambda cell: (cell.W_h, cell.W_i, cell.b), cell, weights) for cell in made]
  state, found = (*(jnp.zeros(size) for _ in groups), jnp.zeros(1)), []
  for x in xs:
    (squashed, _), (plain, _) = (cell(x, state) for cell in cells)
    state = (*(jnp.where(b == h, h, a) for a, b, h in zip(squashed[:-1], plain, state, strict=False)), plain[-1])
    found.append(jnp.concatenate(state[:-1]))
  return jnp.stack(found)


ORACLES = (
  Oracle(
    "clockwork_rnn",
    PACKAGE,
    "ClockWorkRNNCell",
    by_jax(outputs),
    (
      "It squashes the units of idle groups at every step, which the paper leaves as they are. The cell runs twice per step here,"
      " with tanh and with the identity, to find the idle groups.",
    ),
  ),
)
