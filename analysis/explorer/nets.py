"""Random nets in stored results, each with all of its seeds: their settings and arrays, whatever the layout of the dataset."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sweepkit.store import STATUS

AXES = ("ws", "forget_bias", "input_scale")  # settings that a reader of the page chooses, beside the cell
GATE_FIELDS = ("mean_value", "mean_slope", "share_low", "share_high")


class Net(NamedTuple):
  """The nets of one setting.

  Attributes:
    source: the experiment that measured them.
    settings: all settings but the seed.
    arrays: name -> values `[seeds, …]`.
    dims: name -> the axes after the first.
    labels: axis -> its labels.
  """

  source: str
  settings: Mapping[str, Any]
  arrays: Mapping[str, np.ndarray]
  dims: Mapping[str, tuple[str, ...]]
  labels: Mapping[str, np.ndarray]

  @property
  def cell(self) -> str:
    return str(self.settings["cell"])

  @property
  def seeds(self) -> int:
    return len(self.arrays["status"])

  def along(self, name: str, **at: Any) -> np.ndarray | None:
    """Returns an array at labels of its axes, or None if it was not measured."""
    if name not in self.arrays:
      return None
    values, dims = self.arrays[name], list(self.dims[name])
    for axis, label in at.items():
      values = np.take(values, int(np.flatnonzero(self.labels[axis] == label)[0]), axis=1 + dims.index(axis))
      dims.remove(axis)
    return None if np.isnan(values).all() else values


def nets(source: str, data: xr.Dataset) -> Iterator[Net]:
  """Yields the nets of the results of one experiment."""
  listed = _listed(data)
  made = listed.status.values != STATUS.index("missing")
  index = listed.indexes["point"]
  fixed = {str(name): one.item() for name, one in data.coords.items() if one.ndim == 0}
  rows: dict[tuple[Any, ...], list[int]] = {}
  for i in np.flatnonzero(made):
    settings = fixed | dict(zip(index.names, index[i], strict=True))
    settings.pop("seed", None)
    rows.setdefault(tuple(settings.items()), []).append(int(i))
  values = {str(name): one.transpose("point", ...) for name, one in listed.data_vars.items() if "point" in one.dims}
  arrays = {name: one.values for name, one in values.items()}
  dims = {name: tuple(map(str, one.dims[1:])) for name, one in values.items()}
  labels = {axis: listed[axis].values for axis in {axis for one in dims.values() for axis in one}}
  for shared, where in rows.items():
    yield Net(source, dict(shared), {name: one[where] for name, one in arrays.items()}, dims, labels)


def _listed(data: xr.Dataset) -> xr.Dataset:
  """The dataset as a list of points, with the settings that vary in its index."""
  if "point" in data.dims:
    return data
  if not data.status.dims:
    data = data.expand_dims("seed")
  return data.stack(point=data.status.dims)
