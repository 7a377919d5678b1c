"""Configures the site: guides, notebooks, and API pages from the docstrings. Building and reading it need no network."""

import os
from pathlib import Path
import sys
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from docstrings import field_comments, public_names, to_rst  # noqa: E402

project = "recurrent_lab"
author = "the recurrent_lab maintainers"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["performance", "images"]
# Notebooks run in empty folders, and an error in one fails the build. There, as for a user, the checkout is in PYTHONPATH.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 120  # seconds for a cell
nb_merge_streams = True  # what a cell prints, in order
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH", "")]))
myst_enable_extensions = ["dollarmath"]
html_theme = "furo"
html_title = "recurrent_lab"
html_math_renderer = "mathml"
html_show_copyright = False
smartquotes_action = "D"  # only dashes, because the quote in f' is a derivative

autodoc_default_options = {"members": True, "member-order": "bysource", "no-value": True}
autodoc_preserve_defaults = True
napoleon_attr_annotations = False  # the signature shows the types
napoleon_use_ivar = True
napoleon_use_rtype = False
python_maximum_signature_line_length = 100

PUBLIC = {(value.__module__, name.rpartition(".")[2]) for name, value in public_names().items() if callable(value)}


def write_docstring(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
  fields = [f"{field}: {text}" for field, text in field_comments(value).items()] if what == "class" else []
  lines[:] = to_rst(lines, fields)


def is_left_out(app: Any, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
  """Leaves out names that a package does not re-export, and fields of NamedTuples, which the class explains."""
  if type(value).__name__ == "_tuplegetter":
    return True
  module = getattr(value, "__module__", None) or ""
  is_ours = what == "module" and callable(value) and module.startswith("recurrent_lab")
  return True if is_ours and (module, name) not in PUBLIC else None


def write_signature(
  app: Any, what: str, name: str, value: Any, options: Any, arguments: str | None, result: str | None
) -> Any:
  """Writes the type of arrays as users import it."""
  return tuple(text and text.replace("jaxlib._jax.Array", "Array") for text in (arguments, result))


def visit_math(translator: Any, node: nodes.math | nodes.math_block) -> None:
  display = isinstance(node, nodes.math_block)
  translator.body.append(tex2mathml(node.astext(), as_block=display))
  raise nodes.SkipNode


def setup(app: Any) -> None:
  app.add_html_math_renderer("mathml", inline_renderers=(visit_math, None), block_renderers=(visit_math, None))
  app.connect("autodoc-process-docstring", write_docstring, priority=400)  # before napoleon
  app.connect("autodoc-process-signature", write_signature)
  app.connect("autodoc-skip-member", is_left_out)
