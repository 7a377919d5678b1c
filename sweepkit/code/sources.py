"""The source of functions as text that changes only with what they do: without comments, docstrings and annotations."""

import ast
from collections.abc import Iterator
import linecache
import types
from typing import Any

# Methods that change a list, a dictionary or a set.
_CHANGES = {
  "add",
  "append",
  "appendleft",
  "clear",
  "discard",
  "extend",
  "insert",
  "pop",
  "popitem",
  "popleft",
  "remove",
}
_CHANGES |= {"setdefault", "update", "write"}
_parsed: dict[str, tuple[int, dict[int, list[ast.AST]]]] = {}  # file -> hash of its text, functions by their first line
_texts: dict[int, str] = {}  # id of a node of `_parsed` -> its text


class _Plain(ast.NodeTransformer):
  """Takes away docstrings and annotations."""

  def _body(self, node: Any) -> Any:
    self.generic_visit(node)
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
      node.body = node.body[1:] or [ast.Pass()]
    return node

  def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:  # the names are those of ast
    node.returns = None
    return self._body(node)

  visit_ClassDef = visit_AsyncFunctionDef = _body

  def visit_arg(self, node: ast.arg) -> ast.arg:
    node.annotation = None
    return node

  def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
    self.generic_visit(node)
    if node.value is None:
      return ast.copy_location(ast.Pass(), node)
    return ast.copy_location(ast.Assign([node.target], node.value), node)


def refresh() -> None:
  """Forgets files that have changed since they were read."""
  for file in _parsed:
    linecache.checkcache(file)


def _functions(file: str, module: dict[str, Any]) -> dict[int, list[ast.AST]]:
  """All functions of a file by the line that their code names as its first."""
  text = "".join(linecache.getlines(file, module))
  if file not in _parsed or _parsed[file][0] != hash(text):
    found: dict[int, list[ast.AST]] = {}
    try:
      tree = _Plain().visit(ast.parse(text))
    except SyntaxError:  # a cell of a notebook, or a file that is being written
      tree = ast.Module([], [])
    for node in ast.walk(tree):
      if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        lines = [node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))]
        found.setdefault(min(lines), []).append(node)
    _parsed[file] = hash(text), found
  return _parsed[file][1]


def _node(function: types.FunctionType) -> ast.AST | None:
  """The function in its file, if it is there and there is no other with the same name and arguments on its line."""
  code = function.__code__
  arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

  def is_it(node: Any) -> bool:
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return getattr(node, "name", "<lambda>") == code.co_name and tuple(names) == arguments

  found = [
    node for node in _functions(code.co_filename, function.__globals__).get(code.co_firstlineno, []) if is_it(node)
  ]
  return found[0] if len(found) == 1 else None


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
  yield code
  for constant in code.co_consts:
    if isinstance(constant, types.CodeType):
      yield from _codes(constant)


def names(code: types.CodeType) -> list[str]:
  """All names that a function and those within it ask for, in order."""
  return sorted({name for one in _codes(code) for name in one.co_names})


def global_names(function: types.FunctionType) -> list[str]:
  """Those of its `names` that are variables and not attributes; all of them without a source."""
  node = _node(function)
  found = names(function.__code__)
  if node is None:
    return found
  variables = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
  return [name for name in found if name in variables]


def is_empty(held: types.CellType) -> bool:
  try:
    held.cell_contents  # noqa: B018
  except ValueError:
    return True
  return False


def _name(node: ast.AST) -> str:
  """The variable at the root of an expression such as `a.b[c]`."""
  while isinstance(node, ast.Attribute | ast.Subscript):
    node = node.value
  return node.id if isinstance(node, ast.Name) else ""


def _written(tree: ast.AST) -> Iterator[str]:
  """The variables of other scopes that a function changes."""
  for node in ast.walk(tree):
    if isinstance(node, ast.Global | ast.Nonlocal):
      yield from node.names
    elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
      yield _name(node)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("append", "extend"):
      yield _name(node.func.value)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
      function = node.value.func
      if isinstance(function, ast.Attribute) and function.attr in _CHANGES:  # what it returns is not used
        yield _name(function.value)


def of(function: types.FunctionType) -> tuple[str, set[str]]:
  """The text of a function, and the variables of other scopes that it changes.

  Without a source, as after `exec`, or with several lambdas of the same arguments on its line, the text is its byte code, which
  belongs to a version of Python.
  """
  node = _node(function)
  if node is None:
    return _byte_code(function.__code__), set()
  if id(node) not in _texts:
    _texts[id(node)] = ast.unparse(node)
  return _texts[id(node)], set(_written(node))


def _byte_code(code: types.CodeType) -> str:
  plain = [repr(constant) for constant in code.co_consts if not isinstance(constant, types.CodeType | frozenset)]
  plain += [repr(sorted(map(repr, constant))) for constant in code.co_consts if isinstance(constant, frozenset)]
  inner = [_byte_code(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
  return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {plain} {inner}"
