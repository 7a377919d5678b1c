"""Names and units of the variables and axes of a dataset: the attributes `long_name` and `units` of CF and xarray."""

from collections.abc import Mapping, Sequence
import importlib
import importlib.util
from typing import TYPE_CHECKING, NamedTuple

import xarray as xr

from sweepkit import points as grid

if TYPE_CHECKING:
  from experiments.portrait.net import Measure

Attributes = Mapping[str, Mapping[str, str]]  # name of a variable, axis or setting -> attribute -> text


class Quantity(NamedTuple):
  """What a number is.

  Attributes:
    long_name: in a few words.
    units: nats, nats per step, steps, ...; 1 for a number without a unit; "" for what has none, such as a name.
  """

  long_name: str
  units: str = ""


_OF_ALL = {
  "cell": Quantity("cell"),
  "seed": Quantity("number of the random net", "1"),
  "x64": Quantity("whether it was computed in float64"),
}


def of(measure: "Measure") -> dict[str, dict[str, str]]:
  """The attributes of all that a measure stores, as far as it says."""
  settings = {grid.dimension(name): Quantity(setting.help, setting.units) for name, setting in measure.settings.items()}
  quantities = {**settings, **_OF_ALL, **measure.quantities}
  return {name: {key: text for key, text in one._asdict().items() if text} for name, one in quantities.items()}


def _of_experiment(name: str) -> Attributes:
  """Those of the experiment of the lab that has this name; none if there is no such experiment."""
  if not name.isidentifier() or importlib.util.find_spec(f"experiments.{name}") is None:
    return {}
  experiment = getattr(importlib.import_module(f"experiments.{name}"), "EXPERIMENT", None)
  return of(experiment.measure) if experiment is not None else {}


def annotate(data: xr.Dataset, experiment: str, stored: Sequence[Attributes]) -> None:
  """Sets the attributes of a dataset: those stored with the blocks, and else those of the experiment of this name."""
  known: dict[str, Mapping[str, str]] = {}
  for attributes in (*stored, {"code": {"long_name": "code that computed the point"}}):
    known |= attributes
  if not any(stored):
    known = {**_of_experiment(experiment), **known}
  for name in data.variables:
    data[name].attrs.update(known.get(str(name), {}))
