"""Datasets for other programs: without what a file format cannot hold, and as tables.

    load = load_results("results/chaos")
    portable(load).to_netcdf("chaos.nc")                     restored(xarray.load_dataset("chaos.nc")) is the same again
    portable(load).to_zarr("chaos.zarr", zarr_format=2)      restored(xarray.open_zarr("chaos.zarr")) is the same again
    table(load).to_parquet("chaos.parquet")                  pandas.read_parquet("chaos.parquet")

Zarr 3 has no texts of a fixed length yet, so the older format 2 is written, which all its readers know.
"""

from collections.abc import Mapping
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepkit.store.blocks import STATUS
from sweepkit.store.files import ResultsError

if TYPE_CHECKING:
  import pandas as pd
  import xarray as xr

_INDEX, _COMPLEX = "point_index", "complex_numbers"  # attributes that say what `restored` puts together again


def portable(data: "xr.Dataset") -> "xr.Dataset":
  """Returns the same results without what NetCDF, Zarr and other formats cannot hold.

  A list of points loses its index, whose settings become plain coordinates. A complex number becomes two, `name_real` and
  `name_imag`. Arrays of objects become texts. An attribute that is true or false becomes 1 or 0, one without a value is left
  out, and one of another type than text, number or a list of them becomes JSON.

  Raises:
    ResultsError: if there is an array already under the name that a part of a complex number would get.
  """
  listed = [str(name) for name in data.indexes["point"].names] if "point" in data.indexes else []
  plain = data.reset_index("point") if listed else data.copy()
  split = [str(name) for name, values in plain.data_vars.items() if values.dtype.kind == "c"]
  for name in split:
    parts = {f"{name}_real": plain[name].real, f"{name}_imag": plain[name].imag}
    if taken := [part for part in parts if part in plain.variables]:
      raise ResultsError(f"The complex numbers {name} cannot be split, because there is {taken[0]} already; rename it.")
    plain = plain.drop_vars(name).assign({part: of.assign_attrs(data[name].attrs) for part, of in parts.items()})
  for key, values in plain.variables.items():
    if values.dtype.kind == "O":
      plain[key] = (values.dims, _texts(values.values), values.attrs)
  for key in plain.variables:
    plain[key].attrs = _attributes(plain[key].attrs)
  plain.attrs = _attributes(data.attrs)
  notes = {_INDEX: " ".join(listed), _COMPLEX: " ".join(split)}
  return plain.assign_attrs({name: text for name, text in notes.items() if text})


def restored(data: "xr.Dataset") -> "xr.Dataset":
  """Returns what `portable` was given, from what was read from a file: the index of a list of points and complex numbers."""
  data = data.copy()
  listed, split = (str(data.attrs.pop(name, "")).split() for name in (_INDEX, _COMPLEX))
  for name in split:
    real, imaginary = data[f"{name}_real"], data[f"{name}_imag"]
    whole = np.empty(real.shape, np.result_type(real.dtype, np.complex64))
    whole.real, whole.imag = real.values, imaginary.values  # 1j times infinity would be NaN
    data = data.drop_vars([f"{name}_real", f"{name}_imag"]).assign({name: (real.dims, whole, real.attrs)})
  return data.set_index(point=listed) if listed else data


def _texts(values: np.ndarray) -> np.ndarray:
  """Returns an array of objects as texts; None and NaN are empty ones."""
  return np.array(["" if one is None or one != one else str(one) for one in values.ravel()], str).reshape(values.shape)


def _attributes(attributes: Mapping[Any, Any]) -> dict[Any, Any]:
  return {name: _attribute(value) for name, value in attributes.items() if value is not None}


def _attribute(value: Any) -> Any:
  if isinstance(value, bool | np.bool_):
    return int(value)
  if isinstance(value, str | int | float | np.number) or (isinstance(value, np.ndarray) and value.dtype.kind in "iuf"):
    return value
  if isinstance(value, list | tuple) and {type(one) for one in value} in ({str}, {int}, {float}):
    return list(value)
  return json.dumps(value, default=str, ensure_ascii=False)


