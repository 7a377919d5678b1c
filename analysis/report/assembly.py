"""The page of the report: its parts, the folder of results that it shows, and the files beside it."""

from collections.abc import Mapping, Sequence
import html
from pathlib import Path
import re
import shlex
from typing import NamedTuple

import jinja2
import xarray as xr

from analysis.claims import CLAIMS, INTRODUCTIONS
from analysis.coverage import load, run_command
from analysis.figure import Datasets, FigureSpec
from analysis.provenance import sweep
from analysis.report import pictures
from analysis.report.pictures import Picture
from analysis.study import PageSpec, Study, figures, pages, studies
from sweepkit.store import ResultsError, block_paths, write_atomically
from sweepkit.store.files import make_folder


class Part(NamedTuple):
  """A part of the argument: a study, its figures and its pages."""

  study: Study
  figures: Sequence[FigureSpec]
  pages: Sequence[PageSpec] = ()


PARTS = tuple(Part(study, figures(study.name), pages(study.name)) for study in studies())


class Missing(NamedTuple):
  """A figure or page that is left out, why, and the commands that run what it lacks."""

  title: str
  why: str
  commands: list[str]


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
      made = [*pictures.drawn(figure, _inputs(figure, data))]
    except ResultsError as error:
      miss(figure, figure.heading, error)
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
  environment.filters["typeset"] = pictures.typeset
  return environment.get_template("page.html.j2")


def page(results: Path) -> tuple[str, dict[str, bytes]]:
  """Returns the page for a folder of results, and the files beside it, by name; raises as `load_all` does."""
  data = load_all(results)
  sections = [_section(part, data, results) for part in PARTS]
  content = _template().render(
    sections=[section for section, _ in sections],
    claims=CLAIMS,
    ledger=INTRODUCTIONS.entries(data, results),
    sweeps=[sweep(results / name, dataset) for name, dataset in data.items()],
    folder=str(results),
    inline=pictures.INLINE // 1000,
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
    make_folder((out / name).parent)
    write_atomically(out / name, file)
  make_folder(out)
  write_atomically(out / "index.html", content.encode())
  return out / "index.html"


def check_not_of_others(path: Path, results: Path) -> None:
  """Refuses to replace the report of another folder of results, or a page that is not a report.

  Raises:
    ResultsError: if the page there is of other results; both folders are named.
  """
  if not path.exists():
    return
  text = path.read_text("utf-8", errors="replace")
  found = re.search(r'<meta name="results" content="([^"]*)">', text)
  is_ours = found is not None or "python -m analysis.report" in text  # older reports do not name their results
  if not is_ours:
    raise ResultsError(f"{path} is not a report of the lab, and would be replaced; give another --out.")
  before = Path(html.unescape(found[1])) if found else results
  if before.resolve() != results.resolve():
    raise ResultsError(
      f"{path} is the report of {before}, and would be replaced by that of {results}; give another --out, such as "
      f"--out={shlex.quote(str(results / 'report'))}."
    )


def report(results: Path, out: Path) -> list[Path]:
  """Writes the page of a folder of results and returns it.

  Raises:
    ResultsError: if --out holds the report of other results, there are no results, or they were altered.
  """
  check_not_of_others(out / "index.html", results)
  return [write(out, *page(results))]
