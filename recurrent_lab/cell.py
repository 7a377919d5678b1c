"""The one idea of the lab: a recurrent network is a pure map (params, state, x) -> (state, output)."""

from collections.abc import Callable, Mapping
import functools
import inspect
from typing import Any, NamedTuple, ParamSpec, TypeVar

from jaxtyping import Array

from recurrent_lab._checks import check_key
from recurrent_lab.activations import Activity
from recurrent_lab.initializers import COMMON_OPTIONS
from recurrent_lab.transitions import Transition

Params = Any  # a pytree of arrays, usually a NamedTuple
State = Any  # a pytree of arrays with one shape at every step
Step = Callable[[Params, State, Array], tuple[State, Array]]

Args = ParamSpec("Args")
Kind = TypeVar("Kind")


class Halves(NamedTuple):
  """A step split in two: an affine map, then pointwise nonlinearities. `step = join(Halves(affine, pointwise))`.

  Attributes:
    affine: `(params, state, x) -> a`, an array `[..., k·H]`, or a pair of such arrays, of which only the second depends on the
      state. Holds every matrix product of the step, so it is affine in (state, x).
    pointwise: `(params, state, a) -> (state, output)`. Holds every nonlinearity of the step.
  """

  affine: Callable[[Params, State, Array], Any]
  pointwise: Callable[[Params, State, Any], tuple[State, Array]]


def join(halves: Halves) -> Step:
  """Returns the step `(params, state, x) -> pointwise(params, state, affine(params, state, x))`."""
  return lambda params, state, x: halves.pointwise(params, state, halves.affine(params, state, x))


class Link(NamedTuple):
  """One cell of a chain, with its input and its output in the chain.

  Attributes:
    cell: the cell.
    params: `params of the chain -> params of this cell`. Raises a `ValueError` for those of other cells.
    enter: `(params of the chain, input of the chain or output below) -> input of this cell`.
    leave: `(params of the chain, output of this cell) -> output for the cell above`.
  """

  cell: "Cell"
  params: Callable[[Params], Params]
  enter: Callable[[Params, Array], Array]
  leave: Callable[[Params, Any], Any]


class Chain(NamedTuple):
  """The cells of a combined cell, which run one after the other within a step; see `_chain.py`."""

  links: tuple[Link, ...]
  is_stack: bool  # True if the state is a tuple with an entry per link, False if it is the state of the only link


class Cell(NamedTuple):
  """A recurrent network as pure functions.

  A step works on the last axis of its input `x [..., I]`; any leading axes are batch axes. The state is a pytree of real floating
  arrays `[*batch, *own]` with any number of own axes. The first three fields make a cell, and every measurement of the lab needs
  only these. The other fields are optional abilities, and all combinators keep them.

  Attributes:
    init: `(key, input_size, hidden_size, **options) -> params`; the options are those of `initializers.InitOptions`.
    initial_state: `(params, batch_shape=()) -> state`.
    step: `(params, state, x) -> (state, output)`.
    probe: `(params, state, x) -> {name: Activity}`, the value and log-slope of every nonlinearity of the step.
    halves: the affine and the pointwise half of `step`, with `step = join(halves)`. They make the reverse pass of
      `reverse_unroll` faster. None for a cell that has matrix products between its nonlinearities.
    output: `(params, new state) -> output`, such as `lambda params, state: state.hidden`. Declares that the output is a
      function of the new state, usually a part of it, so that a change of S_t also changes o_t. Adjoints of the state use this.
      Without it, they test whether the output is a part of the new state; any other output counts as a function of the old
      state and the input.
    gated: whether the step multiplies by gates, which are logistic functions or exponentials of the input or the state. `chrono`
      biases act on the gates of a cell that also takes a `forget_bias`.
    recommend: `(key, hidden_size, longest) -> options` for `init`, if the cell needs another recommendation than the default of
      `recommended`.
    chain: the cells that make up a combined cell.
    elementwise: whether every entry of the new state depends on the same entry of the old state alone, so that Jacobians are
      diagonal. Spectra then need no matrix.
    transition: `(params, x) -> Transition`, the map S_t = A_t S_{t-1} + b_t of a cell that is linear in its state. A_t comes in
      its structure (`transitions`), in which `scan_unroll` and the instruments then work.
    options: the names of the `InitOptions` that an `init` with `**options` takes. All others are refused. The signature of any
      other `init` says which it takes (`recurrent_lab.options`), and so it declares options of the cell's own.
  """

  init: Callable[..., Params]
  initial_state: Callable[..., State]
  step: Step
  probe: Callable[[Params, State, Array], dict[str, Activity]] | None = None
  halves: Halves | None = None
  output: Callable[[Params, State], Array] | None = None
  gated: bool = False
  recommend: Callable[[Any, int, float], dict[str, Any]] | None = None
  chain: Chain | None = None
  elementwise: bool = False
  transition: Callable[[Params, Array], Transition] | None = None
  options: tuple[str, ...] = COMMON_OPTIONS


