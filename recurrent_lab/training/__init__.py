"""Training by backpropagation through time: updates, clipping, regularizers, the gathered reverse pass, many devices.

Gradients forward in time, which online learning uses, are in `online`.
"""

from recurrent_lab._gradient import Gradient as Gradient  # a type: (params, batch) -> (loss, gradient)
from recurrent_lab.training.clips import clip_by_global_norm, clip_by_unit_norm
from recurrent_lab.training.gathered import reverse_unroll
from recurrent_lab.training.online import online_gradient, online_gradient_by_lag
from recurrent_lab.training.optimizers import OPTIMIZERS, optimizer
from recurrent_lab.training.parallel import data_parallel
from recurrent_lab.training.regularizers import adjoints, flossing, omega
from recurrent_lab.training.updates import (
  CLIPS,
  StepInfo,
  TrainState,
  clipping,
  evaluate,
  flossing_gradient,
  full_gradient,
  init_params,
  init_state,
  lookup,
  omega_gradient,
  predict,
  train_step,
  truncated_gradient,
)

__all__ = [
  "CLIPS",
  "OPTIMIZERS",
  "StepInfo",
  "TrainState",
  "adjoints",
  "clip_by_global_norm",
  "clip_by_unit_norm",
  "clipping",
  "data_parallel",
  "evaluate",
  "flossing",
  "flossing_gradient",
  "full_gradient",
  "init_params",
  "init_state",
  "lookup",
  "omega",
  "omega_gradient",
  "online_gradient",
  "online_gradient_by_lag",
  "optimizer",
  "predict",
  "reverse_unroll",
  "train_step",
  "truncated_gradient",
]
