"""Draws all figures of the paper, in the order of the argument.

python -m analysis.paper --results=results --out=figures
"""

import sys

from analysis import forget_bias, product_by_lag, recurrent_gain, tanh_saturation, tanh_slope, zero_or_one
from analysis.figure import main

PLOTS = tuple(
  module.PLOT for module in (product_by_lag, recurrent_gain, tanh_saturation, forget_bias, tanh_slope, zero_or_one)
)

if __name__ == "__main__":
  sys.exit(main(*PLOTS))
