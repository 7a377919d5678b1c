"""Does the Lyapunov spectrum of a trained net tell how accurate it is?

Claim (Vogt et al., 2022): over nets of one architecture with different initial weights, the spectrum after training and the
accuracy belong together. Trains small nets of many gains to read a digit pixel by pixel, and measures all exponents before and
after training on digits that they have not seen.

    python -m experiments.trained_spectra
    python -m experiments.trained_spectra --cells=rnn --ws=0.5,2 --updates=100 --seeds=2        a tenth of a minute

Expect: a prediction of the error from the spectrum after training, fitted to the nets of all other gains, is in rank order with
it for each cell. The spectrum before training tells less.
"""

from collections.abc import Mapping
import dataclasses
import sys
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait import STATE_INDEX
from experiments.training import SETTINGS, After, RunSettings, build, followed_by
from experiments.training.dynamics import DIMS
from experiments.training.journals import logged_updates
from experiments.training.settings import TINY
import recurrent_lab as rl
from sweepkit import Experiment, Quantity, main
from sweepkit.points import read

EXAMPLES = 8  # sequences over which exponents are averaged, the same for all nets


@dataclasses.dataclass(frozen=True, kw_only=True)
class SpectrumSettings(RunSettings):
  """The settings of a run whose spectrum is measured before and after training, and no gradient dynamics in between."""

  watched: bool = False


def measure_spectra(settings: SpectrumSettings) -> After:
  """All exponents of a net before and after training, after a tenth of the steps."""
  run = build(settings)

  @jax.jit
  def exponents(params: rl.WithReadoutParams) -> Array:
    xs = jnp.moveaxis(run.task.test(jax.random.key(0), EXAMPLES).inputs, 1, 0)
    of_one = lambda xs: rl.lyapunov_spectrum(run.cell, params.cell, xs, burn_in=len(xs) // 10).exponents
    return jnp.mean(jax.lax.map(of_one, xs), axis=0)

  return lambda before, after: {"exponent_before": exponents(before), "exponent": exponents(after)}


_FOLLOWED = followed_by(
  measure_spectra,
  dict.fromkeys(("exponent_before", "exponent"), ("index",)),
  kind=SpectrumSettings,
  headline={"final_score": "of the task, lower is better", "exponent": "nats per step"},
  quantities={
    "exponent_before": Quantity("Lyapunov exponents before training", "nats per step"),
    "exponent": Quantity("Lyapunov exponents after training", "nats per step"),
    "index": STATE_INDEX,
  },
)


def _coords(point: Mapping[str, Any]) -> dict[str, list[Any]]:
  settings = read(SpectrumSettings, point)
  run = build(settings)
  state = jax.eval_shape(lambda: run.cell.initial_state(run.cell.init(jax.random.key(0), 1, settings.units())))
  size = sum(leaf.size for leaf in jax.tree.leaves(state))
  return {"update": logged_updates(settings.updates), "index": list(range(size))}


EXPERIMENT = Experiment(
  "experiments.trained_spectra",
  __doc__,
  dataclasses.replace(
    _FOLLOWED,
    dims={name: axes for name, axes in _FOLLOWED.dims.items() if name not in DIMS},
    coords=_coords,
    settings={**SETTINGS, "ws": SETTINGS["ws"]._replace(is_axis=True)},
  ),
  {
    "cells": "rnn,lstm,gru",
    "task": "digits",
    "hidden_size": "32",
    "batch": "32",
    "updates": "600",
    "stop": "never",
    "learning_rate": "0.005",
    "ws": "0.25,0.5,1,1.5,2,3",
  },
  seeds=6,
  seconds=300,
  figure="analysis.landmarks.trained_spectra",
  tiny={**TINY, "cells": "rnn", "task": "adding", "ws": "0.5,1"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
