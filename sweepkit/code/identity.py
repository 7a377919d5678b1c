"""Which code a result comes from: a hash of the functions that compute it and of all that they use.

Of a function counts its source without comments, docstrings and annotations, the values of its closure and of its defaults, and
the functions and values of its module that it names, and so on through the lab and your own modules. Of other packages' functions
the name counts, and the values they were made with: a release of jax is part of the provenance, not of the code. What
a function only writes to, such as a counter or a cache, does not count; nor does where a file lies or which process runs it.
"""

from collections.abc import Callable, Iterator, Mapping
import dataclasses
import functools
import hashlib
import numbers
from pathlib import PurePath
import sys
import sysconfig
import types
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from sweepkit.code import sources
from sweepkit.points import Point, Setting

if TYPE_CHECKING:
  from experiments.portrait.net import Measure

LAB = ("recurrent_lab", "experiments")
# They move, write and tell results, and do not make them.
# fmt: off
_MACHINERY = frozenset(
  f"experiments.{name}"
  for name in (
    "attributes", "blocks", "checkpoints", "codes", "commands", "devices", "files", "journal", "layout",
    "locks", "logged", "manifests", "options", "plan", "progress", "renewal", "runner", "selection",
    "signals", "sources", "store", "summary", "terminal", "units", "words",
  )
)
# fmt: on
# Tables of the lab of which a point uses one entry, which is described instead.
_TABLES = ("CELLS", "TASKS")
_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...))
_ELSEWHERE = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib"))


def _is_own(module: str, file: str) -> bool:
  """Whether code is the lab's or the user's, and so may change from one launch to the next."""
  top = module.partition(".")[0]
  if top in LAB:
    return module not in _MACHINERY
  if top in sys.stdlib_module_names and top != "__main__":
    return False
  return not (
    file.startswith(("<frozen", *_ELSEWHERE)) or {"site-packages", "dist-packages"} & set(PurePath(file).parts)
  )


def _is_own_module(name: str) -> bool:
  module = sys.modules.get(name)
  return module is not None and _is_own(name, getattr(module, "__file__", None) or "")


