"""Arranges stored points as one dataset, in memory proportional to what is stored.

Points that fill a grid become an array with one dimension per setting. Points that leave most of their grid empty, such as four
sweeps of one axis each, stay a list: one dimension `point`, whose index holds the settings. An array whose length differs so
much between points that padding it would take most of the memory becomes a list of its entries.

xarray takes half a second to import, so only the functions that make datasets import it: a launch makes none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sweepkit.points import Point
from sweepkit.store.attributes import Axes
from sweepkit.store.files import ResultsError

if TYPE_CHECKING:
  import xarray as xr

# Labels and padding may take four times the memory of what is stored, or 32 MiB, which any machine has.
MOST_TIMES, SMALL = 4, 2**25


class Part(NamedTuple):
  """Points with arrays of one shape, on their leading axis.

  Attributes:
    points: one per row of the arrays.
    empty: name -> array of the type and shape, but without points.
    read: returns name -> array. Parts are read one after the other, so that a dataset is in memory only once.
    dims: name -> names of the axes after the first.
    coords: axis name -> its labels.
  """

  points: Sequence[Point]
  empty: Mapping[str, np.ndarray]
  read: Callable[[], Mapping[str, np.ndarray]]
  dims: Mapping[str, Sequence[str]]
  coords: Mapping[str, Sequence[Any]]


def distinct(values: Iterable[Any]) -> list[Any]:
  """Distinct values, numbers in increasing order, names in the order in which they come."""
  seen = list(dict.fromkeys(values))
  return sorted(seen) if all(isinstance(v, int | float) for v in seen) else seen


def axis_values(points: Sequence[Point], axes: Axes) -> dict[str, list[Any]]:
  """The distinct values of every setting of some points: names in the order that their axis has, others after them."""
  values = {name: distinct(point[name] for point in points) for name in points[0]}
  for name, order in axes.items():
    if name in values and order:
      values[name].sort(key=[*order, *values[name]].index)
  return values


def _order_of(name: str) -> str:
  """The attribute of a list of points that holds the order of the names of an axis."""
  return f"{name}_order"


def _labels(parts: Sequence[Part]) -> dict[str, list[Any]]:
  """All labels of every axis of the arrays."""
  found: dict[str, dict[tuple[Any, ...], None]] = {}
  for part in parts:
    for axis, labels in part.coords.items():
      found.setdefault(axis, {})[tuple(labels)] = None
  return {axis: distinct(label for labels in ways for label in labels) for axis, ways in found.items()}


def _is_small(size: int, stored: int) -> bool:
  return size <= max(MOST_TIMES * stored, SMALL)


class _Variable(NamedTuple):
  """An array of all parts: its axes after those of the points, its dtype, the bytes stored, and those of a padded point."""

  axes: tuple[str, ...]
  dtype: np.dtype
  fill: Any
  stored: int
  padded: int


def _variables(parts: Sequence[Part], labels: Mapping[str, Sequence[Any]]) -> dict[str, _Variable]:
  axes = {name: tuple(of) for part in parts for name, of in part.dims.items()}
  found = {}
  for name, of in axes.items():
    having = [part for part in parts if name in part.empty]
    arrays = [part.empty[name] for part in having]
    # Integers become floats, since what was not computed is NaN; names and statuses say so themselves.
    is_plain = arrays[0].dtype.kind in "iufb" and name != "status"
    dtype = np.result_type(np.float32 if is_plain else arrays[0].dtype, *(array.dtype for array in arrays))
    fill = np.nan if is_plain else np.zeros((), dtype)[()]
    stored = sum(len(part.points) * math.prod(part.empty[name].shape[1:]) for part in having) * dtype.itemsize
    padded = math.prod(len(labels[axis]) for axis in of) * dtype.itemsize
    found[name] = _Variable(of, dtype, fill, stored, padded)
  return found


def _filled(
  parts: Sequence[Part], variables: Mapping[str, _Variable], labels: Mapping[str, Any], shape: Any, at: Any
) -> dict[str, np.ndarray]:
  """Arrays over all points; `at` are the places of the points of every part on the leading axes, which have this shape."""
  place = {axis: {label: i for i, label in enumerate(of)} for axis, of in labels.items()}
  filled = {
    name: np.full((*shape, *(len(labels[axis]) for axis in one.axes)), one.fill, one.dtype)
    for name, one in variables.items()
  }
  for part, points in zip(parts, at, strict=True):
    arrays = part.read()
    for name in (name for name in variables if name in arrays):
      where = [[place[axis][label] for label in part.coords[axis]] for axis in variables[name].axes]
      inner = np.ix_(*where) if where else ()
      leading = [np.reshape(index, (-1, *[1] * len(where))) for index in points]
      filled[name][(*leading, *inner)] = arrays[name]
  return filled


def _entries(parts: Sequence[Part], name: str, one: _Variable) -> "dict[str, xr.Variable]":
  """An array of different lengths as a list of its entries, with the number of the point and the labels of each entry."""
  import xarray as xr

  dim, first = f"{name}_entry", 0
  columns: dict[str, list[np.ndarray]] = {name: [], f"{name}_point": [], **{f"{name}_{axis}": [] for axis in one.axes}}
  for part in parts:
    if name in part.empty:
      array = part.read()[name]
      columns[name].append(np.ravel(array).astype(one.dtype))
      columns[f"{name}_point"].append(np.repeat(np.arange(first, first + len(array), dtype=np.int32), array[0].size))
      for i, axis in enumerate(one.axes):
        along = np.asarray(part.coords[axis]).reshape([-1 if j == i else 1 for j in range(len(one.axes))])
        columns[f"{name}_{axis}"].append(np.ravel(np.broadcast_to(along, array.shape)))
    first += len(part.points)
  return {column: xr.Variable(dim, np.concatenate(pieces)) for column, pieces in columns.items()}


def _as_list(
  parts: Sequence[Part], variables: Mapping[str, _Variable], labels: Any, names: Sequence[str]
) -> "xr.Dataset":
  import xarray as xr

  points = [point for part in parts for point in part.points]
  ends = np.cumsum([len(part.points) for part in parts])
  at = [(np.arange(end - len(part.points), end),) for end, part in zip(ends, parts, strict=True)]
  data: dict[str, Any] = {}
  coords: dict[str, Any] = {name: ("point", np.array([point[name] for point in points])) for name in names}
  used: dict[str, list[Any]] = {}
  padded = {name: one for name, one in variables.items() if _is_small(len(points) * one.padded, one.stored)}
  arrays = _filled(parts, padded, labels, (len(points),), at)
  for name, one in variables.items():
    if name in padded:
      data[name] = (("point", *one.axes), arrays[name])
      used |= {axis: labels[axis] for axis in one.axes}
    else:
      listed = _entries(parts, name, one)
      data[name] = listed.pop(name)
      coords |= listed
  return xr.Dataset(data, coords=coords | used).set_index(point=list(names))


def dataset(parts: Sequence[Part], axes: Axes) -> "xr.Dataset":
  """The points of all parts, each of which occurs once, as a grid or as a list (see the head of this file).

  A setting that never changes and is none of the `axes` is a scalar coordinate. What was not computed is NaN, and 0 or "" where
  that is not possible.
  """
  import xarray as xr

  points = [point for part in parts for point in part.points]
  values, labels = axis_values(points, axes), _labels(parts)
  names = [name for name in values if name in axes or len(values[name]) > 1]
  shape = tuple(len(values[name]) for name in names)
  variables = _variables(parts, labels)
  padded, stored = (sum(getattr(one, field) for one in variables.values()) for field in ("padded", "stored"))
  if _is_small(math.prod(shape) * padded, stored):
    place = {name: {value: i for i, value in enumerate(values[name])} for name in names}
    at = [[[place[name][point[name]] for point in part.points] for name in names] for part in parts]
    arrays = _filled(parts, variables, labels, shape, at)
    data = xr.Dataset(
      {name: ((*names, *variables[name].axes), array) for name, array in arrays.items()},
      coords={name: values[name] for name in names} | labels,
    )
  else:
    data = _as_list(parts, variables, labels, names)
    data.attrs = {_order_of(name): " ".join(values[name]) for name in names if axes.get(name)}
  return data.assign_coords({name: values[name][0] for name in values if name not in names})


def as_grid(data: "xr.Dataset") -> "xr.Dataset":
  """The dataset with one dimension per setting, however many points are missing; a grid is returned as it is.

  For points that were chosen from a list, as by `data.where(data.bias == 0, drop=True)`: the whole grid of a list is large.
  """
  if "point" not in data.dims:
    return data
  lists = [name for name, values in data.variables.items() if any(str(dim).endswith("_entry") for dim in values.dims)]
  listed = data.drop_vars(lists)
  names = listed.indexes["point"].names
  kinds = {
    name: values for name, values in listed.data_vars.items() if values.dtype.kind not in "iuf" or name == "status"
  }
  fill = {name: np.zeros((), values.dtype)[()] for name, values in kinds.items()}
  grid = listed.unstack("point", fill_value=fill | {n: np.nan for n in listed.data_vars if n not in fill})
  orders = {name: str(data.attrs[_order_of(name)]).split() for name in names if _order_of(name) in data.attrs}
  values = axis_values([Point(dict(zip(names, at, strict=True))) for at in listed.point.values], orders)
  return grid.sel(values).transpose(*names, ...)


def point_of(data: "xr.Dataset") -> Point:
  """The point of a selection of one point from a dataset of `load_results`.

  Raises:
    ResultsError: if it holds several points, or is not such a selection.
  """
  if "settings" not in data.attrs:
    raise ResultsError("The selection does not name its settings; take it from the dataset that load_results returns.")
  values = {}
  for name in str(data.attrs["settings"]).split():
    held = np.unique(data[name].values)
    if held.size != 1:
      raise ResultsError(
        f"The selection holds {held.size} values of {name}; select one, as by data.sel({name}={held[0]!r})."
      )
    values[name] = held[0].item()
  return Point(values)
