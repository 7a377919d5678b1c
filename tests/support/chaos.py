"""Maps of the interval as an experiment: a sweep whose programs compile at once.

    python -m tests.support.chaos --map=logistic --r=2,3,4

Expect: an orbit of the linear map leaves every float.
"""

from collections.abc import Mapping
import os
import subprocess
import sys

import jax
import jax.numpy as jnp

from sweepkit import Experiment, Measure, Point, Quantity, Setting, main
from sweepkit.settings import FINITE, POSITIVE_INT, one_of
from tests.support.launches import ROOT


def logistic(r: jax.Array, x: jax.Array) -> jax.Array:
  return r * x * (1 - x)


def sine(r: jax.Array, x: jax.Array) -> jax.Array:
  return r / 4 * jnp.sin(jnp.pi * x)


def linear(r: jax.Array, x: jax.Array) -> jax.Array:
  return r * x


MAPS = {"logistic": logistic, "sine": sine, "linear": linear}


def orbit(static: Point, key: jax.Array, values: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
  """The orbit of a random start, and the mean of it."""
  r, function = values["r"], MAPS[str(static["map"])]
  first = jax.random.uniform(key, dtype=r.dtype)
  _, xs = jax.lax.scan(lambda x, _: (function(r, x), x), first, length=static["steps"])
  return {"orbit": xs, "mean": jnp.mean(xs)}


MEASURE = Measure(
  orbit,
  settings={
    "map": Setting(str, "logistic", "the map", *one_of(tuple(MAPS)), table=MAPS),
    "steps": Setting(int, "12", "steps of the orbit", *POSITIVE_INT, units="steps", symbol="T"),
    "r": Setting(float, "3:4:5", "height of the map", *FINITE, traced=True, units="1", is_axis=True),
  },
  dims={"orbit": ("step",), "mean": ()},
  coords=lambda point: {"step": list(range(int(point["steps"])))},
  quantities={"orbit": Quantity("x", "1"), "mean": Quantity("mean of x", "1"), "step": Quantity("step", "steps")},
  headline={"mean": "of the interval"},
)
EXPERIMENT = Experiment("tests.support.chaos", __doc__, MEASURE, {"map": "logistic,sine"}, seeds=2, seconds=1)
NAME = EXPERIMENT.name


def command(*flags: str) -> list[str]:
  """The words that launch it in another process."""
  return [sys.executable, "-m", EXPERIMENT.module, *flags]


def started(*flags: str) -> subprocess.Popen[str]:
  """A launch in a process of its own."""
  pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
  environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
  return subprocess.Popen(command(*flags), cwd=ROOT, env=environment, text=True, **pipes)


if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
