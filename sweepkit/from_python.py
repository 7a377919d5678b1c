"""A sweep from Python instead of flags: the same launcher, the same files, and the results as a dataset.

data = sweep(chaos.EXPERIMENT, map=["logistic", "sine"], r="3:4:12", seeds=4, out="results")
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepkit.experiment import Experiment
from sweepkit.named import Named
from sweepkit.options import UsageError
from sweepkit.runner import launch
from sweepkit.settings import decimal_texts
from sweepkit.store import load_results

if TYPE_CHECKING:
  import xarray as xr


def flag_text(value: Any) -> str:
  """A setting of a program as the text of its flag; computed numbers become the decimals that were meant."""
  is_many = isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "shape", None) != ()
  values = list(value) if is_many else [value]
  plain = [one.item() if hasattr(one, "dtype") else one for one in values]
  if not any(isinstance(one, float) for one in plain):
    return ",".join(map(str, plain))
  dtypes = [one.dtype for one in values if hasattr(one, "dtype")]
  digits = min((np.finfo(dtype).precision for dtype in dtypes if np.issubdtype(dtype, np.floating)), default=15)
  return ",".join(
    decimal_texts(plain, digits) if all(isinstance(one, int | float) for one in plain) else map(str, plain)
  )


def _flags(experiment: Experiment, name: str, value: Any) -> list[str]:
  """The flags of a setting, whose values may be objects of the user. Groups of settings that go together are several flags."""
  setting = experiment.measure.settings.get(name)
  is_many = isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "shape", None) != ()
  if name == "seeds" and is_many:
    return [f"--seeds=[{flag_text(value)}]"]
  if name == "zip" and is_many:
    groups = list(value)
    return [f"--zip={flag_text(group)}" for group in ([groups] if isinstance(groups[0], str) else groups)]
  if setting is None or not isinstance(setting.table, Named):
    return [f"--{name}={flag_text(value)}"]
  try:
    return [f"--{name}={setting.table.text(value)}"]
  except ValueError as error:
    raise UsageError(f"--{name}: {error}") from None


def sweep(experiment: Experiment, **settings: Any) -> "xr.Dataset":
  """Runs an experiment from Python and returns what its folder then holds, as `load_results` does.

  `sweep(EXPERIMENT, r=[3.5, 4.0], seeds=4, out="results")` is `--r=3.5,4.0 --seeds=4 --out=results`: what is done is
  skipped, and the same is stored.

  Args:
    experiment: what to run.
    settings: the flags by name; an axis is a value, a sequence or array of values, or a range as text (`"0.5:6:12"`). Values are
      the decimals that were meant (`settings.decimal_texts`): `np.arange(.1, .75, .1)` is `"0.1:0.7:7"`. A setting that takes
      objects of your own, such as a cell, takes the object, or a mapping of names to objects. `seeds` is their number or a
      sequence of chosen seeds, and `zip` a sequence of settings whose values go together, or of several such sequences.

  Raises:
    RuntimeError: if blocks of points failed.
    UsageError, store.ResultsError, signals.Stopped: as `runner.launch` does.
  """
  if not isinstance(experiment, Experiment):
    held = " Give its EXPERIMENT." if isinstance(getattr(experiment, "EXPERIMENT", None), Experiment) else ""
    raise UsageError(f"{experiment!r} is not an Experiment.{held}")
  plan, failures = launch(
    experiment, [flag for name, value in settings.items() for flag in _flags(experiment, name, value)]
  )
  if failures:
    raise RuntimeError(f"{failures} blocks of {experiment.name} failed; the rest is kept in {plan.out}.")
  return load_results(plan.out)
