"""Training runs at equal parameters: the number of units of every net is chosen from its number of parameters.

A net is a cell, or a stack of layers, with its readout. Its units are the number whose parameters are closest to those asked for.
"""

import dataclasses
from functools import cache, partial
from typing import NamedTuple

import jax

from experiments.training.build import check_settings
from experiments.training.dynamics import DIMS
from experiments.training.journals import logged_updates
from experiments.training.measures import After, followed_by
from experiments.training.settings import SETTINGS, RunSettings
import recurrent_lab as rl
from recurrent_lab import training
from recurrent_lab.tasks import Task
from sweepkit import Point, Quantity
from sweepkit.points import read
from sweepkit.settings import POSITIVE_INT, Setting, Settings

FEWEST = 8  # units; every cell can have any multiple of them

EQUAL_SETTINGS: Settings = {name: setting for name, setting in SETTINGS.items() if name != "hidden_size"} | {
  "parameters": Setting(
    int, "5000", "parameters of a net with its readout; they determine its units H", *POSITIVE_INT, units="1"
  )
}


class _Size(NamedTuple):
  """The size of a net."""

  units: int
  parameters: int


@cache
def _size(cell: rl.Cell, task: Task, least: int) -> _Size:
  """Returns the size of the smallest net with at least so many units; some cells cannot have an odd number of them.

  Only shapes are computed, since JAX must not start before the launch has chosen its devices.
  """
  for units in range(least, least + FEWEST):
    init = partial(training.init_params, cell=cell, task=task, hidden_size=units)
    try:
      params = jax.eval_shape(lambda seed, init=init: init(jax.random.key(seed)), 0)
    except ValueError:
      continue
    return _Size(units, sum(leaf.size for leaf in jax.tree.leaves(params)))
  raise ValueError(f"it has no net of {least} to {least + FEWEST - 1} units.")


@cache
def units_of(cell: rl.Cell, task: Task, parameters: int) -> int:
  """Returns the number of units H at which the parameters of a net are closest to `parameters`; the smaller one of two.

  Raises:
    ValueError: if the net has more parameters than that with 8 units.
  """
  least = _size(cell, task, FEWEST)
  if least.parameters > parameters:
    raise ValueError(
      f"parameters is {parameters}; it must be at least {least.parameters}, with which a net has {least.units} units."
    )
  low, high = FEWEST, 2 * FEWEST  # a net that is small enough, and one that is too large
  while _size(cell, task, high).parameters <= parameters:
    low, high = high, 2 * high
  while high - low > 1:
    middle = (low + high) // 2
    low, high = (middle, high) if _size(cell, task, middle).parameters <= parameters else (low, middle)
  sizes = (_size(cell, task, units) for units in (low, high))
  return min(sizes, key=lambda size: abs(size.parameters - parameters)).units


@dataclasses.dataclass(frozen=True, kw_only=True)
class EqualSettings(RunSettings):
  """The settings of a training run at equal parameters, as `EQUAL_SETTINGS` explains them; its dynamics are not measured."""

  parameters: int
  hidden_size: int = 0  # chosen by `units`
  watched: bool = False  # the product of the Jacobians of a large state takes longer than the training

  def units(self) -> int:
    """Returns the number of units H of a layer.

    Raises:
      ValueError: if no net of this cell is small enough, naming the cell.
    """
    try:
      return units_of(self.make_cell(), self.make_task(), self.parameters)
    except ValueError as error:
      raise ValueError(f"Cell {self.cell!r}: {error}") from None


def _sizes(settings: EqualSettings) -> After:
  """The sizes that a net was given: its units, and all its parameters and those of the cell, as counted after training."""
  count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))
  return lambda before, after: {
    "units": settings.units(),
    "parameter_count": count(after),
    "cell_parameter_count": count(after.cell),
  }


def _check(point: Point) -> None:
  """Raises a `ValueError` if the settings of a run do not go together, its cell cannot have them, or no net is small enough."""
  check_settings(read(EqualSettings, point))


_SIZES = {
  "units": Quantity("units H of a layer", "1"),
  "parameter_count": Quantity("number of parameters of the net", "1"),
  "cell_parameter_count": Quantity("number of parameters of the net without its readout", "1"),
}
_FOLLOWED = followed_by(
  _sizes, dict.fromkeys(_SIZES, ()), kind=EqualSettings, settings=EQUAL_SETTINGS, quantities=_SIZES
)

TRAIN_EQUAL = dataclasses.replace(
  _FOLLOWED,
  dims={name: axes for name, axes in _FOLLOWED.dims.items() if name not in DIMS},
  coords=lambda point: {"update": logged_updates(read(EqualSettings, point).updates)},
  check=_check,
)
