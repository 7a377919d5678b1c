"""A linear net W^T: singular values grow although every eigenvalue lies inside the unit circle.

Claim: the spectral radius is the wrong diagnostic for finite lags. For Gaussian W of spectral radius ρ the largest singular
value of (W/ρ)^l tends to √((l+1)^{l+1}/l^l) in large nets (Fuss-Catalan); for orthogonal W and the identity it stays 1.

Of 128 Gaussian units with entries of standard deviation g / √H, every third net or so has an eigenvalue beyond g. So every
drawn W is divided by its own spectral radius and multiplied by W_s: its radius is W_s, and `drawn_radius` tells what it was.
Measures the portrait of that net.

    python -m experiments.transient_growth

Expect: at W_s = 0.95 the Gaussian product is above 1 for some fifteen steps before it falls.
"""

from collections.abc import Mapping
import dataclasses
import sys

import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait import PORTRAIT, draw, portrait_of
from experiments.portrait.radius import log_spectral_radius
from experiments.portrait.settings import TINY
from sweepkit import Experiment, Point, Quantity, main


def of_radius(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The portrait of a random net whose recurrent kernel is scaled to the spectral radius |W_s|; that before, and after."""
  sample = draw(static, key, values)
  kernel = sample.params.recurrent_kernel
  drawn = jnp.exp(log_spectral_radius(kernel))
  scaled = kernel * jnp.where(drawn > 0, jnp.abs(values["ws"]) / drawn, 1).astype(kernel.dtype)
  params = sample.params._replace(recurrent_kernel=scaled)
  radii = {"drawn_radius": drawn, "spectral_radius": jnp.exp(log_spectral_radius(scaled))}
  return portrait_of(static, sample._replace(params=params)) | radii


EXPERIMENT = Experiment(
  "experiments.transient_growth",
  __doc__,
  dataclasses.replace(
    PORTRAIT,
    run=of_radius,
    dims={**PORTRAIT.dims, "drawn_radius": (), "spectral_radius": ()},
    quantities={
      **PORTRAIT.quantities,
      "drawn_radius": Quantity("spectral radius of the recurrent kernel as drawn", "1"),
      "spectral_radius": Quantity("spectral radius of the recurrent kernel after scaling", "1"),
    },
  ),
  {
    "cells": "rnn_linear",
    "recurrent_init": "gaussian,orthogonal,identity",
    "ws": "0.95",
    "input": "zero",
    "hidden_size": "128",
    "seq_len": "120",
  },
  allowed={"cells": ("rnn_linear",)},
  seconds=53,
  figure="analysis.paper.transient_growth",
  tiny={**TINY, "ws": "0.5,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
