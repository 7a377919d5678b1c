"""The steps of cells that are linear in their state. They follow from the transition, S_t = A_t S_{t-1} + b_t."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab.activations import Activity
from recurrent_lab.cell import Step
from recurrent_lab.transitions import State, Transition


def advance(transition: Transition, state: State) -> State:
  """Returns A S + b."""
  return jax.tree.map(jnp.add, transition.matrix.times(state), transition.offset)


def from_transition(transition: Callable[[Any, Array], Transition], output: Callable[[Any, State], Array]) -> Step:
  """Returns the step of a cell whose output depends on its new state alone.

  Args:
    transition: `(params, x) -> Transition`.
    output: `(params, new state) -> output`, the same as `Cell.output`.
  """

  def step(params: Any, state: State, x: Float[Array, "*batch I"]) -> tuple[State, Array]:
    new = advance(transition(params, x), state)
    return new, output(params, new)

  return step


def from_parts(
  parts: Callable[[Any, Array], tuple[Any, Transition]], read: Callable[[State, Any], Array]
) -> tuple[Callable[[Any, Array], Transition], Step]:
  """Returns the transition and the step of a cell whose output also depends on the input.

  Args:
    parts: `(params, x) -> (seen, Transition)`, where `seen` is what the output needs beside the new state, such as a query.
    read: `(new state, seen) -> output`.
  """

  def transition(params: Any, x: Float[Array, "*batch I"]) -> Transition:
    return parts(params, x)[1]

  def step(params: Any, state: State, x: Float[Array, "*batch I"]) -> tuple[State, Array]:
    seen, change = parts(params, x)
    new = advance(change, state)
    return new, read(new, seen)

  return transition, step


def no_activities(params: Any, state: State, x: Array) -> dict[str, Activity]:
  """Returns nothing: the `probe` of a cell that has no nonlinearity between its input, state and output."""
  del params, state, x
  return {}
