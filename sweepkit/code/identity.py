"""Identity of the code behind a result: a hash of the functions that compute it and of everything that they use.

For each function the hash covers its source without comments, docstrings and annotations, and the values of its closure and
defaults. It also covers the functions and values of its module that it names, through your own modules and the library that is
measured. For functions of other packages it covers the name and the values they were made with: a release of JAX belongs to the
provenance and not to the code. Variables that a function only writes to, such as a counter or a cache, do not count. Neither do
the location of a file and the process that runs it.
"""

from collections.abc import Callable, Iterator, Mapping
import dataclasses
import functools
import hashlib
import numbers
from pathlib import PurePath
import sys
import types
from typing import Any

import jax
import numpy as np

from sweepkit.code import loaded, sources
from sweepkit.code.scope import MACHINERY, Scope, scope_of
from sweepkit.measure import AnyMeasure
from sweepkit.points import Point
from sweepkit.settings import Setting, dimension

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...))


class _Walk:
  """Describes values as texts; functions, classes and objects once, in the order in which they are met."""

  def __init__(self, scope: Scope) -> None:
    self._scope = scope
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
      value = self._unchecked(value)
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
    if callable(getattr(value, "__wrapped__", None)):  # jit, cache, custom_jvp or custom_vjp
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
    values = {name: held.cell_contents for name, held in closure.items() if not sources.is_empty(held)}
    if not self._scope.is_own(module, code.co_filename):
      if module.partition(".")[0] == MACHINERY:
        return function.__name__
      wrapped = getattr(function, "__wrapped__", None)
      inner = [self.describe(wrapped)] if callable(wrapped) else []
      return " ".join([function.__name__, *inner, *self._items(_made_with(values).items())])
    text, written = sources.of(function)
    used = {name: value for name, value in values.items() if name not in written}
    used |= {name: value for name, value in self._globals(function) if name not in written}
    defaults = self.describe([function.__defaults__, function.__kwdefaults__])
    return f"{text} with {defaults} {', '.join(self._items(used.items()))}"

  def _class(self, kind: type) -> str:
    if not self._scope.is_own_module(kind.__module__):
      return kind.__name__
    fields = getattr(kind, "_fields", ())
    made = {"__module__", "__dict__", "__weakref__", "__doc__", "__annotations__", "_abc_impl", "__firstlineno__"}
    own = {
      name: getattr(value, "__func__", value)
      for name, value in vars(kind).items()
      if name not in made | set(fields) and not self._is_generated(value)
    }
    own = {name: value for name, value in own.items() if isinstance(value, (types.FunctionType, property, *_PLAIN))}
    own = {name: value.fget if isinstance(value, property) else value for name, value in own.items()}
    return f"class {kind.__name__}{fields} {self.describe(kind.__bases__)} {', '.join(self._items(own.items()))}"

  def _instance(self, value: Any) -> str:
    kind = type(value)
    if isinstance(value, numbers.Number):
      return f"{kind.__name__} {value!r}"
    # Loggers, locks and generators: their state is not a constant of a measure.
    if kind.__module__.partition(".")[0] in sys.stdlib_module_names and kind is not types.SimpleNamespace:
      return kind.__name__
    found = dict(getattr(value, "__dict__", {}))
    if dataclasses.is_dataclass(value):
      found |= {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    if not self._scope.is_own_module(kind.__module__):
      found = _made_with(found)
    return f"{self.describe(kind)} {', '.join(self._items(found.items()))}"

  def _unchecked(self, function: types.FunctionType) -> types.FunctionType:
    """The function within the wrappers of a type checker, which tests put around it."""
    while isinstance(inner := getattr(function, "__wrapped__", None), types.FunctionType):
      file = function.__code__.co_filename
      is_checker = file.startswith("<@beartype") or not self._scope.is_own("", file)
      if not is_checker or (function.__module__ or "").partition(".")[0] not in (*self._scope.packages, "jaxtyping"):
        break
      function = inner
    return function

  def _is_generated(self, value: Any) -> bool:
    """Returns True for a method that `NamedTuple` or `dataclass` wrote."""
    value = getattr(value, "__func__", value)
    return isinstance(value, types.FunctionType) and (
      value.__code__.co_filename.startswith("<") or not self._scope.is_own("", value.__code__.co_filename)
    )

  def _globals(self, function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Yields what a function names in its module, in own modules that it names or imports, and in theirs."""
    names = sources.names(function.__code__)
    modules: dict[str, types.ModuleType] = {
      name: sys.modules[name] for name in names if self._scope.is_own_module(name)
    }
    for name in sources.global_names(function):
      if name in function.__globals__:
        value = function.__globals__[name]
        if isinstance(value, types.ModuleType):
          modules[name] = value
        elif not self._scope.is_table(value):
          yield name, value
    todo, met = list(modules.items()), set[str]()
    while todo:
      path, module = todo.pop()
      if module.__name__ in met or not self._scope.is_own_module(module.__name__):
        continue
      met.add(module.__name__)
      for name in names:
        value = vars(module).get(name)
        if isinstance(value, types.ModuleType):
          todo.append((f"{path}.{name}", value))
        elif value is not None and not self._scope.is_table(value):
          yield f"{path}.{name}", value


def _array(value: Any) -> str:
  if hasattr(value, "dtype") and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
    value = jax.random.key_data(value)
  array = np.ascontiguousarray(value)
  content = array.tolist() if array.dtype.hasobject else hashlib.sha256(array.tobytes()).hexdigest()
  return f"{array.dtype}{array.shape} {content}"


def _made_with(values: Mapping[str, Any]) -> dict[str, Any]:
  """Returns the part of the state of another package's object that a user may have given it."""
  kinds = (*_PLAIN, tuple, np.ndarray, jax.Array, types.FunctionType, functools.partial)
  return {name: value for name, value in values.items() if isinstance(value, kinds) and not name.startswith("_")}


def of(scope: Scope, *values: Any) -> str:
  """The name of the code of some functions and of the values they use: 16 hex digits."""
  sources.refresh()
  walk = _Walk(scope)
  roots = [walk.describe(value) for value in values]
  return hashlib.sha256("\n".join([*walk.records, *roots]).encode()).hexdigest()[:16]


class Codes:
  """The code of the points of a measure. Each kind of point is looked up once."""

  def __init__(self, measure: AnyMeasure) -> None:
    self._scope = scope_of(measure.settings)
    self._tables = {
      dimension(name, measure.settings): setting.table for name, setting in measure.settings.items() if setting.table
    }
    self._measure = of(self._scope, measure.run, measure.coords, dict(measure.dims))
    self._known: dict[tuple[Any, ...], str] = {}

  def of(self, point: Point) -> str:
    """The name of the code that computes this point, with the entries of the tables that the point uses."""
    kind = tuple(point.get(name) for name in self._tables)
    if kind not in self._known:
      entries = [table.get(str(point.get(name))) for name, table in self._tables.items()]
      self._known[kind] = of(self._scope, self._measure, *entries)
    return self._known[kind]

  @functools.cached_property
  def _files(self) -> str | None:
    return loaded.name_of(self._scope)

  def with_files(self, point: Point) -> str | None:
    """The code of this point with the content of all files behind it; None if one may have changed since it was loaded."""
    return self._files and f"{self.of(point)} {self._files}"
