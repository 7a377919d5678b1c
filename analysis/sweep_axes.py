"""Picks one number of any sweep by the names of its axes, and says in one sentence what there is if a name is wrong."""

from collections.abc import Mapping, Sequence
import math
import re
import textwrap
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from analysis.numbers import name as label_of
from analysis.provenance import values_text
from analysis.wording import AXES, with_unit
from sweepkit.store import ResultsError, as_grid

LARGEST = 2**26  # values of a grid that is made from a list of points


class Selected(NamedTuple):
  """One number of a sweep.

  Attributes:
    values: `[*lines, seed, *axes]`; `lines` are all other axes with several labels, the cell first.
    taken: axis -> its label, for axes of the numbers themselves whose label was not asked for.
  """

  values: xr.DataArray
  taken: Mapping[str, Any]


def number_names(data: xr.Dataset) -> list[str]:
  """Returns the names of the numbers that a dataset holds."""
  return [
    str(name) for name, one in data.data_vars.items() if one.dtype.kind in "iufb" and name not in ("status", "code")
  ]


def varied_axes(data: xr.Dataset, value: str) -> list[str]:
  """Returns the axes along which a number varies: settings, and axes of its own; raises as `select` does."""
  values = _grid(data, value, {})[value]
  return [str(name) for name in values.dims if name != "seed" and values.sizes[name] > 1]


def _listed(names: Sequence[str]) -> str:
  return ", ".join(names) or "nothing"


def _grid(data: xr.Dataset, value: str, at: Mapping[str, Any]) -> xr.Dataset:
  """The number and the status of all points on a grid; of a list of points only those at the labels asked for."""
  if value not in number_names(data):
    raise ResultsError(f"{value!r} is not a number of {_source(data)}; there are {_listed(number_names(data))}.")
  if any(str(dim).endswith("_entry") for dim in data[value].dims):
    raise ResultsError(
      f"{value} of {_source(data)} has another length at every point, so it has no axes to draw it along."
    )
  one = data[[value, "status"]]
  if "point" not in one.dims:
    return one
  for name in (name for name in at if name in one.indexes["point"].names):
    one = one.isel(point=np.isin(one[name].values, [one[name].values[i] for i in _places_of(one[name], at[name])]))
  sizes = {name: len(np.unique(one[name].values)) for name in one.indexes["point"].names}
  if math.prod(sizes.values()) > LARGEST:
    varied = ", ".join(f"{name} ({size} values)" for name, size in sizes.items() if size > 1)
    raise ResultsError(
      f"{_source(data)} is a list of points in {varied}; choose some of them, as by --at={next(iter(sizes))}=…"
    )
  return as_grid(one)


def _source(data: xr.Dataset) -> str:
  return str(data.attrs.get("source", "this dataset"))


def _is(label: Any, wanted: Any) -> bool:
  if str(label) == str(wanted):
    return True
  try:
    return math.isclose(float(label), float(wanted), rel_tol=1e-9)
  except (TypeError, ValueError):
    return False


def _places_of(labels: xr.DataArray, wanted: Any) -> list[int]:
  """The places of the labels asked for, one or several.

  Raises:
    ResultsError: for a label that is not there.
  """
  found = []
  for one in [wanted] if isinstance(wanted, str) or np.ndim(wanted) == 0 else list(wanted):
    here = [i for i, label in enumerate(labels.values.ravel().tolist()) if _is(label, one)]
    if not here:
      there = values_text(list(dict.fromkeys(labels.values.ravel().tolist())))
      raise ResultsError(f"{labels.name} has no {str(one)!r}; it has {there}.")
    found += here
  return found


