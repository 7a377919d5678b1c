"""Picks from results what a figure has axes for, and refuses results that vary in anything else."""

from collections.abc import Iterator
import itertools
import math
from typing import Any

import numpy as np
import xarray as xr

from sweepkit.store import STATUS, ResultsError, as_grid


class ExtraAxis(ResultsError):
  """Raised for results that vary in a setting that a figure has no axis for."""

  def __init__(self, data: xr.Dataset, axis: str):
    self.source, self.axis = data.attrs["source"], axis
    values = ", ".join(map(str, data[axis].values))
    super().__init__(
      f"{self.source} varies in {axis} ({values}), which this figure has no axis for; keep such a sweep in a folder of its own."
    )


class Unfit(ResultsError):
  """Raised for an overlay that was made for other data than the figure shows.

  Attributes:
    source: folder of the overlay.
    reason: why it does not fit.
  """

  def __init__(self, overlay: xr.Dataset, reason: str):
    self.source, self.reason = overlay.attrs["source"], reason
    super().__init__(f"{self.source} {reason}")


def only_axes(dataset: xr.Dataset, *axes: str) -> xr.Dataset:
  """Makes these axes dimensions and drops all other settings.

  Raises:
    ExtraAxis: if the results vary in another setting; it is named.
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
  """Does the same as `only_axes` for a figure of a single cell, and drops the dimension of the cell.

  Raises:
    ExtraAxis: if the results vary in another setting or in the cell; it is named.
  """
  dataset = only_axes(dataset, *axes)
  if dataset.sizes["cell"] > 1:
    raise ExtraAxis(dataset, "cell")
  return dataset.isel(cell=0)


def runs(dataset: xr.Dataset, *axes: str) -> Iterator[tuple[tuple[Any, ...], xr.Dataset]]:
  """Yields the combinations of values of these axes that were run, each with its results.

  A study need not fill its grid, and a combination that was not run is not a failure. The results keep all other axes, without
  the seeds and values for which nothing was run.
  """
  for values in itertools.product(*(dataset[name].values.tolist() for name in axes)):
    one = dataset.sel(dict(zip(axes, values, strict=True)))
    made = one.status != STATUS.index("missing")
    if made.any():
      yield values, one.isel({name: made.any([n for n in made.dims if n != name]).values for name in made.dims})


def bias_value(text: str) -> float:
  """Returns the forget bias of a training run as a number to sort by; `chrono`, which is not a number, comes last."""
  return math.inf if text == "chrono" else float(text)
