"""Options of a cell's `init`: those that all cells share, and those that only one cell has.

The signature of `init` declares them. An argument with the name of one of the `InitOptions` is that shared option. Every other
argument with a number, a text or a truth value as its default is an option of the cell's own:

    def init(key, input_size, hidden_size, recurrent_gain=1.0, tau=5.0): ...

has the shared option `recurrent_gain` and `tau` of its own. An annotation says more about such an option, where that helps:

    Lag = Annotated[float, Option("time constant", "steps", lambda tau: tau >= 1, "1 or more")]
    def init(key, input_size, hidden_size, tau: Lag = 5.0): ...
"""

from collections.abc import Callable, Mapping
import functools
import inspect
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from recurrent_lab.cell import Cell
from recurrent_lab.initializers import InitOptions

KINDS = (bool, int, float, str)


def _anything(value: Any) -> bool:
  """Allows every value."""
  return True


class Option(NamedTuple):
  """Facts about an option of a cell's own, for the annotation of its argument.

  Attributes:
    help: what it is, in a few words.
    units: of a number, such as steps; 1 for one without a unit.
    check: what a value must satisfy.
    allowed: the same in words, as in "it must be 1 or more".
  """

  help: str = ""
  units: str = "1"
  check: Callable[[Any], bool] = _anything
  allowed: str = ""


class OwnOption(NamedTuple):
  """An option that only one cell has.

  Attributes:
    kind: the type of its values: bool, int, float or str.
    default: its default.
    about: what its annotation says about it.
  """

  kind: type
  default: bool | int | float | str
  about: Option


def shared_options(cell: Cell) -> tuple[str, ...]:
  """Returns the names of the `initializers.InitOptions` that the `init` of a cell takes.

  An `init` that takes any option by name (`**options`) takes those that the field `options` of its cell lists.
  """
  parameters = inspect.signature(cell.init).parameters
  if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
    return cell.options
  return tuple(name for name in cell.options if name in parameters)


@functools.cache
def own_options(made: Cell | Callable[..., Any]) -> Mapping[str, OwnOption]:
  """Returns the options of a cell's `init`, or of a function that makes cells, that are none of the `initializers.InitOptions`.

  A combined cell has those that all its parts have, because its `init` gives every part the same options.
  """
  if not isinstance(made, Cell):
    return _of_signature(made)
  if made.chain is None:
    return _of_signature(made.init)
  first, *others = (own_options(link.cell) for link in made.chain.links)
  return MappingProxyType({name: one for name, one in first.items() if all(name in other for other in others)})


def _of_signature(function: Callable[..., Any]) -> Mapping[str, OwnOption]:
  try:
    hints = get_type_hints(function, include_extras=True)
  except (NameError, TypeError):  # an annotation that cannot be resolved says nothing
    hints = {}
  found = {}
  for name, parameter in inspect.signature(function).parameters.items():
    if name not in InitOptions._fields and isinstance(parameter.default, KINDS):
      found[name] = _option(parameter.default, hints.get(name))
  return MappingProxyType(found)


def _option(default: Any, hint: Any) -> OwnOption:
  """Returns an option from its default and its annotation. Without a type in the annotation, the default has the type."""
  about = Option()
  if get_origin(hint) is Annotated:
    hint, *facts = get_args(hint)
    about = next((fact for fact in facts if isinstance(fact, Option)), about)
  if get_origin(hint) is Literal:
    choices = get_args(hint)
    about = about._replace(check=choices.__contains__, allowed=f"one of {', '.join(map(str, choices))}")
  kind = hint if hint in KINDS else type(default)
  return OwnOption(kind, kind(default), about)
