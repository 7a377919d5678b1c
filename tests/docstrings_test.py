"""Every public name of the library says what it is: its arguments, its fields, its errors; and the site shows it."""

import importlib.util
import inspect
from pathlib import Path
import re
from typing import NamedTuple

import jax

ROOT = Path(__file__).parent.parent
SPEC = importlib.util.spec_from_file_location("docstrings", ROOT / "docs" / "docstrings.py")
docstrings = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(docstrings)

PUBLIC = docstrings.public_names()
FUNCTIONS = {name: inspect.unwrap(value) for name, value in PUBLIC.items() if inspect.isfunction(value)}
TUPLES = {name: value for name, value in PUBLIC.items() if inspect.isclass(value) and hasattr(value, "_fields")}
TABLES = [name for name, value in PUBLIC.items() if not callable(value)]
REFUSES = re.compile(r"raise ValueError|\b(check_\w+|get_activation|parse_options)\(")


def own_docstring(value):
  """Returns the docstring, or "" for a NamedTuple whose docstring is the signature that Python generates."""
  doc = inspect.getdoc(value) or ""
  return "" if doc.startswith(f"{value.__name__}(") else doc


def test_there_is_something_to_check():
  assert min(map(len, (FUNCTIONS, TUPLES, TABLES))) > 5


def test_every_name_has_a_docstring():
  assert [name for name, value in PUBLIC.items() if callable(value) and not own_docstring(value)] == []


def test_tables_are_explained_where_they_are_made():
  sources = [path.read_text() for path in (ROOT / "recurrent_lab").rglob("*.py")]
  for name in TABLES:
    made = re.compile(rf"^#: .+\n{name.rpartition('.')[2]}: ", re.MULTILINE)
    assert any(made.search(source) for source in sources), name


def unexplained_fields(cls):
  comments, doc = docstrings.field_comments(cls), own_docstring(cls)
  return [
    field for field in cls._fields if field not in comments and not re.search(rf"^  {field}: ", doc, re.MULTILINE)
  ]


def unexplained_arguments(function):
  """Returns the arguments that a docstring with a list of arguments leaves out."""
  doc, names = own_docstring(function), inspect.signature(function).parameters
  return [name for name in names if "Args:" in doc and not re.search(rf"^  \**{name}: ", doc, re.MULTILINE)]


def is_silent_about_errors(function):
  return bool(REFUSES.search(inspect.getsource(function))) and not re.search(
    r"ValueError|Error: ", own_docstring(function)
  )


def is_silent_about_shapes(function):
  """Shapes are in the signature, or else in words."""
  signature = inspect.signature(function)
  annotations = [*(p.annotation for p in signature.parameters.values()), signature.return_annotation]
  return jax.Array in annotations and "[" not in own_docstring(function)


def test_fields_arguments_errors_and_shapes_are_explained():
  assert {name: found for name, cls in TUPLES.items() if (found := unexplained_fields(cls))} == {}
  assert {name: found for name, f in FUNCTIONS.items() if (found := unexplained_arguments(f))} == {}
  assert [name for name, f in FUNCTIONS.items() if is_silent_about_errors(f)] == []
  assert [name for name, f in FUNCTIONS.items() if is_silent_about_shapes(f)] == []


class Poor(NamedTuple):
  left: int
  right: int  # the second


def poor(left: jax.Array, right: int) -> None:
  """Says little.

  Args:
    left: an array.
  """
  if right:
    raise ValueError(left)


def test_what_is_not_explained_is_noticed():
  assert not own_docstring(Poor)
  assert unexplained_fields(Poor) == ["left"]
  assert unexplained_arguments(poor) == ["right"]
  assert is_silent_about_errors(poor)
  assert is_silent_about_shapes(poor)


def test_the_site_has_a_page_for_every_public_name():
  pages = " ".join(path.read_text() for path in (ROOT / "docs" / "api").glob("*.md"))
  shown = set(re.findall(r"automodule:: (\S+)\n(?!   :no-members:)", pages))
  shown_alone = set(re.findall(r"auto(?:data|function):: (\S+)", pages))
  missing = {
    name
    for name, value in PUBLIC.items()
    if callable(value) and value.__module__ not in shown and f"{value.__module__}.{value.__name__}" not in shown_alone
  }
  assert not missing


def test_pages_of_the_site_are_in_its_index():
  """The notebooks have an index of their own."""
  listed = {
    index.parent / name
    for index in (ROOT / "docs").rglob("index.md")
    for name in re.findall(r"^[\w/-]+$", index.read_text(), re.MULTILINE)
  }
  for page in (ROOT / "docs").rglob("*.md"):
    assert page == ROOT / "docs" / "index.md" or page.with_suffix("") in listed, page


def test_docstrings_become_restructured_text():
  lines = ["The size |x| of `x`s, a*b, S_{t}:", "", "    |J_t| = *", "", "- one", "", "Args:", "  x: it"]
  assert docstrings.to_rst(lines, ["y: |y|"]) == [
    r"The size \|x\| of ``x``\ s, a\*b, S\_{t}:",
    "",
    "::",
    "",
    "    |J_t| = *",
    "",
    "",
    "- one",
    "",
    "Args:",
    "  x: it",
    "",
    "Attributes:",
    r"  y: \|y\|",
  ]
