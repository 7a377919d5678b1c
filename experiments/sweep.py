"""A sweep from Python instead of flags: the same launcher, the same files, and the results as a dataset.

data = sweep(recurrent_gain.EXPERIMENT, cells=["rnn", "gru"], ws="0.5:6:12", seeds=4, out="results")
"""

from collections.abc import Iterable
from typing import Any

import xarray as xr

from experiments import store
from experiments.experiment import Experiment
from experiments.runner import launch


def sweep(experiment: Experiment, **settings: Any) -> xr.Dataset:
  """Runs an experiment from Python and returns what its folder then holds, as `store.load_results` does.

  `sweep(EXPERIMENT, ws=[0.5, 1.0], seeds=4, out="results")` is `--ws=0.5,1.0 --seeds=4 --out=results`: what is done is
  skipped, and the same is stored.

  Args:
    experiment: of `experiments/`, or one of your own.
    settings: the flags by name; an axis is a value, a sequence of values or a range as text (`"0.5:6:12"`).

  Raises:
    RuntimeError: if blocks of points failed.
    UsageError, store.ResultsError, signals.Stopped: as `runner.launch` does.
  """
  is_one = lambda value: isinstance(value, str) or not isinstance(value, Iterable)
  texts = {name: str(value) if is_one(value) else ",".join(map(str, value)) for name, value in settings.items()}
  plan, failures = launch(experiment, [f"--{name}={text}" for name, text in texts.items()])
  if failures:
    raise RuntimeError(f"{failures} blocks of {experiment.name} failed; the rest is kept in {plan.out}.")
  return store.load_results(plan.out)
