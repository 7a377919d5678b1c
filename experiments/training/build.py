"""The parts of a training run: what its settings mean."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array
import optax

from experiments.portrait.own import cell_of, init_options
from experiments.training.settings import SETTINGS, RunSettings
import recurrent_lab as rl
from recurrent_lab import training
from recurrent_lab.cells import recommended
from recurrent_lab.initializers import chrono
from recurrent_lab.options import shared_options
from recurrent_lab.tasks import Task

TOKEN_TASKS = ("language", "translation")  # their inputs are integers
# The settings of `--init=flags` that a cell may lack -> the option of its `init`.
OPTIONS: Mapping[str, str] = {
  "ws": "recurrent_gain",
  "recurrent_init": "recurrent_init",
  "input_gain": "input_gain",
  "forget_bias": "forget_bias",
}


class Run(NamedTuple):
  """The parts of a run.

  Attributes:
    cell: one cell, or a stack of them.
    task: what it learns.
    gradient: how its gradient is computed.
    optimizer: of optax.
    clip: of optax.
  """

  cell: rl.Cell
  task: Task
  gradient: training.Gradient
  optimizer: optax.GradientTransformation
  clip: optax.GradientTransformation


def build(settings: RunSettings) -> Run:
  """Returns the parts of a run; nothing is computed.

  Raises:
    ValueError: if the settings do not go together.
  """
  cell, task = settings.make_cell(), settings.make_task()
  _check_options(settings, cell)
  k1, k2 = settings.k1, settings.k2
  if (k1 == 0) != (k2 == 0) or k1 > k2:
    raise ValueError(f"Truncated BPTT has k1 = {k1} and k2 = {k2}; it needs 1 ≤ k1 ≤ k2, or 0 for both.")
  if task.name in TOKEN_TASKS and (settings.omega or settings.floss or settings.floss_every):
    raise ValueError(f"omega and floss are not defined for the tokens of {task.name}; both must be 0.")
  if task.source_size and k1:
    raise ValueError(f"Truncated BPTT is not defined for the two nets of {task.name}; k1 and k2 must be 0.")
  if k1 and settings.omega:
    raise ValueError(
      f"omega is {settings.omega:g} with k1 = {k1}; Ω is defined for full BPTT, so one of them must be 0."
    )
  if settings.forget_bias == "chrono" and task.steps <= 2:
    raise ValueError(f"Chrono biases need more than the {task.steps} steps of this task.")
  if (settings.floss_every == 0) != (settings.floss_updates == 0):
    raise ValueError(
      f"floss_every is {settings.floss_every} and floss_updates {settings.floss_updates}; both must be 0, or neither."
    )
  if (settings.floss or settings.floss_every) and task.steps % settings.floss_interval:
    raise ValueError(f"floss_interval is {settings.floss_interval}; it must divide the {task.steps} steps of the task.")
  if (settings.floss or settings.floss_every) and settings.floss_k > settings.units():
    raise ValueError(f"floss_k is {settings.floss_k}; it must not exceed the {settings.units()} units.")
  _check_own(settings, cell, task)
  if k1:
    gradient = training.truncated_gradient(cell, task, k1, k2)
  elif settings.omega:
    gradient = training.omega_gradient(cell, task, settings.omega)
  else:
    gradient = training.full_gradient(cell, task)
  return Run(
    cell=cell,
    task=task,
    gradient=gradient,
    optimizer=training.optimizer(
      settings.optimizer, settings.learning_rate, settings.updates if settings.decay == "cosine" else None
    ),
    clip=training.clipping(settings.clip, settings.clip_at),
  )


def _check_options(settings: RunSettings, cell: rl.Cell) -> None:
  """Raises a `ValueError` for a setting that the cell has not, unless it has its default value."""
  if settings.init == "recommended":
    return
  has = [setting for setting, option in OPTIONS.items() if option in shared_options(cell)]
  for setting in OPTIONS:
    value, default = getattr(settings, setting), SETTINGS[setting].kind(SETTINGS[setting].default)
    if setting not in has and value != default:
      named = ", ".join(has) or "none of these settings"
      raise ValueError(f"Cell {settings.cell!r} has no {setting}, which is {value}; with --init=flags it has {named}.")


def _check_own(settings: RunSettings, cell: rl.Cell, task: Task) -> None:
  """Raises a `ValueError` if a cell of the user cannot be made with these settings, or does not fit its readout."""
  if settings.cell in rl.CELLS or task.source_size:
    return
  units, own = settings.units(), init_options({"cell": settings.cell, **dict(settings.own)}, {})

  def output(seed: int, x: Array) -> Array:
    params = cell.init(jax.random.key(seed), task.input_size, units, **own)
    return cell.step(params, cell.initial_state(params), x)[1]

  try:
    shape = jax.eval_shape(output, 0, jax.ShapeDtypeStruct((task.input_size,), jnp.float32)).shape
  except (TypeError, ValueError) as error:  # it may take other arguments
    raise ValueError(f"Cell {settings.cell!r}: {str(error).splitlines()[0]}") from None
  if shape != (units,):
    raise ValueError(
      f"Cell {settings.cell!r} puts out an array {list(shape)}, but the readout takes one number per unit."
    )


@cache
def check_settings(settings: RunSettings) -> None:
  """Raises a `ValueError` if settings do not go together, or if their cell cannot have these sizes or options.

  Only shapes are computed, since JAX must not start before the launch has chosen its devices.
  """
  build(settings)
  settings.units()
  try:
    with jax.enable_x64(settings.x64):
      jax.eval_shape(lambda seed: initial_params(settings, jax.random.key(seed)), 0)
  except ValueError as error:
    raise ValueError(f"Cell {settings.cell!r}: {str(error).splitlines()[0]}") from None


def initial_params(settings: RunSettings, key: Array) -> Any:
  """Returns the parameters before training and flossing."""
  run = build(settings)
  units = settings.units()
  k_params, k_biases = jax.random.split(key)
  dtype = jnp.float64 if settings.x64 else jnp.float32
  if settings.init == "recommended":
    options = recommended(cell_of({"cell": settings.cell, **dict(settings.own)}), k_biases, units, run.task.steps)
  else:
    options = {
      "recurrent_gain": settings.ws,
      "recurrent_init": settings.recurrent_init,
      "input_gain": settings.input_gain,
    }
    if settings.forget_bias == "chrono":
      options |= chrono(k_biases, units, run.task.steps, dtype)
    else:
      options |= {"forget_bias": float(settings.forget_bias)}
  has = shared_options(run.cell)
  options = {name: value for name, value in (options | {"dtype": dtype}).items() if name in has}
  own = init_options({"cell": settings.cell, **dict(settings.own)}, {})
  return training.init_params(k_params, run.cell, run.task, units, output_gain=settings.output_gain, **options, **own)
