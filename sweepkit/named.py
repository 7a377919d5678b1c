"""Tables of named objects, to which the user of a sweep adds objects of their own.

A text setting whose `table` is `Named` takes three spellings of a value:

    --map=sine                  a name in the table
    --map=my_module:tent        the object `tent` of a module that can be imported, also from the current folder
    --map=steep=my_module:tent  the same object under another name

From Python it also takes the object itself, or a mapping of names to objects. A point holds the name alone. Where an object is
defined therefore makes no difference to a result, and what it computes is part of the code of the point.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
import contextlib
import importlib
import os
import re
import sys
import traceback
from typing import Any

_PLACE = re.compile(r"(?:(?P<name>\w+)=)?(?P<module>\w+(?:\.\w+)*):(?P<attribute>\w+)")


class Named(Mapping[str, Any]):
  """A table of objects by name, with those of the user after those that everybody has.

  Attributes:
    table: the objects that everybody has.
    noun: one of them in a word, such as map.
    complaint: says in words what is wrong with an object of the user; empty if nothing is.
    modules: the top-level packages of the user's objects.
  """

  def __init__(self, table: Mapping[str, Any], noun: str, complaint: Callable[[Any], str]) -> None:
    self.table, self.noun, self.complaint = table, noun, complaint
    self.modules: set[str] = set()
    self._own: dict[str, tuple[str, Any]] = {}  # name -> where it is defined, and the object

  def __getitem__(self, name: str) -> Any:
    return self.table[name] if name in self.table else self._own[name][1]

  def __iter__(self) -> Iterator[str]:
    yield from self.table
    yield from self._own

  def __len__(self) -> int:
    return len(self.table) + len(self._own)

  @property
  def allowed(self) -> str:
    """The values of the setting in words."""
    return f"one of {', '.join(self.table)}, or module:name for a {self.noun} of your own"

  def find(self, text: str) -> str:
    """Returns the name that a text of a flag stands for. Imports the module, if the text names one.

    Raises:
      ValueError: if there is no such module or object, if it is of another kind, or if its name is taken.
    """
    place = _PLACE.fullmatch(text)
    if place is None:
      return text
    found = _attribute(_imported(place["module"]), place["attribute"], text)
    self.modules.add(place["module"].partition(".")[0])
    return self.add(place["name"] or place["attribute"], f"{place['module']}:{place['attribute']}", found)

  def text(self, value: Any) -> str:
    """Returns what `find` takes for a value of a program: a text, an object, a mapping of names to objects, or several of them.

    Raises:
      ValueError: if an object is of another kind, or has no name.
    """
    if isinstance(value, str):
      return value
    if isinstance(value, Mapping):
      return ",".join(self.add(name, "", one) for name, one in value.items())
    if self.complaint(value) and isinstance(value, Iterable):
      return ",".join(map(self.text, value))
    for name, one in self.items():
      if one is value:
        return name
    place = self._place(value)
    return place if not place.startswith("__main__:") else self.add(place.partition(":")[2], place, value)

  def add(self, name: str, place: str, value: Any) -> str:
    """Adds an object of the user under a name, and returns the name. It replaces an earlier one that was defined there.

    Args:
      name: the name.
      place: where the object is defined, as module:name; empty for one that a program has made.
      value: the object.

    Raises:
      ValueError: if it is of another kind, or the name is taken.
    """
    if wrong := self.complaint(value):
      raise ValueError(f"{place or repr(name)} is not a {self.noun}: {wrong}")
    if name in self.table and self.table[name] is not value:
      raise ValueError(f"{name!r} is a {self.noun} that is there already; name yours {self._example(name, place)}.")
    before, known = self._own.get(name, (place, value))
    if before != place and known is not value and not {before, place} & {"", f"__main__:{name}"}:
      raise ValueError(f"{name!r} is the {self.noun} {before} already; name the other {self._example(name, place)}.")
    if name not in self.table:
      self._own[name] = place, value
    return name

  def _example(self, name: str, place: str) -> str:
    return f"my_{name}, as in my_{name}={place}" if place else f"my_{name}"

  def _place(self, value: Any) -> str:
    """Returns where an object is defined, as module:name."""
    if wrong := self.complaint(value):
      raise ValueError(f"{value!r} is not a {self.noun}: {wrong}")
    parts = [value, *value] if isinstance(value, tuple) else [value]
    homes = [getattr(part, "__module__", None) for part in parts]
    others = [name for name in sorted(sys.modules) if not name.startswith("_")]
    for module in dict.fromkeys([*filter(None, homes), "__main__", *others]):
      for name, one in list(getattr(sys.modules.get(module), "__dict__", {}).items()):
        if one is value and name not in self.table:
          return f"{module}:{name}"
    raise ValueError(
      f"This {self.noun} has no name at the top level of a module; give it one: {{'my_{self.noun}': …}}."
    )


def _imported(name: str) -> Any:
  """Imports a module, also from the current folder.

  Raises:
    ValueError: if there is no such module, or its code raises an error.
  """
  here = os.getcwd()
  try:
    with _on_path(here):
      return importlib.import_module(name)
  except ModuleNotFoundError as error:
    if error.name is None or f"{name}.".startswith(f"{error.name}."):
      raise ValueError(f"there is no module {name} in {here} or where Python looks for modules") from None
    raise ValueError(f"the module {name} cannot be imported: {error}") from error
  except Exception as error:
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"line {error.lineno}" if isinstance(error, SyntaxError) else f"line {last.lineno} of {last.filename}"
    raise ValueError(f"the module {name} cannot be imported: {type(error).__name__} in {place}: {error}") from error


@contextlib.contextmanager
def _on_path(folder: str) -> Iterator[None]:
  """Lets Python find modules in a folder for a while, after all others."""
  is_new = folder not in sys.path and not ("" in sys.path and folder == os.getcwd())
  if is_new:
    sys.path.append(folder)
  try:
    yield
  finally:
    if is_new:
      sys.path.remove(folder)


def _attribute(module: Any, name: str, text: str) -> Any:
  if not hasattr(module, name):
    raise ValueError(f"{text!r} names nothing: the module {module.__name__} has no {name}")
  return getattr(module, name)
