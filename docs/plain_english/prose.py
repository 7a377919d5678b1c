"""Finds the prose of a file: docstrings, comments, flag helps, error messages and guides, as passages for the rules."""

import ast
from collections.abc import Iterator
import inspect
import io
from pathlib import Path
import re
import tokenize
from typing import NamedTuple

SECTION = re.compile(r"(Args|Attributes|Returns|Raises|Yields|Example|Examples):$")
LIST_ITEM = re.compile(r"\s*([-*]|\d+\.) ")
PRAGMA = re.compile(r"#(!| *(noqa|type:|mypy:|pragma|fmt:|ruff:|%%|[-=]{3,}))")

# The position of the help among the arguments, for the calls that take one.
HELP_POSITION = {"DEFINE_enum": 3, "DEFINE_integer": 2, "DEFINE_float": 2, "DEFINE_boolean": 2, "DEFINE_bool": 2}
HELP_POSITION |= {"DEFINE_string": 2, "DEFINE_list": 2, "DEFINE_multi_string": 2, "Setting": 2}


class Passage(NamedTuple):
  """One paragraph of prose.

  Attributes:
    line: the line of the file where it starts, from 1.
    kind: "module", "docstring", "comment", "help", "error" or "guide".
    text: the paragraph on one line.
    opens: whether it is the first paragraph of its docstring or comment.
    height: how many lines it takes.
  """

  line: int
  kind: str
  text: str
  opens: bool = True
  height: int = 1


def passages(path: Path) -> Iterator[Passage]:
  """All prose of a Python or Markdown file, in no particular order."""
  source = path.read_text(encoding="utf-8")
  if path.suffix == ".md":
    yield from _of_markdown(source)
  else:
    tree = ast.parse(source)
    for node in ast.walk(tree):
      yield from _of_docstring(node)
      yield from _of_message(node)
    yield from _of_comments(source)


def _of_docstring(node: ast.AST) -> Iterator[Passage]:
  if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
    return
  text = ast.get_docstring(node, clean=False)
  if text:
    kind = "module" if isinstance(node, ast.Module) else "docstring"
    start = node.body[0].lineno
    for line, paragraph in _paragraphs(inspect.cleandoc(text).split("\n")):
      yield Passage(start + line, kind, " ".join(paragraph), line == 0, len(paragraph))


def _paragraphs(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
  """(first line, its lines) of the paragraphs, list items and section entries of a docstring, without equations and code."""
  start, found, in_section, in_list, is_literal = 0, list[str](), False, False, False
  for i, line in enumerate(lines):
    text, is_indented = line.strip(), line.startswith("  ")
    is_item = bool(LIST_ITEM.match(line))
    if text and not is_indented:
      in_section, in_list, is_literal = bool(SECTION.match(line)), is_item, False
    elif text and i and not lines[i - 1].strip():
      is_literal = is_literal or not (in_section or in_list) or text.startswith(">>>")
    is_entry = in_section and is_indented and not line.startswith("   ")
    if found and (
      not text or is_literal or is_item or is_entry or in_section != bool(SECTION.match(line) or is_indented)
    ):
      yield start, found
      found = []
    if text and not is_literal and not SECTION.match(line):
      start = start if found else i
      found.append(text)
  if found:
    yield start, found


def _of_comments(source: str) -> Iterator[Passage]:
  """Comments; those on lines of their own, one below the other, are one passage."""
  block: list[tuple[int, int, str]] = []  # (line, column, text)
  for token in tokenize.generate_tokens(io.StringIO(source).readline):
    if token.type != tokenize.COMMENT or PRAGMA.match(token.string):
      continue
    (line, column), text = token.start, token.string.lstrip("#:").strip()
    is_alone = token.line[:column].strip() == ""
    if block and not (is_alone and block[-1][:2] == (line - 1, column)):
      yield Passage(block[0][0], "comment", " ".join(text for *_, text in block), height=len(block))
      block = []
    block.append((line, column, text))
  if block:
    yield Passage(block[0][0], "comment", " ".join(text for *_, text in block), height=len(block))


def _of_message(node: ast.AST) -> Iterator[Passage]:
  """The help of a flag or setting, and the message of an exception that is raised."""
  if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
    yield from _of_string(node.exc.args[0], "error")
  elif isinstance(node, ast.Call):
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name == "exit" and node.args:
      yield from _of_string(node.args[0], "error")
    position = HELP_POSITION.get(name)
    if position is not None and len(node.args) > position:
      yield from _of_string(node.args[position], "help")
    for keyword in node.keywords:
      if keyword.arg == "help":
        yield from _of_string(keyword.value, "help")


def _of_string(node: ast.AST, kind: str) -> Iterator[Passage]:
  text = _literal(node)
  if text.strip("… "):
    yield Passage(getattr(node, "lineno", 0), kind, " ".join(text.split()))


def _literal(node: ast.AST) -> str:
  """A string that is written out, with … for the values in it."""
  if isinstance(node, ast.Constant):
    return node.value if isinstance(node.value, str) else ""
  if isinstance(node, ast.JoinedStr):
    return "".join(_literal(part) or "…" for part in node.values)
  if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
    return _literal(node.left) + _literal(node.right)
  return ""


def _of_markdown(source: str) -> Iterator[Passage]:
  """Paragraphs, list items, headings and cells of tables, without code blocks and HTML."""
  in_list = False
  source = re.sub(r"<!--.*?-->", lambda match: "\n" * match[0].count("\n"), source, flags=re.DOTALL)
  start, found, fence = 0, list[str](), ""
  for i, line in enumerate([*source.split("\n"), ""], 1):
    text = line.strip().removeprefix("> ")
    if text and line[0] != " ":
      in_list = bool(LIST_ITEM.match(text))
    opening = re.match(r"(```+|~~~+|\$\$)", text)
    is_break = (
      not text or fence or opening or (text[0] in "#|<(" and not text.startswith("(http")) or LIST_ITEM.match(text)
    )
    if found and is_break:
      yield Passage(start, "guide", " ".join(found), height=len(found))
      found = []
    if opening and (not fence or text.startswith(fence)):
      fence = "" if fence or (text.endswith("$$") and len(text) > 2) else opening[1]
    elif fence or not text or text[0] == "<" or re.fullmatch(r"\([\w-]+\)=", text):
      continue
    elif line.startswith("    ") and not found and not in_list:
      continue  # an indented code block
    elif text[0] == "|":
      # A cell is a list of phrases; a semicolon in backticks is code.
      parts = (part for cell in text.split("|") for part in re.split(r";(?=(?:[^`]*`[^`]*`)*[^`]*$)", cell))
      yield from (Passage(i, "guide", part.strip()) for part in parts if re.search(r"\w", part))
    else:
      start = start if found else i
      found.append(LIST_ITEM.sub("", text, count=1) if LIST_ITEM.match(text) else text.lstrip("# "))
