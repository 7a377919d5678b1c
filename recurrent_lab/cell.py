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


class Link(NamedTuple):
  """One cell of a chain, and how the chain feeds and reads it."""

  cell: "Cell"
  params: Callable[[Params], Params]  # params of the chain -> params of this cell; refuses those of other cells
  enter: Callable[[Params, Array], Array]  # (params of the chain, its input or the output below) -> input of this cell
  leave: Callable[[Params, Any], Any]  # (params of the chain, output of this cell) -> output for the cell above


class Chain(NamedTuple):
  """Cells that run one after the other within a step: what a combined cell is made of (see `_chain.py`)."""

  links: tuple[Link, ...]
  is_stack: bool  # whether the state is a tuple with an entry per link, or the state of the only link


class Cell(NamedTuple):
  """A recurrent network as pure functions.

  A step works on the last axis of its input, `x [..., I]`; any leading axes are batch. The state is a pytree of real floating
  arrays `[*batch, *own]`, with own axes of any number. Three fields make a cell, and every measurement of the lab follows from
  them. The others are optional abilities, which all combinators carry along.

  Attributes:
    init: `(key, input_size, hidden_size, **options) -> params`; the options are those of `initializers.InitOptions`.
    initial_state: `(params, batch_shape=()) -> state`.
    step: `(params, state, x) -> (state, output)`.
    probe: `(params, state, x) -> {name: Activity}`, every nonlinearity of the step with its value and log-slope.
    halves: the affine and the pointwise half of `step`, which is `join` of them; None for a cell with products between its
      nonlinearities. With them `reverse_unroll` gathers products.
    output: `(params, new state) -> output`, such as `lambda params, state: state.hidden`: declares that the output is a
      function of the new state, usually a part of it. A change of S_t then changes o_t too, as adjoints of the state need to
      know. Without it adjoints find out whether the output is a part of the new state; they take any other output as a function
      of the old state and the input.
    gated: whether gates decide what the state keeps and takes in, so that `chrono` biases act on them.
    recommend: `(key, hidden_size, longest) -> options` for `init`, where `recommended` should say something else than it does
      for other cells, gated or not.
    chain: the cells that a combined cell is made of.
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


def whole_state(params: Params, state: State) -> State:
  """The output of a cell that shows all of its state."""
  return state


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

  # Those that are given params first; a new ability is one of them.
  functions = {
    name: value for name, value in cell._asdict().items() if callable(value) and name not in ("init", "recommend")
  }
  given: dict[str, Any] = {name: checked(function) for name, function in functions.items()}
  halves = cell.halves and Halves(checked(cell.halves.affine), checked(cell.halves.pointwise))
  return cell._replace(**given, halves=halves)


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
