"""The steps of cells that are linear in their state. They follow from the transition, S_t = A_t S_{t-1} + b_t."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from recurrent_lab.activations import Activity
from recurrent_lab.cell import Cell, Params, Step, holding, whole_state
from recurrent_lab.transitions import State, Transition


def advance(transition: Transition, state: State) -> State:
  """Returns A S + b."""
  return jax.tree.map(jnp.add, transition.matrix.times(state), transition.offset)


def no_activities(params: Any, state: State, x: Array) -> dict[str, Activity]:
  """Returns nothing: the `probe` of a cell that has no nonlinearity between its input, state and output."""
  del params, state, x
  return {}


def linear(
  kind: type,
  init: Callable[..., Params],
  initial_state: Callable[..., State],
  transition: Callable[[Any, Array], Transition],
  options: tuple[str, ...],
  output: Callable[[Any, State], Array] = whole_state,
  probe: Callable[[Any, State, Array], dict[str, Activity]] = no_activities,
  **abilities: Any,
) -> Cell:
  """Returns a cell that is linear in its state, whose output depends on its new state alone.

  Args:
    kind: the class of its params.
    init, initial_state, transition, options, probe: as in `Cell`.
    output: `(params, new state) -> output`; by default the state itself.
    **abilities: further fields of `Cell`.
  """

  def step(params: Any, state: State, x: Float[Array, "*batch I"]) -> tuple[State, Array]:
    new = advance(transition(params, x), state)
    return new, output(params, new)

  fields = {"output": output, "transition": transition, "options": options, **abilities}
  return holding(kind, Cell(init, initial_state, step, probe, **fields))


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
