"""Training runs as points: their settings, and what those settings mean.

A training run is a point like any other; its block are the seeds that share all settings, and train at once under `vmap`.
"""

from collections.abc import Mapping
from functools import cache
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array
import optax

from experiments import pairs, text
from experiments.data import DATA_TASKS, data_task
from experiments.grid import NON_NEGATIVE, POSITIVE_INT, Point, Setting, number_text, one_of
from experiments.grid import SETTINGS as NET_SETTINGS
import recurrent_lab as rl
from recurrent_lab import training
from recurrent_lab.cells import recommended
from recurrent_lab.initializers import chrono
from recurrent_lab.tasks import TASKS, Task, get_task, language
from recurrent_lab.tasks.translation import translation

_POSITIVE = (lambda v: 0 < v < math.inf, "a finite number above 0")
_COUNT_OR_NONE = (lambda v: v >= 0, "a whole number of 0 or more")


def _is_bias(text: str) -> bool:
  try:
    return text == "chrono" or math.isfinite(float(text))
  except ValueError:
    return False


def _bias(text: str) -> str:
  """A bias as points hold it, so that 1, 1.0 and 1e0 are one."""
  return number_text(text) if _is_bias(text) and text != "chrono" else text


SETTINGS: Mapping[str, Setting] = {
  "cells": NET_SETTINGS["cells"],
  "layers": Setting(int, "1", "cells on top of each other", *POSITIVE_INT, units="1"),
  "hidden_size": NET_SETTINGS["hidden_size"],
  "task": Setting(str, "adding", "what to learn", *one_of((*TASKS, *DATA_TASKS))),
  "length": Setting(
    int, "100", "the length, lag or delay of the task (digits have their own)", *POSITIVE_INT, units="steps"
  ),
  "batch": Setting(int, "64", "sequences in a batch", *POSITIVE_INT, units="1"),
  "updates": Setting(int, "5000", "updates at the most", *POSITIVE_INT, units="updates"),
  "stop": Setting(str, "solved", "stop when all seeds have solved the task, or never", *one_of(("solved", "never"))),
  "optimizer": Setting(str, "adam", "an optimiser of optax", *one_of(tuple(training.OPTIMIZERS))),
  "learning_rate": Setting(float, "0.001", "of the optimiser", *_POSITIVE, units="1"),
  "clip": Setting(str, "global_norm", "how the gradient is clipped", *one_of(tuple(training.CLIPS))),
  "clip_at": Setting(float, "1", "where it is clipped", *_POSITIVE, units="1"),
  "omega": Setting(float, "0", "weight of Pascanu's regulariser Ω", *NON_NEGATIVE, units="1"),
  "k1": Setting(
    int, "0", "truncated BPTT: steps between two backward passes, 0 for full BPTT", *_COUNT_OR_NONE, units="steps"
  ),
  "k2": Setting(int, "0", "truncated BPTT: steps that each goes back, 0 for full BPTT", *_COUNT_OR_NONE, units="steps"),
  "floss": Setting(int, "0", "updates of gradient flossing before training", *_COUNT_OR_NONE, units="updates"),
  "floss_k": Setting(int, "16", "exponents that flossing pushes to 0", *POSITIVE_INT, units="1"),
  "init": Setting(
    str, "flags", "weights from the flags below, or the lab's recommendation", *one_of(("flags", "recommended"))
  ),
  "recurrent_init": NET_SETTINGS["recurrent_init"],
  "ws": NET_SETTINGS["ws"]._replace(traced=False),
  "input_gain": Setting(float, "1", "input weights have standard deviation input_gain / √I", *NON_NEGATIVE, units="1"),
  "output_gain": Setting(
    float, "1", "readout weights have standard deviation output_gain / √H", *NON_NEGATIVE, units="1"
  ),
  "forget_bias": Setting(
    str,
    "0",
    "bias of the gate that keeps the state",
    _is_bias,
    "a finite number, or chrono",
    canonical=_bias,
    units="1",
  ),
}


TOKEN_TASKS = ("language", "translation")  # whose inputs are integers


class Run(NamedTuple):
  """What the settings of a run mean."""

  cell: rl.Cell
  task: Task
  gradient: training.Gradient
  optimizer: optax.GradientTransformation
  clip: optax.GradientTransformation


