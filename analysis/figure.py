"""What every figure file shares: a name, the experiments it reads, and the command line that draws it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
import itertools
import math
from pathlib import Path
import re
import shlex
import sys
from typing import Any, NamedTuple, TypeVar

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis import command, coverage, style
from sweepkit.store import STATUS, ResultsError, as_grid, block_paths

T = TypeVar("T")
Datasets = Mapping[str, xr.Dataset]
PARTS = 6  # figures at most for one setting that a figure has no axis for


class Plot(NamedTuple):
  """A figure of the paper.

  Attributes:
    name: of its files.
    reads: the experiments whose results it draws; empty for closed forms.
    draw: `datasets by experiment -> Figure`.
    caption: what is drawn: the words at the head of its file.
    numbers: `datasets by experiment -> Dataset`, the numbers behind it, a value a seed where there are seeds.
    finding: `numbers -> sentence`, what they say; it stands for the picture where that cannot be seen.
    overlays: those of `reads` that lie over the data, such as a theory; without them the rest is drawn, and says so.
  """

  name: str
  reads: Sequence[str]
  draw: Callable[[Datasets], Figure]
  caption: str
  numbers: Callable[[Datasets], xr.Dataset]
  finding: Callable[[xr.Dataset], str]
  overlays: Sequence[str] = ()


class ExtraAxis(ResultsError):
  """Results vary in a setting that a figure has no axis for."""

  def __init__(self, data: xr.Dataset, axis: str):
    self.source, self.axis = data.attrs["source"], axis
    values = ", ".join(map(str, data[axis].values))
    super().__init__(
      f"{self.source} varies in {axis} ({values}), which this figure has no axis for; keep such a sweep in a folder of its own."
    )


def only_axes(dataset: xr.Dataset, *axes: str) -> xr.Dataset:
  """Makes the axes dimensions, drops all other settings, and refuses results that vary in one of those.

  Raises:
    ExtraAxis: naming that setting.
  """
  is_list = "point" in dataset.dims
  # These are all settings that may vary, of nets and of training runs.
  varied = dataset.indexes["point"].names if is_list else dataset.status.dims
  others = [name for name in varied if name not in ("cell", "seed", *axes)]
  for name in others:
    if len(np.unique(dataset[name])) > 1:
      raise ExtraAxis(dataset, name)
  dataset = as_grid(dataset).isel(dict.fromkeys(others, 0))
  return dataset.expand_dims([name for name in axes if name not in dataset.dims])


def one_cell(dataset: xr.Dataset, *axes: str) -> xr.Dataset:
  """As `only_axes`, for a figure of a single cell, whose dimension is dropped.

  Raises:
    ExtraAxis: naming that setting, or the cell.
  """
  dataset = only_axes(dataset, *axes)
  if dataset.sizes["cell"] > 1:
    raise ExtraAxis(dataset, "cell")
  return dataset.isel(cell=0)


def runs(dataset: xr.Dataset, *axes: str) -> Iterator[tuple[tuple[Any, ...], xr.Dataset]]:
  """The combinations of values of these axes that were run, each with its results over the seeds (and what other axes there
  are) that were run.

  A study need not fill its grid, and what is missing in it is no failure.
  """
  for values in itertools.product(*(dataset[name].values.tolist() for name in axes)):
    one = dataset.sel(dict(zip(axes, values, strict=True)))
    made = one.status != STATUS.index("missing")
    if made.any():
      yield values, one.isel({name: made.any([n for n in made.dims if n != name]).values for name in made.dims})


def bias_value(text: str) -> float:
  """The forget bias of a training run as a number, to sort by; chrono, which is none, comes last."""
  return math.inf if text == "chrono" else float(text)


class Unfit(ResultsError):
  """An overlay that was made for other data than those of the figure; `source` is its folder, and `reason` says why."""

  def __init__(self, overlay: xr.Dataset, reason: str):
    self.source, self.reason = overlay.attrs["source"], reason
    super().__init__(f"{self.source} {reason}")


def parts(plot: Plot, datasets: Datasets) -> Iterator[tuple[Plot, Datasets, list[str]]]:
  """The figures that results make: one, or one for each value of the settings that it has no axis for; without unfit overlays.

  Yields:
    The figure, whose name ends with those values, its part of the results, and a sentence about each choice.
  """
  try:
    plot.numbers(datasets)
  except Unfit as unfit:
    (overlay,) = (name for name, data in datasets.items() if data.attrs["source"] == unfit.source)
    fitting = plot._replace(reads=[name for name in plot.reads if name != overlay])
    said = f"drawn without {overlay}, since {unfit}"
    for part, some, others in parts(fitting, {name: datasets[name] for name in datasets if name != overlay}):
      yield part, some, [said, *others]
  except ExtraAxis as extra:
    (varied,) = (data for data in datasets.values() if data.attrs["source"] == extra.source)
    values = varied[extra.axis].values
    for i in sorted({int(i) for i in np.linspace(0, len(values) - 1, min(PARTS, len(values))).round()}):
      chosen = {name: _at(data, extra.axis, values[i], data is varied) for name, data in datasets.items()}
      if all((data.status != STATUS.index("missing")).any() for data in chosen.values()):
        named = plot._replace(name=f"{plot.name}-{extra.axis}-" + re.sub(r"[^\w.+-]", "_", _text(values[i])))
        said = f"{extra.axis} = {_text(values[i])}, one of {len(values)} values in {extra.source}"
        yield from ((part, some, [said, *others]) for part, some, others in parts(named, chosen))
  else:
    yield plot, datasets, []


def _text(value: Any) -> str:
  return f"{value:g}" if isinstance(value, float) else str(value)


def _at(data: xr.Dataset, axis: str, value: Any, is_varied: bool) -> xr.Dataset:
  """The results at one value of an axis; those of another experiment as they are where they lack it."""
  has_value = axis in data.dims and value in data[axis].values
  return data.sel({axis: [value]}) if is_varied or has_value else data


def load(plot: Plot, results: Path) -> dict[str, xr.Dataset]:
  """Loads what a figure reads. Overlays that were not run are left out."""
  names = [name for name in plot.reads if name not in plot.overlays or block_paths(results / name)]
  return {name: coverage.load(results / name) for name in names}


def notes(plot: Plot, datasets: Datasets) -> list[str]:
  """Lists what the figure lacks: planned points that are not stored, and overlays that were not run."""
  said = [f"incomplete: {m} of {d.attrs['source']}" for d in datasets.values() if (m := d.attrs.get("missing"))]
  lacking = [name for name in plot.reads if name not in datasets]
  return said + [f"drawn without {name}, which was not run" for name in lacking]


def source_of(datasets: Datasets) -> str:
  """The folders that a figure is drawn from, with what identifies their contents and the number of seeds."""
  named = (
    (d.attrs["source"], d.attrs["checksum"][:12], d.attrs.get("seeds", coverage.seeds(d))) for d in datasets.values()
  )
  return ", ".join(f"{folder} ({checksum}; {seeds})" for folder, checksum, seeds in named) or "closed forms"


def render(plot: Plot, datasets: Datasets, save: Callable[[Figure, str, str], T], said: Sequence[str] = ()) -> T:
  """Draws one figure in the style of all, and hands it with its name and source to `save`, whose value is returned.

  Neither the user's matplotlibrc nor settings made in Python change it, and both are as before when it is drawn.
  """
  with style.settings():
    figure = plot.draw(datasets)
    style.letter_panels(figure)
    style.sign(figure, source_of(datasets), [*said, *notes(plot, datasets)])
    return save(figure, plot.name, source_of(datasets))


def check_not_of_others(path: Path, datasets: Datasets) -> None:
  """Refuses to replace a figure that was drawn from another folder of results.

  Raises:
    ResultsError: naming both folders.
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


