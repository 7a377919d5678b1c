"""What every figure file shares: a name, the experiments it reads, and the command line that draws it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
import sys
from typing import NamedTuple

from absl import flags
import matplotlib as mpl
from matplotlib.figure import Figure
import xarray as xr

from analysis import style
from experiments import grid
from experiments.store import ResultsError, load_results

Datasets = Mapping[str, xr.Dataset]


class Plot(NamedTuple):
  """A figure of the paper.

  Attributes:
    name: of its files.
    reads: the experiments whose results it draws; empty for closed forms.
    draw: `datasets by experiment -> Figure`.
  """

  name: str
  reads: Sequence[str]
  draw: Callable[[Datasets], Figure]


def only_axes(dataset: xr.Dataset, *axes: str) -> xr.Dataset:
  """Drops settings of one value, and refuses results that vary in a setting the figure has no axis for.

  Raises:
    ResultsError: naming that setting.
  """
  for name in (*(grid.dimension(setting) for setting in grid.SETTINGS if setting != "cells"), "x64"):
    if name in dataset.dims and name not in axes:
      if dataset.sizes[name] > 1:
        raise ResultsError(
          f"{dataset.attrs['source']} varies in {name} ({', '.join(map(str, dataset[name].values))}), "
          "which this figure has no axis for; keep such a sweep in a folder of its own."
        )
      dataset = dataset.isel({name: 0})
  return dataset


def draw(plot: Plot, results: Path, out: Path) -> list[Path]:
  """Draws one figure from results on disk and returns the files written."""
  datasets = {name: load_results(results / name) for name in plot.reads}
  source = ", ".join(f"{d.attrs['source']} ({d.attrs['checksum'][:12]})" for d in datasets.values())
  with mpl.rc_context(style.RC):
    figure = plot.draw(datasets)
    style.letter_panels(figure)
    return style.save(figure, plot.name, out, source or "closed forms")


def main(*plots: Plot, argv: Sequence[str] | None = None) -> int:
  """Draws figures from the command line and returns an exit code."""
  values = flags.FlagValues()
  flags.DEFINE_string("results", "results", "Folder of all results.", flag_values=values)
  flags.DEFINE_string("out", "figures", "Folder for the figures.", flag_values=values)
  try:
    rest = values([plots[0].name, *(sys.argv[1:] if argv is None else argv)])[1:]
    if rest:
      raise ResultsError(f"{rest[0]!r} is not a flag; the flags are --results and --out.")
    parsed = values.flag_values_dict()
    for plot in plots:
      for path in draw(plot, Path(parsed["results"]), Path(parsed["out"])):
        print(path)
  except (flags.Error, ResultsError) as error:
    print(f"{plots[0].name if len(plots) == 1 else 'paper'}: {error}", file=sys.stderr)
    return 2
  return 0
