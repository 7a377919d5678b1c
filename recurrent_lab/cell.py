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
  """A step split in two: an affine map, then pointwise nonlinearities. `step = join(Halves(affine, pointwise))`.

  Attributes:
    affine: `(params, state, x) -> a [..., k·H]`. Holds every matrix product of the step, so it is linear in the params and
      linear in (state, x).
    pointwise: `(params, state, a) -> (state, output)`. Holds every nonlinearity of the step.
  """

  affine: Callable[[Params, State, Array], Array]
  pointwise: Callable[[Params, State, Array], tuple[State, Array]]


def join(halves: Halves) -> Step:
  """Returns the step `(params, state, x) -> pointwise(params, state, affine(params, state, x))`."""
  return lambda params, state, x: halves.pointwise(params, state, halves.affine(params, state, x))


class Cell(NamedTuple):
  """A recurrent network as pure functions.

  A step works on the last axis: `x` is `[..., I]`, every array of the state is `[..., H]`, and any leading axes are batch axes.
  The first three fields make a cell, and every measurement of the lab needs only these. The other two are optional: `probe`
  reports saturation, and `halves` makes the reverse pass of `reverse_unroll` faster.

  Attributes:
    init: `(key, input_size, hidden_size, **options) -> params`; the options are those of `initializers.InitOptions`.
    initial_state: `(params, batch_shape=()) -> state`.
    step: `(params, state, x) -> (state, output)`. If the output is a part of the new state, return the same array in both
      places. `adjoint_log_norms` uses this to find the output in the state.
    probe: `(params, state, x) -> {name: Activity}`, the value and log-slope of every nonlinearity of the step. None if the
      cell does not report them.
    halves: the affine and the pointwise half of `step`, with `step = join(halves)`. None for a cell that has matrix products
      between its nonlinearities.
  """

  init: Callable[..., Params]
  initial_state: Callable[..., State]
  step: Step
  probe: Callable[[Params, State, Array], dict[str, Activity]] | None = None
  halves: Halves | None = None


def check_params(params: Params, kind: type) -> None:
  """Raises a `ValueError` unless the params are exactly of the NamedTuple `kind`.

  Every layout of parameters has its own type, so a cell never runs with the params of another cell.
  """
  if type(params) is not kind:
    raise ValueError(f"The params are {type(params).__name__}; this cell takes {kind.__name__}.")


def holding(kind: type, cell: Cell) -> Cell:
  """Returns the cell with functions that first check that their params are of the NamedTuple `kind`."""

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
  """Makes a factory of cells or tasks return the same object for equal arguments, whether given by position or by name.

  `jax.jit` compares static arguments by equality, so a new closure at every call would compile everything again.
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
  """Raises a `ValueError` that names `value` and the allowed choices, unless `value` is one of them."""
  if value not in allowed:
    raise ValueError(f"{what} {value!r} is unknown; choose one of {', '.join(map(str, allowed))}.")
