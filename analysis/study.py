"""A study: the figures and pages of one package of `analysis`, and the command that makes all of them.

The figures of a study import Matplotlib, xarray and JAX, so they are imported when they are asked for and not for a page of help.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis import command, listing

if TYPE_CHECKING:
  from analysis.figure import Datasets, FigureSpec

Writer = Callable[[Path, Path], Iterable[Path]]  # (results, out) -> files written


class Study(NamedTuple):
  """A group of figures that answer one question.

  Attributes:
    name: of the package.
    title: heading of its part of the report.
    question: what its figures answer.
    make: the target of the Makefile that runs all of its experiments.
    order: its place in the report; studies are sorted by it.
  """

  name: str
  title: str
  question: str
  make: str
  order: int


class PageSpec(NamedTuple):
  """A page of a study: one HTML file that needs no other.

  Attributes:
    name: of its file, without `.html`.
    title: the text of the link to it.
    about: a sentence about what it holds.
    reads: experiments whose results it needs.
    overlays: experiments whose results it shows too, if there are any.
    content: `datasets by experiment -> HTML`.
  """

  name: str
  title: str
  about: str
  reads: Sequence[str]
  content: "Callable[[Datasets], str]"
  overlays: Sequence[str] = ()

  @property
  def inputs(self) -> list[str]:
    """Names of the experiments that it reads: those it needs, then the others."""
    return [*self.reads, *self.overlays]


@cache
def declared(package: str, name: str) -> tuple[Any, ...]:
  """Returns the values of this name that the modules of a package of `analysis` declare."""
  modules = (importlib.import_module(f"analysis.{package}.{module}") for module in listing.modules(package))
  return tuple(getattr(module, name) for module in modules if hasattr(module, name))


def figures(package: str) -> "tuple[FigureSpec, ...]":
  """Returns the figures that the modules of a package declare, in their order."""
  return tuple(sorted(declared(package, "FIGURE"), key=lambda figure: (figure.order, figure.name)))


def pages(package: str) -> tuple[PageSpec, ...]:
  """Returns the pages that the modules of a package declare as `WEB_PAGE`."""
  return declared(package, "WEB_PAGE")


def studies() -> tuple[Study, ...]:
  """Returns all studies, in the order of the report."""
  found = [importlib.import_module(f"analysis.{package}").STUDY for package in listing.packages()]
  return tuple(sorted(found, key=lambda study: study.order))


def main(study: Study, doc: str, *writers: Writer, argv: Sequence[str] | None = None) -> int:
  """Draws all figures of a study from the command line, then calls `writers`, and returns an exit code."""

  def write(results: Path, out: Path) -> Iterator[Path]:
    from analysis.figure import draw

    for figure in figures(study.name):
      yield from draw(figure, results, out)
    for writer in writers:
      yield from writer(results, out)

  about = f"{doc.strip()}\n\nFigures: {', '.join(listing.figures(study.name))}."
  return command.run(study.name, write, argv, "figures", "the figures", about, draws=True)