def table(data: "xr.Dataset", *names: str) -> "pd.DataFrame":
  """Returns the stored points as a table of pandas, one row per point; points that were not computed are left out.

  A column is a setting or a number, and `status` is named. A number with axes of its own, such as a norm by lag, holds lists. The
  attributes of the table tell the `units` of each column, the `axes` of each list, and the `labels` along these axes.

      table(data)                  one row per point
      table(data, "log_norm")      one row per entry of log_norm, with the labels of its axes as columns

  Args:
    data: from `load_results`, or a part of that.
    names: numbers of the same axes. Without names, all of them.

  Raises:
    ResultsError: if there is no number of such a name, or the axes of several differ.
  """
  if unknown := [name for name in names if name not in data.data_vars]:
    raise ResultsError(f"There is no number {unknown[0]!r}; there are {', '.join(map(str, data.data_vars))}.")
  frame = _by_entry(data, names) if names else _by_point(data)
  columns = [name for name in frame if name in data.variables]
  frame.attrs = {
    **_attributes(data.attrs),
    "units": {name: data[name].attrs["units"] for name in columns if "units" in data[name].attrs},
    "long_name": {name: data[name].attrs["long_name"] for name in columns if "long_name" in data[name].attrs},
  }
  if not names:
    axes = {str(name): [str(dim) for dim in of.dims if dim not in _along(data)] for name, of in data.data_vars.items()}
    frame.attrs["axes"] = {name: of for name, of in axes.items() if of}
    labelled = dict.fromkeys(axis for of in axes.values() for axis in of if axis in data.coords)
    frame.attrs["labels"] = {axis: data[axis].values.tolist() for axis in labelled}
  return frame


def _along(data: "xr.Dataset") -> list[str]:
  """The dimensions along which the points lie."""
  settings = str(data.attrs.get("settings", "")).split()
  return ["point"] if "point" in data.dims else [name for name in settings if name in data.dims]


def _settings(data: "xr.Dataset") -> dict[str, np.ndarray]:
  """The settings of every point, in the order of the points."""
  along = _along(data)
  shape = [data.sizes[name] for name in along]
  count = math.prod(shape)
  places = dict(zip(along, np.indices(shape).reshape(len(along), count), strict=True))
  found = {}
  for name in str(data.attrs.get("settings", "")).split():
    dim = str(data[name].dims[0]) if data[name].dims else ""
    found[name] = data[name].values[places[dim]] if dim else np.repeat(data[name].values, count)
  return found


def _rows(data: "xr.Dataset", name: str) -> np.ndarray:
  """A number of every point, the points on the leading axis."""
  along = _along(data)
  values = data[name].expand_dims({dim: data.sizes[dim] for dim in along if dim not in data[name].dims})
  values = values.transpose(*along, ...)
  return values.values.reshape(-1, *values.shape[len(along) :])


def _by_point(data: "xr.Dataset") -> "pd.DataFrame":
  import pandas as pd

  columns: dict[str, Any] = dict(_settings(data))
  for name in map(str, data.data_vars):
    if f"{name}_entry" in data[name].dims:
      point = data[f"{name}_point"].values
      cuts = np.searchsorted(point, np.arange(1, data.sizes["point"]))
      for column in (name, *_labels_of_entries(data, name)):
        columns[column] = list(np.split(data[column].values, cuts))
    elif name == "status":
      columns[name] = np.array(STATUS)[_rows(data, name)]
    else:
      rows = _rows(data, name)
      columns[name] = rows if rows.ndim == 1 else list(map(_nested, rows))
  frame = pd.DataFrame(columns)
  return frame[frame.status != "missing"].reset_index(drop=True) if "status" in frame else frame


def _labels_of_entries(data: "xr.Dataset", name: str) -> list[str]:
  """The coordinates of the entries of an array of different lengths, without the number of the point."""
  dims = data[name].dims
  return [str(one) for one in data.coords if data[one].dims == dims and str(one) not in (f"{name}_point", *dims)]


def _nested(array: np.ndarray) -> Any:
  """An array as lists of arrays of one axis, which formats of tables know."""
  return array if array.ndim == 1 else list(map(_nested, array))


def _by_entry(data: "xr.Dataset", names: tuple[str, ...]) -> "pd.DataFrame":
  import pandas as pd

  name = names[0]
  if wrong := [other for other in names if data[other].dims != data[name].dims]:
    raise ResultsError(f"{name} and {wrong[0]} have different axes; make a table of each.")
  if f"{name}_entry" in data[name].dims:
    point = data[f"{name}_point"].values
    labels = {one.removeprefix(f"{name}_"): data[one].values for one in _labels_of_entries(data, name)}
    return pd.DataFrame({key: of[point] for key, of in _settings(data).items()} | labels | {name: data[name].values})
  rows = {one: _rows(data, one) for one in names}
  axes = [str(dim) for dim in data[name].dims if dim not in _along(data)]
  shape = rows[name].shape
  point, *places = np.indices(shape).reshape(len(shape), -1)
  columns = {key: of[point] for key, of in _settings(data).items()}
  columns |= {axis: data[axis].values[place] for axis, place in zip(axes, places, strict=True)}
  columns |= {one: of.ravel() for one, of in rows.items()}
  present = _rows(data, "status")[point] != STATUS.index("missing") if "status" in data else slice(None)
  return pd.DataFrame(columns)[present].reset_index(drop=True)
