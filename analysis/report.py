"""One page for all results: the question, the figures with what they find and their numbers, the claims, and where it comes from.

    python -m analysis.report --results=results --out=report

writes index.html, which needs no network and no other file but those of data too large for it, which lie in data/ beside it.
Figures whose experiments were not run are left out, and the page says how to run them. The same results give the same bytes.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
import io
from pathlib import Path
import re
import shlex
import sys
from typing import NamedTuple
from urllib.parse import quote

import jinja2
import markupsafe
from matplotlib.figure import Figure
import xarray as xr

from analysis import command
from analysis.claims import CLAIMS, ledger
from analysis.coverage import load, run_command
from analysis.figure import Datasets, FigureSpec, notes, parts, render
from analysis.numbers import Table, tables, to_csv
from analysis.provenance import sweep
from analysis.study import Study, figures, studies
from sweepkit.store import ResultsError, block_paths, write_atomically
from sweepkit.store.files import writing

INLINE = 300_000  # bytes of an SVG, which is a PNG beyond, and of a CSV, which lies beside the page beyond


class Part(NamedTuple):
  """A part of the argument: a study and its figures."""

  study: Study
  figures: Sequence[FigureSpec]


PARTS = tuple(Part(study, figures(study.name)) for study in studies())


class Picture(NamedTuple):
  """A figure on the page; `href` is its data, within the page or the name of a file beside it."""

  name: str
  title: str
  finding: str
  caption: list[str]
  source: str
  width: int
  tables: list[Table]
  href: str
  size: str


class Missing(NamedTuple):
  """A figure that is left out: why, and the commands that would help."""

  title: str
  why: str
  commands: list[str]


def _uri(kind: str, content: bytes) -> str:
  return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _encoded(figure: Figure, name: str, source: str) -> tuple[str, int]:
  """The figure as a data URI, and its width in pixels of the page."""
  svg, png = io.BytesIO(), io.BytesIO()
  figure.savefig(svg, format="svg", metadata={"Title": name, "Source": source, "Date": None, "Creator": None})
  width = round(96 * figure.get_figwidth())
  if len(svg.getvalue()) <= INLINE:
    return _uri("image/svg+xml", svg.getvalue()), width
  figure.savefig(png, format="png", metadata={"Title": name, "Source": source, "Software": None})
  return _uri("image/png", png.getvalue()), width


def typeset(text: str) -> markupsafe.Markup:
  """W_s and S_{j-1} with subscripts, minus signs, and equations that stay on one line; safe to put into a page."""
  text = str(markupsafe.escape(text))
  subscript = r"(?:(?<![^\W\d])([^\W\d_])|(‖))_(?:\{(\S+?)\}|\((\S+?)\)|([A-Za-z0-9]))(?![A-Za-z0-9_])"
  text = re.sub(subscript, _subscript, text)
  text = re.sub(r"(?<![\w)>])-(?=[\d∞])", "−", text)
  return markupsafe.Markup(text.replace(" = ", "\u00a0=\u00a0").replace(" ± ", "\u00a0±\u00a0"))


def _subscript(match: re.Match[str]) -> str:
  base, below = filter(None, match.groups())
  return f"{base}<sub>{below.replace('-', '−')}</sub>"


def title(name: str) -> str:
  return name.replace("_", " ").capitalize()


def pictures(spec: FigureSpec, datasets: Datasets) -> Iterator[tuple[Picture, dict[str, bytes]]]:
  """The figures that results make, each with its numbers and the files that are too large for the page.

  Raises:
    ResultsError: if they cannot be drawn from these results.
  """
  for part, data, said in parts(spec, datasets):
    source, width = render(part, data, _encoded, said)
    shown = part.numbers(data)
    csv = to_csv(shown)
    is_inline = len(csv) <= INLINE
    href = f"data:text/csv;charset=utf-8,{quote(csv, safe=',')}" if is_inline else f"data/{part.name}.csv"
    paragraphs = [" ".join(text.split()) for text in part.caption.strip().split("\n\n")]
    size = f"{max(1, round(len(csv) / 1000))} kB"
    told = " ".join([part.finding(shown), *(f"{note[0].upper()}{note[1:]}." for note in (*said, *notes(part, data)))])
    made = Picture(part.name, title(part.name), told, paragraphs, source, width, tables(shown, part.tables), href, size)
    yield made, {} if is_inline else {href: csv}


def load_all(results: Path) -> dict[str, xr.Dataset]:
  """All experiments of a folder: first those of figures and claims, in the order of the argument, then others.

  Raises:
    ResultsError: if there are none, or a file is altered or of another schema.
  """
  first = f"run an experiment first ({run_command('recurrent_gain', results)})"
  if not results.is_dir():
    raise ResultsError(f"--results: {results} is no folder; {first}.")
  known = [name for part in PARTS for spec in part.figures for name in spec.inputs]
  known += [name for claim in CLAIMS.values() for name in claim.reads]
  others = sorted(path.name for path in results.iterdir() if path.is_dir())
  names = [name for name in dict.fromkeys([*known, *others]) if block_paths(results / name)]
  if not names:
    raise ResultsError(f"--results: {results} holds no results; {first}.")
  return {name: load(results / name) for name in names}


def page(results: Path) -> tuple[str, dict[str, bytes]]:
  """The page for a folder of results, and the files beside it, by name.

  Raises:
    ResultsError: if there are no results, or they were altered.
  """
  data = load_all(results)
  sections, files = [], dict[str, bytes]()
  for part in PARTS:
    drawn, missing = [], []
    for spec in part.figures:
      lacking = [name for name in spec.inputs if name not in data]
      try:
        if needed := [name for name in lacking if name not in spec.overlays]:
          raise ResultsError(f"{' and '.join(needed)} {'was' if len(needed) == 1 else 'were'} not run")
        for found, beside in pictures(spec, {name: data[name] for name in spec.inputs if name in data}):
          drawn.append(found)
          files |= beside
      except ResultsError as error:
        missing.append(Missing(title(spec.name), str(error), [run_command(name, results) for name in lacking]))
    sections.append((part, drawn, missing))
  sweeps = [sweep(results / name, dataset) for name, dataset in data.items()]
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
  )
  environment.filters["typeset"] = typeset
  template = environment.get_template("report.html.j2")
  entries = ledger(data, results)
  return template.render(
    parts=sections,
    claims=CLAIMS,
    ledger=entries,
    sweeps=sweeps,
    inline=INLINE // 1000,
    results=shlex.quote(str(results)),
    figures=shlex.quote(str(results / "figures")),
  ), files


def write(out: Path, content: str, files: Mapping[str, bytes]) -> Path:
  """Writes the page last, when what it refers to is there.

  Raises:
    ResultsError: if something cannot be written.
  """
  for name, file in files.items():
    with writing(out):
      (out / name).parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out / name, file)
  with writing(out):
    out.mkdir(parents=True, exist_ok=True)
  write_atomically(out / "index.html", content.encode())
  return out / "index.html"


def report(results: Path, out: Path) -> list[Path]:
  """Writes the page of a folder of results; returns what was written."""
  existing = next(path for path in (out, *out.absolute().parents) if path.exists())
  if not existing.is_dir():
    raise ResultsError(f"--out: {existing} is a file; give the name of a folder.")
  return [write(out, *page(results))]


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the report from the command line and returns an exit code."""
  return command.run("report", report, argv, "report", "index.html", __doc__ or "")


if __name__ == "__main__":
  sys.exit(main())
