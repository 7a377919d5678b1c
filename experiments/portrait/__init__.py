"""The portrait of a random net: its settings, how it is drawn, and the measures that studies of random nets share."""

from experiments.portrait.certified import is_positive
from experiments.portrait.growth import GROWTH
from experiments.portrait.measures import (
  EXPONENT,
  GATE,
  LAG,
  LARGEST,
  PORTRAIT,
  STANDARD_ERROR,
  STATE_INDEX,
  portrait_of,
)
from experiments.portrait.nets import Sample, cell_of, check_options, draw, gates, state_size
from experiments.portrait.predicted import PREDICTED
from experiments.portrait.settings import SETTINGS, Net
from experiments.portrait.stored import DrawnNet, net_of

__all__ = [
  "EXPONENT",
  "GATE",
  "GROWTH",
  "LAG",
  "LARGEST",
  "PORTRAIT",
  "PREDICTED",
  "SETTINGS",
  "STANDARD_ERROR",
  "STATE_INDEX",
  "DrawnNet",
  "Net",
  "Sample",
  "cell_of",
  "check_options",
  "draw",
  "gates",
  "is_positive",
  "net_of",
  "portrait_of",
  "state_size",
]