def select(data: xr.Dataset, value: str, *axes: str, at: Mapping[str, Any]) -> Selected:
  """Returns one number of a sweep, with these axes and one dimension for each other axis that has several labels.

  The numbers have axes of their own, such as the norm or the lag. One that is neither among `axes` nor in `at` is taken at its
  first name or its last number: the spectral norm, the longest lag.

  Args:
    data: results of a sweep, as `load_results` and `sweep` return them.
    value: name of the number.
    axes: names of settings or of axes of the number.
    at: axis -> a label or a list of labels to keep.

  Raises:
    ResultsError: for a name or label that is not there; what there is is named.
  """
  grid = _grid(data, value, at)
  values = grid[value]
  varied = [str(name) for name in values.dims if name != "seed" and values.sizes[name] > 1]
  for name in (*axes, *at):
    fixed = [str(one) for one in values.coords if one not in values.dims and values[one].ndim == 0]
    if name not in values.dims and (name in axes or name not in fixed):
      why = f"has the single value {values[name].item()}" if name in fixed else f"is not an axis of {value}"
      raise ResultsError(f"{name} {why} in {_source(data)}; {value} varies in {_listed(varied)}.")
  if len({*axes}) < len(axes) or "seed" in axes:
    raise ResultsError(f"{' and '.join(axes)} cannot be the axes; {value} varies in {_listed(varied)}.")
  for name, wanted in at.items():
    places = _places_of(values[name], wanted)
    values = values.isel({name: places}) if name in values.dims else values
  if single := next((name for name in axes if values.sizes[name] < 2), None):
    raise ResultsError(
      f"{single} has the single value {values[single].values.item()}; {value} varies in {_listed(varied)}."
    )
  if not values.notnull().any():
    raise ResultsError(f"{value} has no value there in {_source(data)}.")
  return _taken(values, [str(name) for name in grid.status.dims], axes, at)


def _taken(values: xr.DataArray, settings: Sequence[str], axes: Sequence[str], at: Mapping[str, Any]) -> Selected:
  taken = {}
  for name in [str(name) for name in values.dims if name not in (*settings, *axes, *at)]:
    labels = values[name].values
    if labels.size > 1:
      taken[name] = labels[-1] if labels.dtype.kind in "iuf" else labels[0]
      values = values.sel({name: taken[name]})
  values = values.squeeze([name for name in values.dims if name not in (*axes, "seed") and values.sizes[name] == 1])
  for dim in [dim for dim in values.dims if dim not in axes]:
    values = values.dropna(dim, how="all")
  order = [str(name) for name in values.dims if name not in ("cell", "seed", *axes)]
  return Selected(values.transpose(*["cell"] * ("cell" in values.dims), *order, "seed", *axes), taken)


class Places(NamedTuple):
  """The places of the labels of an axis: the numbers themselves, or 0, 1, … for names."""

  at: np.ndarray
  names: Sequence[str]  # empty for numbers
  is_log: bool  # numbers in equal ratios, as `0.1:10:log:12` makes them


def places(labels: xr.DataArray) -> Places:
  """Returns the places of the labels of an axis; text that is all numbers counts as numbers."""
  try:
    at = labels.values.astype(float)
  except ValueError:
    names = [label_of(str(labels.name), one) for one in labels.values.tolist()]
    return Places(np.arange(labels.size, dtype=float), names, False)
  if at.size < 3 or not (at > 0).all():
    return Places(at, (), False)
  is_even = lambda numbers: np.ptp(np.diff(numbers)) < 0.02 * np.abs(np.diff(numbers)).mean()
  return Places(at, (), bool(is_even(np.log(at)) and not is_even(at)))


def typeset(text: str) -> str:
  """Returns a text with its symbols as mathematics, such as W_s."""
  return re.sub(r"(?<!\w)([^\W\d_])_([^\W_])(?!\w)", r"$\1_\2$", text)


def axis_label(labels: xr.DataArray) -> str:
  """Returns the name of an axis with its unit, without what its description explains."""
  about = re.split(r"[:;]| \(", str(labels.attrs.get("long_name", "")))[0]
  is_name = (
    about and len(about) < 45 and about.split()[0] not in ("of", "how", "what", "whether", "an", "the", "number")
  )
  return typeset(with_unit(about if is_name else str(labels.name).replace("_", " "), labels))


def value_label(values: xr.DataArray) -> str:
  """Returns the name of a number with its unit, in lines of at most 36 characters."""
  about = str(values.attrs.get("long_name", str(values.name).replace("_", " "))).partition(":")[0]
  unit = with_unit("", values).strip().replace(" ", "\u00a0")  # a unit is not broken
  return typeset("\n".join(textwrap.wrap(f"{about} {unit}".strip(), 36)))


def told_apart(found: Sequence[Mapping[str, Any]], among: Sequence[Mapping[str, Any]]) -> list[str]:
  """Returns a text for each combination of labels: those that differ `among` all combinations."""
  differing = [name for name in (found[0] if found else ()) if len({one[name] for one in among}) > 1]
  return [typeset(", ".join(setting(name, one[name]) for name in differing)) for one in found]


def setting(name: str, value: Any) -> str:
  """Returns `W_s = 1`, or the name of a cell alone."""
  return (
    label_of(name, value) if name == "cell" else f"{AXES.get(name, name.replace('_', ' '))} = {label_of(name, value)}"
  )
