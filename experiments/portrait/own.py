"""Cells of the user in sweeps: how they are named, and which of their options are settings.

A cell of the user is a `Cell`, or a function that makes one from arguments with defaults. Its settings are the options of its
`init` that no other cell has (`recurrent_lab.options`), and the arguments of the function. A number with which `init` only
computes is traced, so that all its values share a compiled program. A number that decides a shape or a branch, and an argument
of the function, get a program for each value.
"""

from collections.abc import Mapping
import functools
import inspect
from typing import Any

import jax

import recurrent_lab as rl
from recurrent_lab.options import OwnOption, own_options
from sweepkit import Named
from sweepkit.settings import FINITE, Check, Setting, Settings, Value, number_text

TRUTHS = {"True": True, "False": False}
PROBE_INPUTS, PROBE_UNITS = 8, 16  # sizes at which an `init` is tried, which nearly every cell can have


def _has_hash(cell: rl.Cell) -> bool:
  """Returns False for a cell with a list or an array among its fields, by which no program can be found again."""
  try:
    hash(cell)
  except TypeError:
    return False
  return True


def complaint(value: Any) -> str:
  """Says why an object is not a cell; empty if it is one."""
  if isinstance(value, rl.Cell):
    return "" if _has_hash(value) else "its fields must be functions, names and tuples."
  if not inspect.isfunction(value):
    return f"it is of type {type(value).__name__}; a cell is a recurrent_lab.Cell, or a function that makes one."
  parameters = inspect.signature(value).parameters.values()
  needed = [
    one.name for one in parameters if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
  ]
  return f"a function that makes cells has a default for every argument, but {needed[0]} has none." if needed else ""


#: The cells by the name that `--cells` takes, with those of the user.
TABLE = Named(rl.CELLS, "cell", complaint)


def value_of(option: OwnOption, value: Any) -> Any:
  """Returns the value of an option for that of its setting: truth values are texts there."""
  return TRUTHS[value] if option.kind is bool and isinstance(value, str) else value


@functools.cache
def _made(made: Any, arguments: tuple[tuple[str, Any], ...]) -> rl.Cell:
  """Calls a function that makes cells, once for equal arguments."""
  cell = made(**dict(arguments))
  if not isinstance(cell, rl.Cell):
    raise ValueError(f"the function {made.__name__} makes {type(cell).__name__}, and not a Cell.")
  return cell


def cell_of(static: Mapping[str, Any]) -> rl.Cell:
  """Returns the cell of a point."""
  made = TABLE[str(static["cell"])]
  if isinstance(made, rl.Cell):
    return made
  return _made(
    made, tuple((name, value_of(one, static[name])) for name, one in own_options(made).items() if name in static)
  )


def init_options(static: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
  """Returns the options of a cell's own for its `init`, from the settings of a point: traced ones as arrays."""
  if str(static["cell"]) in TABLE.table:
    return {}
  options = own_options(cell_of(static))
  return {
    name: values[name] if name in values else value_of(one, static[name])
    for name, one in options.items()
    if name in values or name in static
  }


def settings_of_own(name: str, may_trace: bool = True) -> Settings:
  """Returns the settings that only a cell of this name has.

  Args:
    name: as in `TABLE`.
    may_trace: whether numbers may be traced. Those of training runs are not.

  Raises:
    ValueError: if a function does not make a cell.
  """
  return {} if name in TABLE.table else _settings_of(TABLE[name], may_trace)


@functools.cache
def _settings_of(made: Any, may_trace: bool) -> Settings:
  found: dict[str, Setting] = {}
  if not isinstance(made, rl.Cell):
    found = {own: _setting(option, False) for own, option in own_options(made).items()}
    made = _made(made, ())
  numbers = _traceable(made) if may_trace else ()
  found |= {own: _setting(option, own in numbers) for own, option in own_options(made).items()}
  return {own: setting for own, setting in found.items() if setting.default}


def _setting(option: OwnOption, traced: bool) -> Setting:
  kind, about = option.kind, option.about
  choices: Check = FINITE if kind in (int, float) else (lambda value: True, "a text")
  if kind is bool:
    kind, choices = str, (TRUTHS.__contains__, "True or False")
  check = (lambda value: choices[0](value) and about.check(value)), about.allowed or choices[1]
  units = about.units if kind in (int, float) else ""
  default = number_text(str(option.default)) if kind is float else str(option.default)
  return Setting(kind, default, about.help or "of the cell's own", *check, traced, units, is_axis=True)


def _traceable(cell: rl.Cell) -> tuple[str, ...]:
  """Returns the numbers among the options of a cell with which its `init` only computes."""
  numbers = {name: option.default for name, option in own_options(cell).items() if option.kind is float}
  if _can_trace(cell, numbers):
    return tuple(numbers)
  return tuple(name for name, default in numbers.items() if _can_trace(cell, {name: default}))


def _can_trace(cell: rl.Cell, numbers: Mapping[str, Value]) -> bool:
  init = lambda seed, numbers: cell.init(jax.random.key(seed), PROBE_INPUTS, PROBE_UNITS, **numbers)
  try:
    jax.eval_shape(init, 0, dict(numbers))
  except TypeError:  # also those of JAX about values that are not known while it traces
    return False
  except Exception:  # such as a size that the cell cannot have; an error that stays is refused with the point
    return True
  return True
