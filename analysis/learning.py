"""Draws all figures of the learning study, from training runs.

python -m analysis.learning --results=results --out=figures
"""

import sys

from analysis import (
  adding,
  copy_memory,
  error_surface,
  flossing,
  gradient_dynamics,
  solvable_lag,
  temporal_order,
)
from analysis.figure import main

LEARNING = tuple(
  module.PLOT
  for module in (
    # Where the gradient explodes, ...
    error_surface,
    temporal_order,
    # ... where it vanishes, and what gates and their biases do about it, ...
    adding,
    gradient_dynamics,
    copy_memory,
    # ... and whether the exponents decide what is learned.
    solvable_lag,
    flossing,
  )
)

if __name__ == "__main__":
  sys.exit(main(*LEARNING, doc=__doc__))
