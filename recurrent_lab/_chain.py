"""Combined cells: one mechanism that gives the whole every ability of its parts.

    x¹_t = enter¹(x_t),              s¹_t, o¹_t = step¹(s¹_{t-1}, x¹_t)
    x²_t = enter²(leave¹(o¹_t)),     s²_t, o²_t = step²(s²_{t-1}, x²_t),     …

A stack is a chain of several links. A wrapper such as `dropout` is a chain of one link, with a function before or after it. A new
ability of `Cell` needs one line here to work for all combinators.
"""

from collections.abc import Callable, Sequence
from typing import Any

from jaxtyping import Array

from recurrent_lab._checks import check_cell
from recurrent_lab.activations import Activity
from recurrent_lab.cell import Cell, Chain, Link, Params, State, check_params
from recurrent_lab.initializers import InitOptions
from recurrent_lab.options import shared_options
from recurrent_lab.transitions import Transition


def unchanged(params: Params, array: Any) -> Any:
  """Returns the array unchanged, for links that need nothing before or after them."""
  return array


def split(chain: Chain, state: State) -> Sequence[State]:
  """Returns the state of every link. Raises a `ValueError` unless a stack has as many states as cells."""
  if not chain.is_stack:
    return (state,)
  if len(state) != len(chain.links):
    raise ValueError(f"A stack of {len(chain.links)} cells needs as many states, but was given {len(state)}.")
  return tuple(state)


def join(chain: Chain, states: Sequence[State]) -> State:
  """Returns the state of a chain from the states of its links."""
  return tuple(states) if chain.is_stack else states[0]


def chained(chain: Chain, init: Callable[..., Params], initial_state: Callable[..., State] | None = None) -> Cell:
  """Makes a cell from a chain, with every ability that all its links have.

  Args:
    chain: the links.
    init: the `init` of the combined cell.
    initial_state: the `initial_state` of the combined cell. By default it joins those of the links.
  """
  cells = [link.cell for link in chain.links]
  for cell in cells:
    check_cell("cell", cell)
  options = [shared_options(cell) for cell in cells]
  last = chain.links[-1]

  def own_state(params: Params, batch_shape: tuple[int, ...] = ()) -> State:
    return join(chain, [link.cell.initial_state(link.params(params), batch_shape) for link in chain.links])

  def step(params: Params, state: State, x: Array) -> tuple[State, Any]:
    states = []
    for link, s in zip(chain.links, split(chain, state), strict=True):
      s, output = link.cell.step(link.params(params), s, link.enter(params, x))
      x = link.leave(params, output)
      states.append(s)
    return join(chain, states), x

  def probe(params: Params, state: State, x: Array) -> dict[str, Activity]:
    seen: dict[str, Activity] = {}
    for layer, (link, s) in enumerate(zip(chain.links, split(chain, state), strict=True), start=1):
      assert link.cell.probe is not None
      own, x = link.params(params), link.enter(params, x)
      suffix = f" {layer}" if chain.is_stack else ""
      seen |= {f"{name}{suffix}": activity for name, activity in link.cell.probe(own, s, x).items()}
      if layer < len(cells):
        x = link.leave(params, link.cell.step(own, s, x)[1])
    return seen

  def output(params: Params, state: State) -> Any:
    assert last.cell.output is not None
    return last.leave(params, last.cell.output(last.params(params), split(chain, state)[-1]))

  def transition(params: Params, x: Array) -> Transition:
    assert last.cell.transition is not None
    return last.cell.transition(last.params(params), last.enter(params, x))

  is_linear = not chain.is_stack and last.cell.transition is not None
  return Cell(
    init=init,
    initial_state=own_state if initial_state is None else initial_state,
    step=step,
    probe=probe if all(cell.probe is not None for cell in cells) else None,
    output=output if last.cell.output is not None else None,
    gated=any(cell.gated for cell in cells),
    recommend=cells[0].recommend if len({cell.recommend for cell in cells}) == 1 else None,
    chain=chain,
    elementwise=not chain.is_stack and last.cell.elementwise,
    transition=transition if is_linear else None,
    options=tuple(name for name in InitOptions._fields if all(name in of for of in options)),
  )


def wrapped(
  cell: Cell,
  kind: type,
  init: Callable[..., Params],
  *,
  initial_state: Callable[..., State] | None = None,
  enter: Callable[[Params, Array], Array] = unchanged,
  leave: Callable[[Params, Any], Any] = unchanged,
) -> Cell:
  """Wraps a cell with functions before and after it. The params of the result are `kind(cell, …)`."""

  def own_params(params: Params) -> Params:
    check_params(params, kind)
    return params.cell

  def checked_state(params: Params, batch_shape: tuple[int, ...] = ()) -> State:
    own = own_params(params)
    return cell.initial_state(own, batch_shape) if initial_state is None else initial_state(params, batch_shape)

  return chained(Chain((Link(cell, own_params, enter, leave),), is_stack=False), init, checked_state)