def draw(plot: Plot, results: Path, out: Path) -> list[Path]:
  """Draws one figure from results on disk, or one for each value of what it has no axis for; returns the files written.

  Raises:
    ResultsError: if results are missing or do not fit, or a figure of that name was drawn from another folder of results.
  """
  written = []
  for part, datasets, said in parts(plot, load(plot, results)):
    check_not_of_others(out / f"{part.name}.png", datasets)
    for note in (*said, *notes(part, datasets)):
      print(f"{part.name}: {note}.", file=sys.stderr)
    written += render(part, datasets, partial(style.save, out=out), said)
  return written


def about(plot: Plot) -> str:
  """Describes a figure for `--help`: its caption, the results that it reads, and the command that draws it."""
  needed = [name for name in plot.reads if name not in plot.overlays]
  reads = f"It reads the results of {' and '.join(needed)}" if needed else "It shows closed forms and reads no results"
  over = f", and draws those of {' and '.join(plot.overlays)} over them if there are any" if plot.overlays else ""
  command = f"    python -m analysis.{plot.name} --results=results --out=figures"
  return f"{plot.caption.strip()}\n\n{reads}{over}; it is written as PDF and PNG.\n\n{command}"


def main(*plots: Plot, argv: Sequence[str] | None = None, doc: str | None = None) -> int:
  """Draws figures from the command line and returns an exit code; `doc` is what --help says of several."""

  def draw_all(results: Path, out: Path) -> Iterator[Path]:
    for plot in plots:
      yield from draw(plot, results, out)

  names = f"{doc or 'Draws figures.'}\n\nFigures: {', '.join(plot.name for plot in plots)}."
  name, told = (plots[0].name, about(plots[0])) if len(plots) == 1 else ("figures", names)
  return command.run(name, draw_all, argv, "figures", "the figures", told)
