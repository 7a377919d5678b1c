"""Lists the public names and converts their docstrings, for the site (`conf.py`) and for the tests.

Docstrings are written for readers of the source: plain text with `code` in single backticks, indented equations, and the fields
of NamedTuples explained beside them. Sphinx reads reStructuredText, so `to_rst` converts them.
"""

from collections.abc import Sequence
import inspect
import re
from types import ModuleType
from typing import Any

import recurrent_lab
from recurrent_lab import cells, instruments, interop, options, sequences, tasks, theory, training
from recurrent_lab.interop import linen, nnx
from recurrent_lab.sequences import ngram

# The public names of a package are those in `__all__`. In these modules, all functions and classes without an underscore are
# public.
PACKAGES = (recurrent_lab, cells, sequences, instruments, training, tasks, theory, interop)
MODULES = (ngram, options, linen, nnx)

SECTION = re.compile(r"(Args|Attributes|Returns|Raises|Yields):$")
LIST = re.compile(r"(-|\d+\.) ")


def is_defined_in(module: ModuleType, name: str, value: Any) -> bool:
  return not name.startswith("_") and callable(value) and getattr(value, "__module__", "") == module.__name__


def public_names() -> dict[str, Any]:
  """Returns every public name of the library with its object, such as `recurrent_lab.tasks.adding`, except modules."""
  names = {f"{package.__name__}.{name}": getattr(package, name) for package in PACKAGES for name in package.__all__}
  for module in MODULES:
    names |= {f"{module.__name__}.{name}": v for name, v in vars(module).items() if is_defined_in(module, name, v)}
  return {name: value for name, value in names.items() if not isinstance(value, ModuleType)}


def field_comments(cls: type) -> dict[str, str]:
  """Returns the comment beside each field of a NamedTuple, in the class or in the class that it extends."""
  fields: Sequence[str] = getattr(cls, "_fields", ())
  source = "".join(inspect.getsource(base) for base in cls.__mro__ if hasattr(base, "_fields")) if fields else ""
  found = {name: re.search(rf"^  {name}: .*?  # (.+)$", source, re.MULTILINE) for name in fields}
  return {name: match[1] for name, match in found.items() if match}


def _escaped(text: str) -> str:
  """Escapes the characters that reStructuredText reads as markup, except in code in backticks."""
  parts = re.split(r"(`[^`]+`)", text)
  parts[::2] = [re.sub(r"([*|\\]|_(?!\w))", r"\\\1", part) for part in parts[::2]]
  # reStructuredText needs an escaped space between code and a word that follows directly, as in `vmap`ped.
  parts[1::2] = [
    f"`{code}`" + ("\\ " if after[:1].isalnum() else "") for code, after in zip(parts[1::2], parts[2::2], strict=True)
  ]
  return "".join(parts)


def to_rst(lines: Sequence[str], fields: Sequence[str] = ()) -> list[str]:
  """Converts a docstring to reStructuredText with Google's sections. Equations become literal, `fields` become attributes."""
  parts: list[tuple[bool, list[str]]] = [(False, [])]  # (is it literal, its lines)
  in_section = in_list = in_equation = False
  for i, line in enumerate(lines):
    text = line.strip()
    if text and not line.startswith("  "):
      was_in_list, is_item = in_list, bool(LIST.match(line))
      in_section, in_list, in_equation = bool(SECTION.match(line)), is_item, False
      if is_item and not was_in_list:
        parts[-1][1].append("")
    elif text and not (in_section or in_list or in_equation) and i and not lines[i - 1].strip():
      in_equation = True
      parts[-1][1].extend(["::", ""])
    if parts[-1][0] != in_equation:
      parts.append((in_equation, []))
    parts[-1][1].append(line)
  if fields and "Attributes:" not in lines:
    parts.append((False, ["", "Attributes:", *(f"  {field}" for field in fields)]))
  texts = ["\n".join(part) for _, part in parts]
  return "\n".join(
    text if is_literal else _escaped(text) for (is_literal, _), text in zip(parts, texts, strict=True)
  ).split("\n")
