"""Where does the product of Jacobians go as the recurrent weight W_s grows?

Claim (introductions; Pascanu et al., 2013): below a critical W_s the product vanishes, above it explodes.
Measures, per cell, W_s and seed: ln ‖∏ J‖ and ln ‖∂L_T/∂S_k‖ by lag, singular values, growth rate, memory, saturation.

    python -m experiments.recurrent_gain
    python -m experiments.recurrent_gain --ws=0.25:4:16 --input=zero         without input
    python -m experiments.recurrent_gain --cells=rnn --recurrent_init=orthogonal

Expect: tanh RNN at input scale 1 crosses growth rate 0 near W_s = 1.86.
"""

import sys

from experiments.portrait import PORTRAIT
from experiments.portrait.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.recurrent_gain",
  __doc__,
  PORTRAIT,
  {"ws": "0.5:6:12"},
  seconds=75,
  figure="analysis.paper.recurrent_gain",
  tiny={**TINY, "ws": "0.5,1,2"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
