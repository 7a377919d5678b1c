"""The provenance of a block: the command, the versions and the device that made it."""

import inspect
from pathlib import Path
import platform
import subprocess
import time
from typing import Any

import jax
import numpy as np

from sweepkit.execution import devices
from sweepkit.experiment import Experiment
from sweepkit.plan import Plan


def _git_commit(experiment: Experiment) -> str | None:
  """The commit of the repository that holds the measure's code, if there is one."""
  try:
    root = Path(inspect.getfile(experiment.measure.run)).parent
    result = subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
  except (OSError, TypeError, subprocess.CalledProcessError):
    return None
  return result.stdout.strip()


def _combined(plan: Plan) -> dict[str, Any]:
  """Says how the values of the plan are combined, where that is more than all values with each other and the first seeds."""
  found = {
    "brought": {name: dict(of) for name, of in plan.brought.items()},
    "zip": [list(group) for group in plan.zipped],
    "chosen_seeds": [] if isinstance(plan.seeds, int) else list(plan.seeds),
  }
  return {name: value for name, value in found.items() if value}


def provenance(experiment: Experiment, plan: Plan, process: tuple[int, int]) -> dict[str, Any]:
  return {
    "command": plan.kept_command,
    "planned": {
      "axes": {name: list(values) for name, values in plan.axes.items()},
      "seeds": len(plan.points.each_seed),
      "x64": plan.points.x64,
      **_combined(plan),
    },
    "git_commit": _git_commit(experiment),
    "python": platform.python_version(),
    "jax": jax.__version__,
    "jaxlib": jax.lib.__version__,
    "numpy": np.__version__,
    "device": jax.local_devices()[0].device_kind,
    "devices": devices.count(),
    "platform": jax.default_backend(),
    "precision": "float64" if plan.points.x64 else "float32",
    "shard": "{}/{}".format(*plan.shard),
    "process": "{}/{}".format(*process),
    "date": time.strftime("%Y-%m-%d"),
  }
