"""The one idea of the lab: a recurrent network is a pure map (params, state, x) -> (state, output)."""

from collections.abc import Callable
import functools
import inspect
from typing import Any, NamedTuple, ParamSpec, TypeVar

from jaxtyping import Array

from recurrent_lab.activations import Activity

Params = Any  # a pytree of arrays, usually a NamedTuple
State = Any  # a pytree of arrays with one shape at every step

Args = ParamSpec("Args")
Made = TypeVar("Made")


class Cell(NamedTuple):
  """A recurrent network as pure functions.

  A step works on the last axis: `x` is `[..., I]`, every array of the state `[..., H]`, and any leading axes are batch.
  Three fields make a cell, and every measurement of the lab follows from them; the fourth says what can saturate.

  Attributes:
    init: `(key, input_size, hidden_size, **options) -> params`; the options are those of `initializers.InitOptions`.
    initial_state: `(params, batch_shape=()) -> state`.
    step: `(params, state, x) -> (state, output)`. Where the output is a part of the new state, return that very array
      twice: `adjoint_log_norms` needs to know.
    probe: `(params, state, x) -> {name: Activity}`, every nonlinearity of the step with its value and log-slope; None
      for a cell that does not tell.
  """

  init: Callable[..., Params]
  initial_state: Callable[..., State]
  step: Callable[[Params, State, Array], tuple[State, Array]]
  probe: Callable[[Params, State, Array], dict[str, Activity]] | None = None


def variants(factory: Callable[Args, Made]) -> Callable[Args, Made]:
  """Makes a factory, of cells or of tasks, return the identical object for equal arguments, however they are spelled.

  `jax.jit` compares static arguments by equality; a fresh closure for each call would compile everything anew.
  """
  signature = inspect.signature(factory)
  build = functools.cache(factory)

  @functools.wraps(factory)
  def cached(*args: Args.args, **kwargs: Args.kwargs) -> Made:
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return build(*bound.args, **bound.kwargs)

  return cached


def check_choice(what: str, value: object, allowed: Any) -> None:
  """Raises a `ValueError` that names `value` and what is allowed, unless it is allowed."""
  if value not in allowed:
    raise ValueError(f"{what} {value!r} is unknown; choose one of {', '.join(map(str, allowed))}.")
