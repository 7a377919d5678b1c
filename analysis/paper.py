"""Draws all figures of the paper, in the order of the argument.

python -m analysis.paper --results=results --out=figures
"""

import sys

from analysis import (
  activation_choice,
  forget_bias,
  isometry,
  lyapunov,
  one_unit,
  phase_gates,
  phase_input,
  product_by_lag,
  recurrent_gain,
  shrinking,
  tanh_saturation,
  tanh_slope,
  three_views,
  transient_growth,
  zero_or_one,
)
from analysis.figure import main

PLOTS = tuple(
  module.PLOT
  for module in (
    # Where the product goes, ...
    product_by_lag,
    recurrent_gain,
    three_views,
    one_unit,
    transient_growth,
    # ... in all directions and for other activations, ...
    lyapunov,
    isometry,
    activation_choice,
    # ... what saturation and input do to it, ...
    tanh_saturation,
    shrinking,
    phase_input,
    # ... and gates.
    forget_bias,
    phase_gates,
    tanh_slope,
    zero_or_one,
  )
)

if __name__ == "__main__":
  sys.exit(main(*PLOTS, doc=__doc__))
