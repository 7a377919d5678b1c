"""The one idea of the lab: a recurrent network is a pure map (params, state, x) -> (state, output)."""

from collections.abc import Callable
import functools
import inspect
from typing import Any, NamedTuple, ParamSpec, TypeVar

from jaxtyping import Array

from recurrent_lab.activations import Activity

Params = Any  # a pytree of arrays, usually a NamedTuple
State = Any  # a pytree of arrays with one shape at every step
Step = Callable[[Params, State, Array], tuple[State, Array]]

Args = ParamSpec("Args")
Made = TypeVar("Made")


class Halves(NamedTuple):
  """A step as one affine map and what is done with it, unit by unit: `step = join(Halves(affine, pointwise))`.

  Attributes:
    affine: `(params, state, x) -> a [..., k·H]`, linear in each of params and (state, x): all products of the step.
    pointwise: `(params, state, a) -> (state, output)`: all nonlinearities of the step.
  """

  affine: Callable[[Params, State, Array], Array]
  pointwise: Callable[[Params, State, Array], tuple[State, Array]]


def join(halves: Halves) -> Step:
  """`(params, state, x) -> pointwise(params, state, affine(params, state, x))`."""
  return lambda params, state, x: halves.pointwise(params, state, halves.affine(params, state, x))


class Cell(NamedTuple):
  """A recurrent network as pure functions.

  A step works on the last axis: `x` is `[..., I]`, every array of the state `[..., H]`, and any leading axes are batch.
  Three fields make a cell, and every measurement of the lab follows from them; the fourth says what can saturate, the fifth
  lets `reverse_unroll` gather products.

  Attributes:
    init: `(key, input_size, hidden_size, **options) -> params`; the options are those of `initializers.InitOptions`.
    initial_state: `(params, batch_shape=()) -> state`.
    step: `(params, state, x) -> (state, output)`. Where the output is a part of the new state, return that very array
      twice: `adjoint_log_norms` needs to know.
    probe: `(params, state, x) -> {name: Activity}`, every nonlinearity of the step with its value and log-slope; None
      for a cell that does not tell.
    halves: the affine and the pointwise half of `step`, which is `join` of them; None for a cell with products between its
      nonlinearities.
  """

  init: Callable[..., Params]
  initial_state: Callable[..., State]
  step: Step
  probe: Callable[[Params, State, Array], dict[str, Activity]] | None = None
  halves: Halves | None = None


def check_params(params: Params, kind: type) -> None:
  """Raises a `ValueError` unless the params are of this very NamedTuple.

  Every layout of numbers has a type of its own, so params of one cell do not run as those of another.
  """
  if type(params) is not kind:
    raise ValueError(f"The params are {type(params).__name__}; this cell takes {kind.__name__}.")


def holding(kind: type, cell: Cell) -> Cell:
  """The cell, all of whose functions first check that they are given params of the NamedTuple `kind`."""

  def checked(function: Callable[Args, Made]) -> Callable[Args, Made]:
    @functools.wraps(function)
    def call(*args: Args.args, **kwargs: Args.kwargs) -> Made:
      check_params(kwargs["params"] if "params" in kwargs else args[0], kind)
      return function(*args, **kwargs)

    return call

  halves = cell.halves and Halves(checked(cell.halves.affine), checked(cell.halves.pointwise))
  probe = cell.probe and checked(cell.probe)
  return Cell(cell.init, checked(cell.initial_state), checked(cell.step), probe, halves)


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
