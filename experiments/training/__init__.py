"""Training runs: their settings, how a block of them is trained, logged and resumed, and the measures that studies share."""

from experiments.training.build import Run, build, check_settings
from experiments.training.measures import TRAIN, After, followed_by, trained_as
from experiments.training.runs import final_states
from experiments.training.settings import SETTINGS, RunSettings, task_of
from experiments.training.sizes import TRAIN_EQUAL
from experiments.training.stored import TrainedNet, params_of, trained_net

__all__ = [
  "SETTINGS",
  "TRAIN",
  "TRAIN_EQUAL",
  "After",
  "Run",
  "RunSettings",
  "TrainedNet",
  "build",
  "check_settings",
  "final_states",
  "followed_by",
  "params_of",
  "task_of",
  "trained_as",
  "trained_net",
]
