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

from analysis import command, coverage, listing, own_style, signed, style
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
    title: what it asks or shows, as a sentence that holds for all results: its heading in the report.
    over_seeds: how it shows several seeds, a key of `signed.OVER_SEEDS`; it says so below the picture.
    fixed: what else it says there, such as the label of an axis at which it is drawn.
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
  title: str = ""
  over_seeds: str = ""
  fixed: str = ""

  @property
  def heading(self) -> str:
    """Its title, or else the first sentence of its caption."""
    return self.title or f"{' '.join(self.caption.split()).partition('. ')[0].rstrip('.')}."

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
    value = re.sub(r"[^\w.+-]", "_", _text(values[i]))
    at = f"({extra.axis.replace('_', ' ')} = {_text(values[i])})"
    named = spec._replace(name=f"{spec.name}-{extra.axis}-{value}", title=f"{spec.heading} {at}")
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


def statement(spec: FigureSpec, datasets: Datasets) -> str:
  """Returns what the figure says of its seeds, and of what is fixed; empty for closed forms."""
  read = [datasets[name] for name in spec.reads if name in datasets]
  seeds = dict.fromkeys(data.attrs.get("seeds", coverage.seeds(data)) for data in read)
  told = " and ".join(signed.over_seeds(spec.over_seeds, one) for one in seeds)
  return "; ".join(filter(None, (spec.fixed, told)))


def render(spec: FigureSpec, datasets: Datasets, save: Callable[[Figure, str, str], T], said: Sequence[str] = ()) -> T:
  """Draws one figure in the common style, hands it with its name and source to `save`, and returns what that returns.

  The user's Matplotlib settings, in a matplotlibrc or in Python, do not change the figure, and the figure does not change them.
  """
  with style.settings():
    figure = spec.draw(datasets)
    style.letter_panels(figure)
    own_style.on_dark(figure)
    signed.sign(figure, source_of(datasets), [*said, *notes(spec, datasets)], statement(spec, datasets))
    return save(figure, spec.name, source_of(datasets))


def check_not_of_others(path: Path, datasets: Datasets) -> None:
  """Refuses to replace a figure that was drawn from other results, or a picture that the lab did not draw.

  Raises:
    ResultsError: if the figure there was drawn from another folder or from other experiments; both are named.
  """
  recorded = signed.recorded_source(path)
  if path.exists() and not recorded:
    raise ResultsError(f"{path} is not a figure of the lab, and would be replaced; give another --out.")
  drawn = re.findall(r"(?:^|\), )(.+?) \([0-9a-f]{12}[;)]", recorded)
  sources = [data.attrs["source"] for data in datasets.values()]
  before, now = ({Path(name).resolve() for name in names} for names in (drawn, sources))
  is_elsewhere = {one.parent for one in before} != {one.parent for one in now}
  if before and now and (is_elsewhere or not before & now):
    was, new = (Path(name).parent if is_elsewhere else Path(name) for name in (drawn[0], sources[0]))
    own = new / "figures" if is_elsewhere else new.parent / "figures" / new.name
    raise ResultsError(
      f"{path} was drawn from {was}, and would be replaced by one from {new}; give another --out, such as "
      f"--out={shlex.quote(str(own))}."
    )


def draw(spec: FigureSpec, results: Path, out: Path) -> list[Path]:
  """Draws one figure from results on disk and returns the files written.

  Results that vary in a setting that the figure has no axis for make one figure per value of it.

  Raises:
    ResultsError: if results are missing or do not fit, or a figure of that name was drawn from another folder of results.
  """
  return [
    path for part, datasets, said in parts(spec, load(spec, results)) for path in write(part, datasets, said, out)
  ]


def write(spec: FigureSpec, datasets: Datasets, said: Sequence[str], out: Path) -> list[Path]:
  """Writes one figure, prints its notes, and returns its files.

  Raises:
    ResultsError: if a figure of that name was drawn from other results.
  """
  check_not_of_others(out / f"{spec.name}.png", datasets)
  for note in (*said, *notes(spec, datasets)):
    print(f"{spec.name}: {note}.", file=sys.stderr)
  return render(spec, datasets, partial(signed.save, out=out), said)


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
  return command.run(spec.name, partial(draw, spec), argv, "figures", "the figure", about(spec), draws=True)
