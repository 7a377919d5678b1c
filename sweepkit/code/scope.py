"""The code that belongs to a measure: modules of the user, and of the libraries whose entries its settings name."""

from collections.abc import Mapping
from pathlib import PurePath
import sys
import sysconfig
from typing import Any, NamedTuple

from sweepkit.named import Named
from sweepkit.settings import Settings

MACHINERY = "sweepkit"  # moves, writes and reports results, and does not make them
_ELSEWHERE = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib"))


class Scope(NamedTuple):
  """Code that belongs to a measure besides the modules of the user.

  Attributes:
    packages: top-level packages whose code counts even where they are installed: those whose objects the tables hold.
    tables: the tables of the settings. A point uses one entry of each, which is described in place of the whole table.
  """

  packages: frozenset[str]
  tables: tuple[Mapping[str, Any], ...]

  def is_own(self, module: str, file: str) -> bool:
    """Returns True for code that may change between launches, unlike the release of another package."""
    top = module.partition(".")[0]
    if top == MACHINERY:
      return False
    if top in self.packages:
      return True
    if top in sys.stdlib_module_names and top != "__main__":
      return False
    return not (
      file.startswith(("<frozen", *_ELSEWHERE)) or {"site-packages", "dist-packages"} & set(PurePath(file).parts)
    )

  def is_own_module(self, name: str) -> bool:
    """Returns True for a module, given its name, whose code may change between launches."""
    module = sys.modules.get(name)
    return module is not None and self.is_own(name, getattr(module, "__file__", None) or "")

  def is_table(self, value: Any) -> bool:
    """Returns True for the table of a setting, with or without the objects of the user."""
    return any(value is table or (isinstance(table, Named) and value is table.table) for table in self.tables)


def scope_of(settings: Settings) -> Scope:
  """The scope of a measure with these settings."""
  tables = tuple(setting.table for setting in settings.values() if setting.table)
  modules = (entry.__module__ for table in tables for entry in table.values() if hasattr(entry, "__module__"))
  packages = {module.partition(".")[0] for module in modules}
  packages |= {module for table in tables if isinstance(table, Named) for module in table.modules}
  return Scope(frozenset(packages) - set(sys.stdlib_module_names), tables)