class _Walk:
  """Describes values as texts; functions, classes and objects once, in the order in which they are met."""

  def __init__(self) -> None:
    self.records: list[str] = []
    self._seen: dict[int, str] = {}
    self._alive: list[Any] = []  # an id is that of one object only as long as it lives
    self._open: list[int] = []  # containers that are being described, one within the other

  def _once(self, value: Any, describe: Callable[[Any], str]) -> str:
    if id(value) not in self._seen:
      number = f"#{len(self._seen)}"
      self._seen[id(value)] = number
      self._alive.append(value)
      self.records.append(f"{number} {describe(value)}")
    return self._seen[id(value)]

  def describe(self, value: Any) -> str:
    """A text that is equal for equal values, in every process and on every machine."""
    if isinstance(value, _PLAIN):
      return repr(value)
    if isinstance(value, np.ndarray | np.generic | jax.Array):
      return _array(value)
    if isinstance(value, types.FunctionType):
      value = _unchecked(value)
      return self._once(value, self._function)
    if isinstance(value, types.MethodType):
      return f"method {self.describe(value.__func__)} of {self.describe(value.__self__)}"
    if isinstance(value, type):
      return self._once(value, self._class)
    if isinstance(value, functools.partial):
      return f"partial {self.describe([value.func, value.args, value.keywords])}"
    if isinstance(value, tuple | list | set | frozenset | Mapping):
      return self._container(value)
    if isinstance(value, types.ModuleType | Setting | PurePath):
      return type(value).__name__
    if callable(getattr(value, "__wrapped__", None)):  # of jit, cache, custom_jvp, custom_vjp
      return self._once(value, self._wrapper)
    return self._once(value, self._instance)

  def _container(self, value: Any) -> str:
    if id(value) in self._open:
      return "itself"
    self._open.append(id(value))
    if isinstance(value, Mapping):
      inner = list(self._items(value.items()))
    else:
      inner = [self.describe(entry) for entry in value]
    self._open.pop()
    return f"{type(value).__name__} [{', '.join(sorted(inner) if isinstance(value, set | frozenset) else inner)}]"

  def _items(self, items: Any) -> Iterator[str]:
    for key, value in sorted(items, key=lambda item: str(item[0])):
      yield f"{self.describe(key)}: {self.describe(value)}"

  def _wrapper(self, value: Any) -> str:
    parts = {name: getattr(value, name, None) for name in ("__wrapped__", "jvp", "fwd", "bwd")}
    return f"wrapper {', '.join(self._items(parts.items()))}"

  def _function(self, function: types.FunctionType) -> str:
    code, module = function.__code__, function.__module__ or ""
    closure = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    values = {name: cell.cell_contents for name, cell in closure.items() if not sources.is_empty(cell)}
    if not _is_own(module, code.co_filename):
      if module in _MACHINERY:
        return function.__name__
      wrapped = getattr(function, "__wrapped__", None)
      inner = [self.describe(wrapped)] if callable(wrapped) else []
      return " ".join([function.__name__, *inner, *self._items(_made_with(values).items())])
    text, written = sources.of(function)
    used = {name: value for name, value in values.items() if name not in written}
    used |= {name: value for name, value in _globals(function) if name not in written}
    defaults = self.describe([function.__defaults__, function.__kwdefaults__])
    return f"{text} with {defaults} {', '.join(self._items(used.items()))}"

  def _class(self, kind: type) -> str:
    if not _is_own_module(kind.__module__):
      return kind.__name__
    fields = getattr(kind, "_fields", ())
    made = {"__module__", "__dict__", "__weakref__", "__doc__", "__annotations__", "_abc_impl", "__firstlineno__"}
    own = {
      name: getattr(value, "__func__", value)
      for name, value in vars(kind).items()
      if name not in made | set(fields) and not _is_generated(value)
    }
    own = {name: value for name, value in own.items() if isinstance(value, (types.FunctionType, property, *_PLAIN))}
    own = {name: value.fget if isinstance(value, property) else value for name, value in own.items()}
    return f"class {kind.__name__}{fields} {self.describe(kind.__bases__)} {', '.join(self._items(own.items()))}"

  def _instance(self, value: Any) -> str:
    kind = type(value)
    if isinstance(value, numbers.Number):
      return f"{kind.__name__} {value!r}"
    # Loggers, locks, generators: their state is no constant of a measure.
    if kind.__module__.partition(".")[0] in sys.stdlib_module_names and kind is not types.SimpleNamespace:
      return kind.__name__
    found = dict(getattr(value, "__dict__", {}))
    if dataclasses.is_dataclass(value):
      found |= {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    if not _is_own_module(kind.__module__):
      found = _made_with(found)
    return f"{self.describe(kind)} {', '.join(self._items(found.items()))}"


def _unchecked(function: types.FunctionType) -> types.FunctionType:
  """The function within the wrappers of a type checker, which tests put around it."""
  while isinstance(inner := getattr(function, "__wrapped__", None), types.FunctionType):
    file = function.__code__.co_filename
    is_checker = file.startswith("<@beartype") or not _is_own("", file)
    if not is_checker or (function.__module__ or "").partition(".")[0] not in (*LAB, "jaxtyping"):
      break
    function = inner
  return function


def _array(value: Any) -> str:
  if hasattr(value, "dtype") and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
    value = jax.random.key_data(value)
  array = np.ascontiguousarray(value)
  content = array.tolist() if array.dtype.hasobject else hashlib.sha256(array.tobytes()).hexdigest()
  return f"{array.dtype}{array.shape} {content}"


def _made_with(values: Mapping[str, Any]) -> dict[str, Any]:
  """Of the state of another package's object what a user may have given it."""
  kinds = (*_PLAIN, tuple, np.ndarray, jax.Array, types.FunctionType, functools.partial)
  return {name: value for name, value in values.items() if isinstance(value, kinds) and not name.startswith("_")}


def _is_generated(value: Any) -> bool:
  """Whether a method was written by `NamedTuple` or `dataclass`."""
  value = getattr(value, "__func__", value)
  return isinstance(value, types.FunctionType) and (
    value.__code__.co_filename.startswith("<") or not _is_own("", value.__code__.co_filename)
  )


def _globals(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
  """What a function names of its module, of own modules that it names or imports, and of theirs."""
  names = sources.names(function.__code__)
  is_lab = (function.__module__ or "").partition(".")[0] in LAB
  modules: dict[str, types.ModuleType] = {name: sys.modules[name] for name in names if _is_own_module(name)}
  for name in sources.global_names(function):
    if name in function.__globals__ and not (is_lab and name in _TABLES):
      value = function.__globals__[name]
      if isinstance(value, types.ModuleType):
        modules[name] = value
      else:
        yield name, value
  todo, met = list(modules.items()), set[str]()
  while todo:
    path, module = todo.pop()
    if module.__name__ in met or not _is_own_module(module.__name__):
      continue
    met.add(module.__name__)
    for name in names:
      value = vars(module).get(name)
      if isinstance(value, types.ModuleType):
        todo.append((f"{path}.{name}", value))
      elif value is not None and name not in _TABLES:
        yield f"{path}.{name}", value


def of(*values: Any) -> str:
  """The name of the code of some functions and of the values they use: 16 hex digits."""
  sources.refresh()
  walk = _Walk()
  roots = [walk.describe(value) for value in values]
  return hashlib.sha256("\n".join([*walk.records, *roots]).encode()).hexdigest()[:16]


def parts_of(point: Point) -> list[Any]:
  """The entries of the lab's tables that a point uses: its cell, and its task if it has one."""
  tables = ((sys.modules["recurrent_lab.cells"].CELLS, "cell"), (sys.modules["recurrent_lab.tasks"].TASKS, "task"))
  return [table.get(point.get(name)) for table, name in tables]


class Codes:
  """The code of the points of a measure, each kind of point asked for once."""

  def __init__(self, measure: "Measure") -> None:
    self._measure = of(measure.run, measure.coords, dict(measure.dims))
    self._known: dict[tuple[Any, ...], str] = {}

  def of(self, point: Point) -> str:
    """The name of the code that computes this point."""
    kind = (point.get("cell"), point.get("task"))
    if kind not in self._known:
      self._known[kind] = of(self._measure, *parts_of(point))
    return self._known[kind]
