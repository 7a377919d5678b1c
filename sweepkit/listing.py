"""A table of experiments: their names, the size of their default grids, the time these take, and what they show."""

from collections.abc import Iterable, Mapping
import importlib
import pkgutil
import textwrap
from types import ModuleType

from sweepkit.experiment import MACHINE, Experiment, default_size, expected_time, first_line


def modules(package: ModuleType) -> list[str]:
  """The names of the modules of a package, without its subpackages and its command."""
  found = pkgutil.iter_modules(package.__path__)
  return sorted(module.name for module in found if not module.ispkg and module.name != "__main__")


def experiments(package: ModuleType) -> dict[str, Experiment]:
  """The `EXPERIMENT` of every module of a package that has one, by name."""
  found = {
    name: getattr(importlib.import_module(f"{package.__name__}.{name}"), "EXPERIMENT", None)
    for name in modules(package)
  }
  return {name: experiment for name, experiment in found.items() if isinstance(experiment, Experiment)}


def tools(package: ModuleType) -> dict[str, str]:
  """The first line of the docstring of every other module of a package that is a command, by name."""
  found = {name: importlib.import_module(f"{package.__name__}.{name}") for name in modules(package)}
  is_tool = lambda module: hasattr(module, "main") and not hasattr(module, "EXPERIMENT")
  return {name: (module.__doc__ or "").strip().splitlines()[0] for name, module in found.items() if is_tool(module)}


def listing(found: Iterable[Experiment], others: Mapping[str, str], width: int | None = None) -> str:
  """Returns a line for each experiment, cut to `width` characters if that is given: name, default size, time, what it shows.

  Args:
    found: the experiments.
    others: name -> what it does, of the other commands beside them.
    width: of a line, in characters.
  """
  rows: dict[str, list[tuple[str, ...]]] = {}
  for one in found:
    row: tuple[str, ...] = (one.name, default_size(one), expected_time(one), first_line(one))
    rows.setdefault(one.measure.group, []).append(row)
  every = [row for group in rows.values() for row in group]
  widths = [max(len(row[i]) for row in every) for i in range(3)]
  lines = []
  for group, members in rows.items():
    lines += [f"{group}:"]
    for row in members:
      line = "  ".join([*(text.ljust(size) for text, size in zip(row, widths, strict=False)), row[3]])
      lines.append(line if width is None or len(line) <= width else f"{line[: width - 1].rstrip()}…")
    lines.append("")
  if others:
    lines += ["Tools:", *(f"{name}  {what}" for name, what in others.items()), ""]
  about = f"The times are those of the default grids on {MACHINE}."
  return "\n".join([*lines, *textwrap.wrap(about, width or 120)])
