"""Facts about the variables and axes of a dataset, stored with the results: names, units, and which settings are axes."""

from collections.abc import Iterable, Mapping, Sequence
import functools
from importlib import metadata
from typing import TYPE_CHECKING

from sweepkit.measure import AnyMeasure, Quantity
from sweepkit.named import Named
from sweepkit.settings import dimension

if TYPE_CHECKING:
  import xarray as xr

Attributes = Mapping[
  str, Mapping[str, str]
]  # name of a variable, axis or setting -> attribute of CF and xarray -> text
Axes = Mapping[str, Sequence[str]]  # setting that is always a dimension -> the order of its values, if they are names


def of(measure: AnyMeasure) -> dict[str, dict[str, str]]:
  """Returns the attributes of the arrays, labels and settings of a measure, where it has them.

  They are `long_name` and `units`, and the `default` of settings that only some points have.
  """
  settings = {dimension(name, measure.settings): setting for name, setting in measure.settings.items()}
  quantities = {
    **{name: Quantity(setting.help, setting.units) for name, setting in settings.items()},
    **{name: Quantity(name) for name in list(settings)[:1]},
    "seed": Quantity("number of the random net", "1"),
    "x64": Quantity("whether it was computed in float64"),
    **measure.quantities,
  }
  described = {name: {key: text for key, text in one._asdict().items() if text} for name, one in quantities.items()}
  for name, setting in settings.items():
    if setting.absent:
      described[name]["default"] = setting.absent
  return described


def defaults(stored: Iterable[Attributes]) -> dict[str, str]:
  """Returns the value, as a text, at which points that lack a setting are shown, for settings that only some points have."""
  return {name: one["default"] for attributes in stored for name, one in attributes.items() if "default" in one}


def axes_of(measure: AnyMeasure) -> dict[str, list[str]]:
  """Returns the settings that a dataset of this measure always has as dimensions: the first, every `is_axis`, and the seed."""
  found = {
    dimension(name, measure.settings): list(setting.table.table if isinstance(setting.table, Named) else setting.table)
    for i, (name, setting) in enumerate(measure.settings.items())
    if i == 0 or setting.is_axis
  }
  return {**found, "seed": []}


@functools.cache
def older_axes() -> Axes:
  """Returns the axes of blocks that do not store theirs, as installed libraries declare them (entry points `sweepkit.axes`)."""
  found: dict[str, Sequence[str]] = {"seed": ()}
  for entry in metadata.entry_points(group="sweepkit.axes"):
    found |= entry.load()
  return found


def annotate(data: "xr.Dataset", stored: Sequence[Attributes]) -> None:
  """Sets the attributes of a dataset to those stored with its blocks."""
  known: dict[str, Mapping[str, str]] = {}
  for attributes in (*stored, {"code": {"long_name": "code that computed the point"}}):
    known |= attributes
  for name in data.variables:
    data[name].attrs.update(known.get(str(name), {}))
