"""A figure as a value: what it reads, how it is drawn and what it says; and the command that draws one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
import re
import shlex
import sys
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis import command, coverage, listing, style
from analysis.numbers import TableSpec
from analysis.selection import ExtraAxis, Unfit
from sweepkit.store import STATUS, ResultsError, block_paths

T = TypeVar("T")
Datasets = Mapping[str, xr.Dataset]
PARTS = 6  # at most so many figures for one setting that a figure has no axis for


class FigureSpec(NamedTuple):
  """A figure of the lab.

  Attributes:
    name: of its module and of its files.
    reads: experiments whose results it needs; empty for closed forms.
    draw: `datasets by experiment -> Figure`.
    caption: what is drawn: the docstring of its module.
    numbers: `datasets by experiment -> Dataset`, the numbers behind it, one value per seed where there are seeds.
    finding: `numbers -> sentence`, what they say; it replaces the picture where that cannot be seen.
    overlays: experiments whose results are drawn over the data, such as a theory. Without them the figure is still
      drawn, and says so.
    tables: variable of `numbers` -> how tables show it, for all that are derived here, or are not summarised by their mean.
    order: its place in its study; figures are sorted by it. Leave gaps, so that a new figure renumbers no other.
  """

  name: str
  reads: Sequence[str]
  draw: Callable[[Datasets], Figure]
  caption: str
  numbers: Callable[[Datasets], xr.Dataset]
  finding: Callable[[xr.Dataset], str]
  overlays: Sequence[str] = ()
  tables: Mapping[str, TableSpec] = MappingProxyType({})
  order: int = 1000

  @property
  def inputs(self) -> list[str]:
    """Names of the experiments that it reads: those it needs, then those drawn over them."""
    return [*self.reads, *self.overlays]


Drawable = tuple[
  FigureSpec, Datasets, list[str]
]  # a figure, what it draws, and a sentence about each choice that was made


def parts(spec: FigureSpec, datasets: Datasets) -> Iterator[Drawable]:
  """Yields the figures that results make.

  Usually that is the figure itself. If the results vary in a setting that the figure has no axis for, there is one figure per
  value of it, whose name ends with that value. Overlays that do not fit the data are left out.
  """
  try:
    spec.numbers(datasets)
  except Unfit as unfit:
    yield from _without_overlay(spec, datasets, unfit)
  except ExtraAxis as extra:
    yield from _per_value(spec, datasets, extra)
  else:
    yield spec, datasets, []


def _without_overlay(spec: FigureSpec, datasets: Datasets, unfit: Unfit) -> Iterator[Drawable]:
  (overlay,) = (name for name, data in datasets.items() if data.attrs["source"] == unfit.source)
  fitting = spec._replace(overlays=[name for name in spec.overlays if name != overlay])
  said = f"drawn without {overlay}, since {unfit}"
  for part, some, others in parts(fitting, {name: datasets[name] for name in datasets if name != overlay}):
    yield part, some, [said, *others]


def _per_value(spec: FigureSpec, datasets: Datasets, extra: ExtraAxis) -> Iterator[Drawable]:
  (varied,) = (data for data in datasets.values() if data.attrs["source"] == extra.source)
  values = varied[extra.axis].values
  for i in sorted({int(i) for i in np.linspace(0, len(values) - 1, min(PARTS, len(values))).round()}):
    chosen = {name: _at(data, extra.axis, values[i], data is varied) for name, data in datasets.items()}
    if not all((data.status != STATUS.index("missing")).any() for data in chosen.values()):
      continue
    named = spec._replace(name=f"{spec.name}-{extra.axis}-" + re.sub(r"[^\w.+-]", "_", _text(values[i])))
    said = f"{extra.axis} = {_text(values[i])}, one of {len(values)} values in {extra.source}"
    yield from ((part, some, [said, *others]) for part, some, others in parts(named, chosen))


def _text(value: Any) -> str:
  return f"{value:g}" if isinstance(value, float) else str(value)


def _at(data: xr.Dataset, axis: str, value: Any, is_varied: bool) -> xr.Dataset:
  """The results at one value of an axis; results of another experiment that lack this value are returned whole."""
  has_value = axis in data.dims and value in data[axis].values
  return data.sel({axis: [value]}) if is_varied or has_value else data


class Reader(Protocol):
  """A figure or a page, by what it reads: `inputs` are all experiments, `overlays` those that need not be there."""

  @property
  def inputs(self) -> list[str]: ...

  @property
  def overlays(self) -> Sequence[str]: ...


def load(spec: Reader, results: Path) -> dict[str, xr.Dataset]:
  """Loads what a figure or a page reads. Overlays that were not run are left out."""
  names = [name for name in spec.inputs if name not in spec.overlays or block_paths(results / name)]
  return {name: coverage.load(results / name) for name in names}


def notes(spec: FigureSpec, datasets: Datasets) -> list[str]:
  """Lists what the figure lacks: planned points that are not stored, and overlays that were not run."""
  said = [f"incomplete: {m} of {d.attrs['source']}" for d in datasets.values() if (m := d.attrs.get("missing"))]
  lacking = [name for name in spec.inputs if name not in datasets]
  return said + [f"drawn without {name}, which was not run" for name in lacking]


def source_of(datasets: Datasets) -> str:
  """Names the folders that a figure is drawn from, each with a checksum of its contents and its number of seeds."""
  named = (
    (d.attrs["source"], d.attrs["checksum"][:12], d.attrs.get("seeds", coverage.seeds(d))) for d in datasets.values()
  )
  return ", ".join(f"{folder} ({checksum}; {seeds})" for folder, checksum, seeds in named) or "closed forms"


def render(spec: FigureSpec, datasets: Datasets, save: Callable[[Figure, str, str], T], said: Sequence[str] = ()) -> T:
  """Draws one figure in the common style, hands it with its name and source to `save`, and returns what that returns.

  The user's Matplotlib settings, in a matplotlibrc or in Python, do not change the figure, and the figure does not change them.
  """
  with style.settings():
    figure = spec.draw(datasets)
    style.letter_panels(figure)
    style.sign(figure, source_of(datasets), [*said, *notes(spec, datasets)])
    return save(figure, spec.name, source_of(datasets))


def check_not_of_others(path: Path, datasets: Datasets) -> None:
  """Refuses to replace a figure that was drawn from another folder of results.

  Raises:
    ResultsError: if the figure there was drawn from another folder; both are named.
  """
  drawn = re.findall(r"(?:^|\), )(.+?) \([0-9a-f]{12}[;)]", style.recorded_source(path))
  before, now = (
    {Path(name).parent.resolve() for name in names} for names in (drawn, [d.attrs["source"] for d in datasets.values()])
  )
  if before and now and before != now:
    folder = Path(next(iter(datasets.values())).attrs["source"]).parent
    raise ResultsError(
      f"{path} was drawn from {Path(drawn[0]).parent}, and would be replaced by one from {folder}; give another --out, such as "
      f"--out={shlex.quote(str(folder / 'figures'))}."
    )


def draw(spec: FigureSpec, results: Path, out: Path) -> list[Path]:
  """Draws one figure from results on disk and returns the files written.

  Results that vary in a setting that the figure has no axis for make one figure per value of it.

  Raises:
    ResultsError: if results are missing or do not fit, or a figure of that name was drawn from another folder of results.
  """
  written = []
  for part, datasets, said in parts(spec, load(spec, results)):
    check_not_of_others(out / f"{part.name}.png", datasets)
    for note in (*said, *notes(part, datasets)):
      print(f"{part.name}: {note}.", file=sys.stderr)
    written += render(part, datasets, partial(style.save, out=out), said)
  return written


def about(spec: FigureSpec) -> str:
  """Returns the help of a figure: its caption, the results that it reads, and the command that draws it."""
  reads = (
    f"It reads the results of {' and '.join(spec.reads)}"
    if spec.reads
    else "It shows closed forms and reads no results"
  )
  over = f", and draws those of {' and '.join(spec.overlays)} over them if there are any" if spec.overlays else ""
  usage = f"\n\n    python -m {listing.module_of(spec.name)} --results=results --out=figures"
  return f"{spec.caption.strip()}\n\n{reads}{over}; it is written as PDF and PNG.{usage}"


def main(spec: FigureSpec, argv: Sequence[str] | None = None) -> int:
  """Draws one figure from the command line and returns an exit code."""
  return command.run(spec.name, partial(draw, spec), argv, "figures", "the figure", about(spec))