# Beyond those of other training runs: what a text is read from, and as what.
TEXT_SETTINGS: Mapping[str, Setting] = {
  "corpus": Setting(
    str,
    "auto",
    "the text: kjv (an extra), grammar (built in), a file, or auto (kjv if installed, else grammar)",
    lambda name: True,
    "kjv, grammar, auto, or the path of a UTF-8 text",
    canonical=lambda name: text.canonical(text.default_corpus() if name == "auto" else name),
  ),
  "unit": Setting(str, "word", "what a token is", *one_of(text.UNITS)),
  "vocabulary": Setting(
    int,
    "8000",
    "tokens told apart, with the unknown and the sentence token; 0 for all",
    *_COUNT_OR_NONE,
    units="tokens",
  ),
}


def task_of(point: Point) -> Task:
  """The task of a run; equal settings give the identical one."""
  p: Any = point
  return _task(p["task"], p["length"], *(p.get(name) for name in (*TEXT_SETTINGS, "noise", "pairs")))


@cache
def _task(name: str, length: int, corpus: str | None, unit: str, vocabulary: int, noise: float, of: str | None) -> Task:
  try:
    if name == "language":
      assert corpus is not None
      tokens = text.load(corpus, unit, vocabulary)
      return language(tokens.train, tokens.valid, len(tokens.vocabulary), length, noise)
    if name == "translation":
      assert of is not None
      both = pairs.load(of, length, vocabulary).corpus
      return translation(
        both.source, both.target, len(both.source_words), len(both.target_words), test_share=pairs.TEST_SHARE
      )
    return data_task(name) if name in DATA_TASKS else get_task(name, length)
  except ImportError as error:
    raise ValueError(f"--task: {error}") from None
  except text.TextError as error:
    raise ValueError(f"--{'pairs' if name == 'translation' else 'corpus'}: {error}") from None
  except ValueError as error:
    raise ValueError(f"--length: {error}") from None


def build(point: Point) -> Run:
  """The parts of a run; nothing is computed.

  Raises:
    ValueError: if the settings do not go together.
  """
  p: Any = point
  base = rl.get_cell(p["cell"])
  cell = base if p["layers"] == 1 else rl.stack(*[base] * p["layers"])
  task = task_of(point)
  k1, k2 = p["k1"], p["k2"]
  if (k1 == 0) != (k2 == 0) or k1 > k2:
    raise ValueError(f"Truncated BPTT has k1 = {k1} and k2 = {k2}; it needs 1 ≤ k1 ≤ k2, or 0 for both.")
  if task.name in TOKEN_TASKS and (p["omega"] or p["floss"]):
    raise ValueError(f"omega and floss are not defined for the tokens of {task.name}; both must be 0.")
  if task.source_size and k1:
    raise ValueError(f"Truncated BPTT is not defined for the two nets of {task.name}; k1 and k2 must be 0.")
  if k1 and p["omega"]:
    raise ValueError(f"omega is {p['omega']:g} with k1 = {k1}; Ω is defined for full BPTT, so one of them must be 0.")
  if p["forget_bias"] == "chrono" and task.steps <= 2:
    raise ValueError(f"Chrono biases need more than the {task.steps} steps of this task.")
  if p["floss"] and p["floss_k"] > p["hidden_size"]:
    raise ValueError(f"floss_k is {p['floss_k']}; it must not exceed the {p['hidden_size']} units.")
  if k1:
    gradient = training.truncated_gradient(cell, task, k1, k2)
  elif p["omega"]:
    gradient = training.omega_gradient(cell, task, p["omega"])
  else:
    gradient = training.full_gradient(cell, task)
  return Run(
    cell=cell,
    task=task,
    gradient=gradient,
    optimizer=training.optimizer(
      p["optimizer"], p["learning_rate"], p["updates"] if p.get("decay") == "cosine" else None
    ),
    clip=training.clipping(p["clip"], p["clip_at"]),
  )


def initial_params(point: Point, key: Array) -> Any:
  """The parameters before training and flossing."""
  p: Any = point
  run = build(point)
  k_params, k_biases = jax.random.split(key)
  dtype = jnp.float64 if p["x64"] else jnp.float32
  if p["init"] == "recommended":
    options = recommended(p["cell"], k_biases, p["hidden_size"], run.task.steps)
  else:
    options = {"recurrent_gain": p["ws"], "recurrent_init": p["recurrent_init"], "input_gain": p["input_gain"]}
    if p["forget_bias"] == "chrono":
      options |= chrono(k_biases, p["hidden_size"], run.task.steps, dtype)
    else:
      options |= {"forget_bias": float(p["forget_bias"])}
  return training.init_params(
    k_params, run.cell, run.task, p["hidden_size"], output_gain=p["output_gain"], **options, dtype=dtype
  )
