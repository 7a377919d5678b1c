"""What every figure file shares: a name, the experiments it reads, and the command line that draws it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
import itertools
import math
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import matplotlib as mpl
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis import command, style
from experiments.store import STATUS, ResultsError, as_grid, load_results

T = TypeVar("T")
Datasets = Mapping[str, xr.Dataset]


class Plot(NamedTuple):
  """A figure of the paper.

  Attributes:
    name: of its files.
    reads: the experiments whose results it draws; empty for closed forms.
    draw: `datasets by experiment -> Figure`.
    caption: what is drawn: the words at the head of its file.
    numbers: `datasets by experiment -> Dataset`, the numbers behind it, a value a seed where there are seeds.
    finding: `numbers -> sentence`, what they say; it stands for the picture where that cannot be seen.
  """

  name: str
  reads: Sequence[str]
  draw: Callable[[Datasets], Figure]
  caption: str
  numbers: Callable[[Datasets], xr.Dataset]
  finding: Callable[[xr.Dataset], str]


def only_axes(dataset: xr.Dataset, *axes: str) -> xr.Dataset:
  """Makes the axes dimensions, drops all other settings, and refuses results that vary in one of those.

  Raises:
    ResultsError: naming that setting.
  """
  is_list = "point" in dataset.dims
  # These are all settings that may vary, of nets and of training runs.
  varied = dataset.indexes["point"].names if is_list else dataset.status.dims
  others = [name for name in varied if name not in ("cell", "seed", *axes)]
  for name in others:
    if len(values := np.unique(dataset[name])) > 1:
      raise ResultsError(
        f"{dataset.attrs['source']} varies in {name} ({', '.join(map(str, values.tolist()))}), "
        "which this figure has no axis for; keep such a sweep in a folder of its own."
      )
  dataset = as_grid(dataset).isel(dict.fromkeys(others, 0))
  return dataset.expand_dims([name for name in axes if name not in dataset.dims])


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


def render(plot: Plot, datasets: Datasets, save: Callable[[Figure, str, str], T]) -> T:
  """Draws one figure in the style of all, and hands it with its name and source to `save`, whose value is returned."""
  source = ", ".join(f"{d.attrs['source']} ({d.attrs['checksum'][:12]})" for d in datasets.values())
  with mpl.rc_context(style.RC):
    figure = plot.draw(datasets)
    style.letter_panels(figure)
    return save(figure, plot.name, source or "closed forms")


def draw(plot: Plot, results: Path, out: Path) -> list[Path]:
  """Draws one figure from results on disk and returns the files written."""
  datasets = {name: load_results(results / name) for name in plot.reads}
  return render(plot, datasets, partial(style.save, out=out))


def main(*plots: Plot, argv: Sequence[str] | None = None) -> int:
  """Draws figures from the command line and returns an exit code."""

  def draw_all(results: Path, out: Path) -> Iterator[Path]:
    for plot in plots:
      yield from draw(plot, results, out)

  return command.run(plots[0].name if len(plots) == 1 else "figures", draw_all, argv, "figures", "the figures")
