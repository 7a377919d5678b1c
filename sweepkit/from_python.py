"""A sweep from Python instead of flags: the same launcher, the same files, and the results as a dataset.

data = sweep(chaos.EXPERIMENT, map=["logistic", "sine"], r="3:4:12", seeds=4, out="results")
"""

from typing import TYPE_CHECKING, Any

from sweepkit.exchange.texts import flags_of
from sweepkit.experiment import Experiment
from sweepkit.options import UsageError
from sweepkit.runner import launch
from sweepkit.store import load_results

if TYPE_CHECKING:
  import xarray as xr


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
    experiment, [flag for name, value in settings.items() for flag in flags_of(experiment, name, value)]
  )
  if failures:
    raise RuntimeError(f"{failures} blocks of {experiment.name} failed; the rest is kept in {plan.out}.")
  return load_results(plan.out)
