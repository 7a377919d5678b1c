"""The page about default weights: how much libraries differ in memory, and what makes one library start as another.

python -m analysis.defaults.table --results=results/reference --out=docs

writes library_memory.md. The report has the same tables on a page of its own.
"""

from collections.abc import Sequence
import html
from pathlib import Path
import re
import sys

from analysis import command, figure
from analysis.defaults._sections import Section, sections
from analysis.figure import Datasets
from analysis.provenance import without_folders
from analysis.study import PageSpec
from sweepkit.store import block_paths, read_meta, write_atomically
from sweepkit.store.files import make_folder

HEAD = """# Memory at default weights

Written by `python -m analysis.defaults.table`. Inputs are white, as many as units, over 200 steps. The memory -1 / rate is in
steps, before a single update. [Defaults of libraries](library_defaults.md) has the recipes.

"""
STYLE = """:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 76rem; padding: 0 1rem 3rem; font: 1rem/1.5 system-ui, sans-serif; }
p { max-width: 46rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.8rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.8rem 0.25rem 0; border-bottom: 1px solid #8886; }"""


def markdown(section: Section) -> str:
  """Returns a section in Markdown."""
  heads, *rows = section.rows
  lines = [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]
  return "\n".join([f"## {section.title}", "", *([section.text, ""] if section.text else []), *lines, ""])


def _as_html(text: str) -> str:
  return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def web(section: Section) -> str:
  """Returns a section in HTML."""
  heads, *rows = section.rows
  head = "".join(f'<th scope="col">{_as_html(cell)}</th>' for cell in heads)
  body = "".join(f"<tr>{''.join(f'<td>{_as_html(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
  text = f"<p>{_as_html(section.text)}</p>\n" if section.text else ""
  table = f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(section.title)}">\n<table>\n'
  rows_of_table = f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>"
  return f"<h2>{html.escape(section.title)}</h2>\n{text}{table}{rows_of_table}\n</table>\n</div>\n"


def content(datasets: Datasets) -> str:
  """Returns the page of the report.

  Raises:
    ResultsError: if results vary in a setting that the page has no place for.
  """
  title = "Memory at default weights"
  view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
  head = f'<meta charset="utf-8">\n{view}\n<title>{title}: recurrent_lab</title>\n<link rel="icon" href="data:,">'
  parts = "".join(map(web, sections(datasets)))
  source = html.escape(figure.source_of(datasets))
  return (
    f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n<style>\n{STYLE}\n</style>\n</head>\n'
    f"<body>\n<main>\n<h1>{title}</h1>\n{parts}<p>From {source}.</p>\n</main>\n</body>\n</html>\n"
  )


WEB_PAGE = PageSpec(
  name="library_memory",
  title="Memory at default weights",
  about="how much the same class differs between libraries, and the numbers that make one library start as another.",
  reads=("library_defaults",),
  content=content,
)


def write(results: Path, out: Path) -> list[Path]:
  """Writes the page of the docs and returns its path.

  Raises:
    ResultsError: if there are no results of the defaults of libraries.
  """
  parts = sections(figure.load(WEB_PAGE, results))
  paths = block_paths(results / "library_defaults")
  commands = sorted({without_folders(read_meta(path)["provenance"]["command"]) for path in paths})
  made = "## Made by\n\n" + "\n".join(f"    {one}" for one in commands) + "\n"
  make_folder(out)
  write_atomically(out / "library_memory.md", (HEAD + "\n".join([*map(markdown, parts), made])).encode())
  return [out / "library_memory.md"]


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the page from the command line and returns an exit code."""
  return command.run("defaults.table", write, argv, "docs", "library_memory.md", __doc__ or "")


if __name__ == "__main__":
  sys.exit(main())
