"""Rooms import only the rooms below them, nothing imports in a circle, and folders, files and functions stay small.

`python -m pytest -s tests/architecture_test.py` prints the graph and the numbers.
"""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Each room and those that it may import, as in docs/architecture.md.
BELOW = {
  "recurrent_lab": set(),
  "sweepkit": set(),
  "experiments": {"sweepkit", "recurrent_lab"},
  "analysis": {"sweepkit", "recurrent_lab"},
  "oracles": {"recurrent_lab"},
  "reliability": {"sweepkit", "recurrent_lab", "experiments", "analysis"},
  "benchmarks": {"sweepkit", "recurrent_lab", "experiments", "analysis", "reliability"},
}
MOST_FILES = 25
LONGEST_FILE, LONG_FILES, LONGEST_FUNCTION = 280, 5, 60  # lines, files over 250 lines, lines
# Each study is a file, and the listing of the folder is their table of contents.
EXCEPTED = {"experiments"}


def module_of(path):
  """The name of a module, and whether it is a package."""
  parts = path.relative_to(ROOT).with_suffix("").parts
  return (".".join(parts[:-1]), True) if parts[-1] == "__init__" else (".".join(parts), False)


FILES = {module_of(path)[0]: path for room in BELOW for path in sorted((ROOT / room).rglob("*.py"))}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}


def at_import(node):
  """The nodes that run when a module is imported; type checkers alone import what `if TYPE_CHECKING` holds."""
  for child in ast.iter_child_nodes(node):
    is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    is_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
    if not is_function and not is_for_types:
      yield child
      yield from at_import(child)


def imported(module, nodes):
  """The modules of the rooms that a module imports."""
  for node in nodes:
    if isinstance(node, ast.Import):
      names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
      base = node.module or ""
      if node.level:
        package = module.split(".")[: len(module.split(".")) - node.level + (FILES[module].name == "__init__.py")]
        base = ".".join([*package, *([node.module] if node.module else [])])
      # `from package import name`: the module of that name if there is one, else the package.
      names = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in FILES else base for alias in node.names]
    else:
      continue
    yield from (name for name in names if name in FILES and name != module)


EVERY = {name: set(imported(name, ast.walk(tree))) for name, tree in TREES.items()}
AT_IMPORT = {name: set(imported(name, at_import(tree))) for name, tree in TREES.items()}
room_of = lambda name: name.partition(".")[0]


def joined(graph, group):
  """The graph between groups of modules, without what lies within one group."""
  arrows = defaultdict(set)
  for name, others in graph.items():
    arrows[group(name)] |= {group(other) for other in others} - {group(name)}
  return dict(arrows)


def circle(graph):
  """A path that ends where it begins, or None."""
  done, path = set(), []

  def visit(name):
    if name in path:
      return [*path[path.index(name) :], name]
    if name in done:
      return None
    path.append(name)
    found = next(filter(None, map(visit, sorted(graph.get(name, ())))), None)
    path.pop()
    done.add(name)
    return found

  return next(filter(None, map(visit, sorted(graph))), None)


def test_circles_are_found():
  assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) is None
  assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


@pytest.mark.parametrize("room", BELOW)
def test_a_room_imports_only_rooms_below(room):
  """Imports within functions count too."""
  wrong = [
    f"{name} imports {other}"
    for name, others in EVERY.items()
    for other in others
    if room_of(name) == room and room_of(other) not in BELOW[room] | {room}
  ]
  assert not wrong


def test_no_circle_between_rooms():
  rooms = joined(EVERY, room_of)
  for room in BELOW:
    print(f"{room} -> {', '.join(sorted(rooms[room])) or 'no other room'}")
  assert circle(rooms) is None
  assert set(rooms) == set(BELOW)
  assert rooms["benchmarks"] | rooms["reliability"] > rooms["experiments"] == {"recurrent_lab", "sweepkit"}


@pytest.mark.parametrize("room", BELOW)
def test_no_circle_within_a_room(room):
  """Neither between its modules nor between its packages. The room's own `__init__` opens all of them and is part of none."""
  within = {
    name: {o for o in others if room_of(o) == room} for name, others in AT_IMPORT.items() if room_of(name) == room
  }
  assert circle(within) is None

  is_door = lambda name: FILES[name].name == "__init__.py"
  rest = {n: {o for o in others if o != room} for n, others in within.items() if n != room}
  part = lambda name: ".".join(name.split(".")[:2])
  parts = joined(rest, part)
  packages = {name for name in parts if is_door(name)}
  for name in sorted(packages):
    print(f"{name} -> {', '.join(sorted(parts[name])) or 'nothing beside it'}")
  assert circle(parts) is None


def test_folders_are_small():
  """Files of code; `experiments/` is the exception, where each study is a file."""
  count = defaultdict(int)
  for path in FILES.values():
    count[str(path.parent.relative_to(ROOT))] += 1
  for folder, files in sorted(count.items()):
    print(f"{files:3d} files in {folder}/")
  assert not {folder for folder, files in count.items() if files > MOST_FILES} - EXCEPTED


def test_the_listing_of_experiments_is_a_table_of_contents():
  """Beside the studies are the listing, the writer, the export, and the three packages that studies share."""
  folder = ROOT / "experiments"
  studies = {path.stem for path in folder.glob("*.py") if "\nEXPERIMENT = " in path.read_text()}
  assert {path.stem for path in folder.glob("*.py")} - studies == {"__init__", "__main__", "export", "generate"}
  assert {path.parent.name for path in folder.glob("*/__init__.py")} == {"portrait", "training", "language"}


def test_every_folder_says_what_belongs_there():
  for folder in {path.parent for path in FILES.values()}:
    door = folder / "__init__.py"
    said = (ast.get_docstring(ast.parse(door.read_text())) if door.exists() else "") or ""
    assert said or (folder / "README.md").exists(), f"{folder} does not say what belongs there"
    assert not said or said.split("\n\n")[0].endswith((".", ":")), door


def test_numbers_of_files_and_functions():
  """Most files are under 250 lines and most functions under 60; these limits are those of today and may only fall."""
  lengths = {name: path.read_text().count("\n") for name, path in FILES.items()}
  functions = {
    f"{name}.{node.name}": node.end_lineno - node.lineno + 1
    for name, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
  }
  longest = max(functions, key=functions.__getitem__)
  long_files = {name: length for name, length in lengths.items() if length > 250}
  print(f"{len(lengths)} files, {len(long_files)} over 250 lines: {long_files}")
  print(f"the longest function is {longest} with {functions[longest]} lines; over 60 lines:")
  print({name: length for name, length in functions.items() if length > 60})
  assert max(lengths.values()) <= LONGEST_FILE
  assert len(long_files) <= LONG_FILES
  assert functions[longest] <= LONGEST_FUNCTION
