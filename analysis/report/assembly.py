"""Writes one page for all results: the question, every figure with its finding and numbers, the claims, and their provenance.

    python -m analysis.report --results=results --out=report

writes index.html. The page needs no network. It needs no other file, except those that it links to: data too large for it, in
data/, and pages of studies, such as atlas.html. Figures and pages whose experiments were not run are left out, and the page says
how to run them. The same results give the same bytes.
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
from analysis.claims import CLAIMS, INTRODUCTIONS
from analysis.coverage import load, run_command
from analysis.figure import Datasets, FigureSpec, notes, parts, render
from analysis.numbers import Table, tables, to_csv
from analysis.provenance import sweep
from analysis.study import PageSpec, Study, figures, pages, studies
from sweepkit.store import ResultsError, block_paths, write_atomically
from sweepkit.store.files import writing

INLINE = 300_000  # bytes; a larger SVG becomes a PNG, and a larger CSV a file beside the page


class Part(NamedTuple):
  """A part of the argument: a study, its figures and its pages."""

  study: Study
  figures: Sequence[FigureSpec]
  pages: Sequence[PageSpec] = ()


PARTS = tuple(Part(study, figures(study.name), pages(study.name)) for study in studies())


class Picture(NamedTuple):
  """A figure on the page."""

  name: str
  title: str
  finding: str
  caption: list[str]  # paragraphs
  source: str  # data URI of the picture
  width: int  # pixels
  tables: list[Table]
  href: str  # its CSV: a data URI, or the name of a file beside the page
  size: str  # size of the CSV


class Missing(NamedTuple):
  """A figure or page that is left out, why, and the commands that run what it lacks."""

  title: str
  why: str
  commands: list[str]


def _uri(kind: str, content: bytes) -> str:
  return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _encoded(figure: Figure, name: str, source: str) -> tuple[str, int]:
  """The figure as a data URI, and its width in pixels."""
  svg, png = io.BytesIO(), io.BytesIO()
  figure.savefig(svg, format="svg", metadata={"Title": name, "Source": source, "Date": None, "Creator": None})
  width = round(96 * figure.get_figwidth())
  if len(svg.getvalue()) <= INLINE:
    return _uri("image/svg+xml", svg.getvalue()), width
  figure.savefig(png, format="png", metadata={"Title": name, "Source": source, "Software": None})
  return _uri("image/png", png.getvalue()), width


def typeset(text: str) -> markupsafe.Markup:
  """Returns text as safe HTML, with subscripts for W_s and S_{j-1}, minus signs, and equations that are not broken over lines."""
  text = str(markupsafe.escape(text))
  subscript = r"(?:(?<![^\W\d])([^\W\d_])|(‖))_(?:\{(\S+?)\}|\((\S+?)\)|([A-Za-z0-9]))(?![A-Za-z0-9_])"
  text = re.sub(subscript, _subscript, text)
  text = re.sub(r"(?<![\w)>])-(?=[\d∞])", "−", text)
  return markupsafe.Markup(text.replace(" = ", "\u00a0=\u00a0").replace(" ± ", "\u00a0±\u00a0"))


def _subscript(match: re.Match[str]) -> str:
  base, below = filter(None, match.groups())
  return f"{base}<sub>{below.replace('-', '−')}</sub>"


def title(name: str) -> str:
  """Returns the name of a figure as a title."""
  return name.replace("_", " ").capitalize()


def pictures(spec: FigureSpec, datasets: Datasets) -> Iterator[tuple[Picture, dict[str, bytes]]]:
  """Yields the figures that results make, each with its data that is too large for the page, by name of file.

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
  """Loads all experiments of a folder: first those of figures and claims, in the order of the argument, then others.

  Raises:
    ResultsError: if there are none, or a file is altered or of another schema.
  """
  first = f"run an experiment first ({run_command('recurrent_gain', results)})"
  if not results.is_dir():
    raise ResultsError(f"--results: {results} is not a folder; {first}.")
  known = [name for part in PARTS for figure in part.figures for name in figure.inputs]
  known += [name for part in PARTS for page in part.pages for name in page.inputs]
  known += [name for claim in CLAIMS.values() for name in claim.reads]
  others = sorted(path.name for path in results.iterdir() if path.is_dir())
  names = [name for name in dict.fromkeys([*known, *others]) if block_paths(results / name)]
  if not names:
    raise ResultsError(f"--results: {results} holds no results; {first}.")
  return {name: load(results / name) for name in names}


class Section(NamedTuple):
  """A part of the page: the figures and pages that could be made, and those that are left out."""

  study: Study
  pictures: list[Picture]
  pages: list[PageSpec]
  missing: list[Missing]


def _inputs(spec: FigureSpec | PageSpec, data: Mapping[str, xr.Dataset]) -> Datasets:
  """The results that a figure or a page reads. Raises a `ResultsError` if an experiment that it needs was not run."""
  if lacking := [name for name in spec.inputs if name not in data and name not in spec.overlays]:
    raise ResultsError(f"{' and '.join(lacking)} {'was' if len(lacking) == 1 else 'were'} not run")
  return {name: data[name] for name in spec.inputs if name in data}


def _section(part: Part, data: Mapping[str, xr.Dataset], results: Path) -> tuple[Section, dict[str, bytes]]:
  """Draws the figures of a part and makes its pages; also returns the files beside the page, by name."""
  section, files = Section(part.study, [], [], []), dict[str, bytes]()

  def miss(spec: FigureSpec | PageSpec, name: str, error: ResultsError) -> None:
    commands = [run_command(name, results) for name in spec.inputs if name not in data]
    section.missing.append(Missing(name, str(error), commands))

  for figure in part.figures:
    try:
      made = [*pictures(figure, _inputs(figure, data))]
    except ResultsError as error:
      miss(figure, title(figure.name), error)
    else:
      section.pictures.extend(picture for picture, _ in made)
      files |= {name: content for _, beside in made for name, content in beside.items()}
  for page in part.pages:
    try:
      files[f"{page.name}.html"] = page.content(_inputs(page, data)).encode()
    except ResultsError as error:
      miss(page, page.title, error)
    else:
      section.pages.append(page)
  return section, files


def _template() -> jinja2.Template:
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
  )
  environment.filters["typeset"] = typeset
  return environment.get_template("report.html.j2")


def page(results: Path) -> tuple[str, dict[str, bytes]]:
  """Returns the page for a folder of results, and the files beside it, by name; raises as `load_all` does."""
  data = load_all(results)
  sections = [_section(part, data, results) for part in PARTS]
  content = _template().render(
    sections=[section for section, _ in sections],
    claims=CLAIMS,
    ledger=INTRODUCTIONS.entries(data, results),
    sweeps=[sweep(results / name, dataset) for name, dataset in data.items()],
    inline=INLINE // 1000,
    results=shlex.quote(str(results)),
    figures=shlex.quote(str(results / "figures")),
  )
  return content, {name: file for _, files in sections for name, file in files.items()}


def write(out: Path, content: str, files: Mapping[str, bytes]) -> Path:
  """Writes the files beside the page, then the page, so that a page never refers to a file that is missing; returns its path.

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
  """Writes the page of a folder of results and returns it.

  Raises:
    ResultsError: if --out is a file, there are no results, or they were altered.
  """
  existing = next(path for path in (out, *out.absolute().parents) if path.exists())
  if not existing.is_dir():
    raise ResultsError(f"--out: {existing} is a file; give the name of a folder.")
  return [write(out, *page(results))]


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the report from the command line and returns an exit code."""
  return command.run("report", report, argv, "report", "index.html", __doc__ or "")


if __name__ == "__main__":
  sys.exit(main())