def whole_state(params: Params, state: State) -> State:
  """Returns the whole state: the output of a cell whose output is its state."""
  return state


def check_params(params: Params, kind: type) -> None:
  """Raises a `ValueError` unless the params are exactly of the NamedTuple `kind`.

  Every layout of parameters has its own type, so a cell never runs with the params of another cell.
  """
  if type(params) is not kind:
    raise ValueError(f"The params are {type(params).__name__}; this cell takes {kind.__name__}.")


def holding(kind: type, cell: Cell) -> Cell:
  """Returns the cell with functions that first check that their params are of the NamedTuple `kind`."""

  def checked(function: Callable[Args, Kind]) -> Callable[Args, Kind]:
    @functools.wraps(function)
    def call(*args: Args.args, **kwargs: Args.kwargs) -> Kind:
      check_params(kwargs["params"] if "params" in kwargs else args[0], kind)
      return function(*args, **kwargs)

    return call

  # All functions whose first argument is the params, including those of future abilities.
  functions = {
    name: value for name, value in cell._asdict().items() if callable(value) and name not in ("init", "recommend")
  }
  given: dict[str, Any] = {name: checked(function) for name, function in functions.items()}
  given["init"] = _with_checked_key(cell.init)
  halves = cell.halves and Halves(checked(cell.halves.affine), checked(cell.halves.pointwise))
  return cell._replace(**given, halves=halves)


def _with_checked_key(init: Callable[Args, Kind]) -> Callable[Args, Kind]:
  """Returns the `init` with a sentence for a number in place of its random key."""

  @functools.wraps(init)
  def call(*args: Args.args, **kwargs: Args.kwargs) -> Kind:
    check_key(kwargs["key"] if "key" in kwargs else args[0])
    return init(*args, **kwargs)

  return call


class Made(NamedTuple):
  """The factory and the arguments that made a cell or an activation."""

  factory: Callable[..., Any]
  arguments: Mapping[str, Any]  # all arguments by name, defaults included


_MADE: dict[
  int, tuple[Any, Made]
] = {}  # by identity; `variants` keeps what it made, so that no identity is given twice


def made_by(value: Any) -> Made | None:
  """Returns the factory and the arguments that made a cell or an activation; None if no factory under `variants` made it."""
  known, made = _MADE.get(id(value), (None, None))
  return made if known is value else None


def variants(factory: Callable[Args, Kind]) -> Callable[Args, Kind]:
  """Makes a factory of cells or tasks return the same object for equal arguments, whether given by position or by name.

  `jax.jit` compares static arguments by equality, so a new closure at every call would compile everything again.
  """
  signature = inspect.signature(factory)

  @functools.cache
  def build(*args: Args.args, **kwargs: Args.kwargs) -> Kind:
    made = factory(*args, **kwargs)
    _MADE[id(made)] = made, Made(cached, signature.bind(*args, **kwargs).arguments)
    return made

  @functools.wraps(factory)
  def cached(*args: Args.args, **kwargs: Args.kwargs) -> Kind:
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return build(*bound.args, **bound.kwargs)

  return cached
