"""The numbers behind a figure, a dataset with one value per seed, as tables to read and as a CSV of all values."""

from collections.abc import Iterator, Mapping, Sequence
import csv
import io
from typing import Literal, NamedTuple

import numpy as np
import xarray as xr

from analysis import wording
from analysis.style import cell_style
from sweepkit.words import FEW, count

COLUMNS, ROWS = 6, 4  # at most so many values of an axis of numbers across and down a table; the CSV has all


class TableSpec(NamedTuple):
  """The name of a variable in tables, and the statistic that makes one entry of its values over seeds.

  Attributes:
    label: with its unit; empty for the name and unit that are stored with the results.
    over_seeds: "mean" (± 95 %), "median" (lowest to highest), "count" (of the seeds that solved a task), or "none" for a variable
      that the CSV lists and no table shows.
  """

  label: str = ""
  over_seeds: Literal["mean", "median", "count", "none"] = "mean"


MEAN = TableSpec()  # the stored name, and the mean over seeds


class Table(NamedTuple):
  """A table with `heads` over its columns; the first `labels` columns name a row."""

  caption: str
  labels: int
  heads: list[str]
  rows: list[list[str]]


def stored_label(values: xr.DataArray) -> str:
  """Returns the name and unit that are stored with a variable, such as `memory length (steps)`."""
  return wording.with_unit(values.attrs.get("long_name", str(values.name).replace("_", " ")), values)


def name(axis: str, value: object) -> str:
  """Returns a label of an axis as a person reads it: a cell by its name, numbers with four digits."""
  if axis == "cell":
    return cell_style(str(value)).label
  return f"{value:.4g}" if isinstance(value, float) else str(value).replace("_", " ")


def _entry(values: np.ndarray, over_seeds: str) -> str:
  """One entry of a table, from the values over seeds or from a single value."""
  known = values[~np.isnan(values)]
  endless = int(np.isinf(known).sum())
  if known.size < 2:
    return wording.short(known[0]) if known.size else "–"
  if over_seeds == "count":
    return f"{int(known.sum())} of {known.size}"
  if endless:
    return f"∞ in {endless} of {known.size}"
  if over_seeds == "mean":
    return wording.mean(xr.DataArray(known, dims="seed"))
  return "{} ({} to {})".format(
    *(wording.short(float(value)) for value in (np.median(known), known.min(), known.max()))
  )


def _over_seeds(spec: TableSpec, seeds: int) -> str:
  """Names the statistic of a table's entries and the number of seeds."""
  of_mean = "mean ± 95 %" if seeds >= FEW else "every value"
  said = {"mean": of_mean, "median": "median, lowest to highest", "count": "", "none": ""}[spec.over_seeds]
  return f"{said} of {count(seeds, 'seed')}".strip() if seeds > 1 else count(seeds, "seed")


def _thinned(values: xr.DataArray, axis: str, most: int) -> xr.DataArray:
  """At most `most` evenly spaced values of an axis of numbers, among them the first and the last; all values of other axes."""
  if values[axis].dtype.kind not in "iuf" or values.sizes[axis] <= most:
    return values
  return values.isel({axis: sorted({int(i) for i in np.linspace(0, values.sizes[axis] - 1, most).round()})})


def table(values: xr.DataArray, spec: TableSpec = MEAN) -> Table:
  """Returns a variable as a table: its last axis across, combinations of the others down, some of the values of long axes."""
  label = spec.label or stored_label(values)
  values = values.squeeze([axis for axis in values.dims if values.sizes[axis] == 1 and axis not in ("seed", "cell")])
  axes = [str(axis) for axis in values.dims if axis != "seed"]
  *down, across = axes or [""]
  for axis in axes:
    values = values.dropna(axis, how="all")
  everything = values.size
  for axis in axes:
    values = _thinned(values, axis, COLUMNS if axis == across else ROWS)
  labels = {axis: values[axis].values.tolist() for axis in axes}
  entries = values.transpose(*axes, ...).values.reshape(*map(len, labels.values()), -1)
  rows = []
  for at in np.ndindex(entries.shape[: len(down)]):
    row = entries[at] if across else entries[None]
    if not np.isnan(row).all():
      names = [name(axis, labels[axis][i]) for axis, i in zip(down, at, strict=True)]
      rows.append([*names, *(_entry(entry, spec.over_seeds) for entry in row)])
  notes = [_over_seeds(spec, values.sizes["seed"])] if "seed" in values.dims else []
  notes += ["some of the values"] * (values.size < everything)
  caption = "; ".join(part for part in (label, *notes) if part)
  heads = [wording.axis_name(axis) for axis in down]
  if across:
    # A cell needs no word before its name.
    heads += [
      f"{'' if across == 'cell' else wording.axis_name(across)} {name(across, head)}".strip() for head in labels[across]
    ]
  return Table(caption, len(down), heads if across else ["value"], rows)


def tables(shown: xr.Dataset, specs: Mapping[str, TableSpec]) -> list[Table]:
  """Returns a table for every variable that has a value; one without a spec has its stored name and its mean over seeds."""
  described = [(values, specs.get(str(name), MEAN)) for name, values in shown.data_vars.items()]
  return [table(values, spec) for values, spec in described if spec.over_seeds != "none" and values.notnull().any()]


def to_csv(shown: xr.Dataset) -> bytes:
  """Returns all values as CSV: one row per variable and labels of its axes, one column per seed.

  A variable without seeds has its value in a column `value`, before those of the seeds.
  """
  axes = list(dict.fromkeys(str(axis) for values in shown.data_vars.values() for axis in values.dims if axis != "seed"))
  heads = ["value"] * any("seed" not in values.dims for values in shown.data_vars.values())
  heads += [f"seed {seed}" for seed in shown.seed.values.tolist()] if "seed" in shown.dims else []
  buffer = io.StringIO()
  writer = csv.DictWriter(buffer, ["quantity", *axes, *heads], restval="", lineterminator="\n")
  writer.writeheader()
  for values in shown.data_vars.values():
    writer.writerows(_rows(values, heads[-shown.sizes["seed"] :] if "seed" in values.dims else heads[:1]))
  return buffer.getvalue().encode()


def _rows(values: xr.DataArray, heads: Sequence[str]) -> Iterator[dict[str, object]]:
  """The rows of one variable that have a value, by column; `heads` are the columns of its values."""
  own = [str(axis) for axis in values.dims if axis != "seed"]
  array = values.transpose(*own, ...).values.reshape(*(values.sizes[axis] for axis in own), -1)
  labels = {axis: values[axis].values.tolist() for axis in own}
  for at in np.ndindex(array.shape[:-1]):
    if not np.isnan(array[at]).all():
      where = {axis: labels[axis][i] for axis, i in zip(own, at, strict=True)}
      numbers = {head: f"{value:.7g}" for head, value in zip(heads, array[at], strict=True) if not np.isnan(value)}
      yield {"quantity": values.name, **where, **numbers}
