"""How much of the vanishing is saturation, where large inputs or biases push tanh' down?

Claim (introductions): tanh' ≤ 1, and below 1 most of the time, so the product shrinks.
Measures the same portrait as `recurrent_gain`, against the input scale (and, with --bias_scale, the biases).

    python -m experiments.tanh_saturation
    python -m experiments.tanh_saturation --input_scale=0 --bias_scale=0.1:10:log:12    random biases
    python -m experiments.tanh_saturation --input_scale=0 --bias=0:5:11                 one bias for all

Expect: the growth rate of the RNN falls as mean ln tanh' does, and both without bound.
"""

import sys

from experiments.portrait import PORTRAIT
from experiments.portrait.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.tanh_saturation",
  __doc__,
  PORTRAIT,
  {"input_scale": "0.1:10:log:12"},
  drawn_along=("bias_scale", "bias"),
  seconds=88,
  figure="analysis.paper.tanh_saturation",
  tiny={**TINY, "cells": "rnn", "input_scale": "0.1,1"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
