"""How long does a net remember as the bias of its forget gate grows?

Claim (introduction): the forget gate is the key part of the LSTM; open, it keeps the product near 1.
Measures the same portrait as `recurrent_gain`, against the bias of LSTM f and GRU z (the RNN has none and stays flat).

    python -m experiments.forget_bias                           about 2 minutes on two cores
    python -m experiments.forget_bias --ws=0.001 --seq_len=1000  close to W = 0, where the closed form holds

Expect: a memory length close to -1 / ln σ(b_f) while the recurrent weights stay out of the way.
"""

import sys

from experiments.measure import PORTRAIT
from experiments.runner import Experiment, main

EXPERIMENT = Experiment("forget_bias", __doc__, PORTRAIT, {"forget_bias": "-2:6:17"})

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
