"""Random nets: drawn from the key of a point."""

from collections.abc import Mapping
import functools
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait.settings import SETTINGS, Net
import recurrent_lab as rl
from sweepkit import Point
from sweepkit.points import read


def cell_of(static: Point) -> rl.Cell:
  """The cell of a point."""
  return rl.get_cell(str(static["cell"]))


# The settings that a cell may lack -> the option of its `init`.
OPTIONS = {
  "ws": "recurrent_gain",
  "recurrent_init": "recurrent_init",
  "bias_scale": "bias_scale",
  "forget_bias": "forget_bias",
}


@functools.cache
def settings_of(name: str, input_size: int, hidden_size: int) -> tuple[str, ...]:
  """Returns the settings that a cell has, of those that a cell may lack.

  Nothing is computed, since JAX must not start before the launch has chosen its devices.

  Raises:
    ValueError: if the cell cannot have these sizes.
  """
  cell = rl.get_cell(name)
  params = jax.eval_shape(lambda seed: cell.init(jax.random.key(seed), input_size, hidden_size), 0)
  x = jax.ShapeDtypeStruct((input_size,), jnp.float32)
  jax.eval_shape(lambda params, x: cell.step(params, cell.initial_state(params), x), params, x)
  has = tuple(setting for setting, option in OPTIONS.items() if option in cell.options)
  return (*has, "bias") if hasattr(params, "bias") else has


def check_options(point: Point) -> None:
  """Raises a `ValueError` for sizes that the cell of a point cannot have, or for a setting that it has not.

  A setting that a cell has not may have its default value.
  """
  net = read(Net, point)
  try:
    has = settings_of(net.cell, net.input_size, net.hidden_size)
  except ValueError as error:
    raise ValueError(f"Cell {net.cell!r}: {str(error).splitlines()[0]}") from None
  for setting in (*OPTIONS, "bias"):
    default = SETTINGS[setting].kind(SETTINGS[setting].default)
    if setting not in has and point[setting] != default:
      named = ", ".join(has) or "none of these settings"
      raise ValueError(f"Cell {net.cell!r} has no {setting}, which is {point[setting]}; it has {named}.")


class Sample(NamedTuple):
  """One random net and what is put in."""

  params: Any
  xs: Array  # [T, I]
  state: Any  # S_0
  key: Array  # for whatever else is random


def draw(
  static: Point, key: Array, values: Mapping[str, Array], chosen: Mapping[str, Any] = MappingProxyType({})
) -> Sample:
  """Random parameters, inputs and initial state of a point.

  `chosen` are options of `init` that take the place of those from the flags.

  The inputs are white: Gaussian, independent at every step and in every channel, with standard deviation `input_scale`.
  With `input=zero` there are none, and the state starts Gaussian with standard deviation 1, since a net at 0 stays there.
  """
  net, cell = read(Net, static), cell_of(static)
  dtype = jnp.float64 if net.x64 else jnp.float32
  shape = net.seq_len, net.input_size
  k_params, k_inputs, k_state, k_rest = jax.random.split(key, 4)
  options = {
    "recurrent_gain": values["ws"],
    "recurrent_init": net.recurrent_init,
    "bias_scale": values["bias_scale"],
    "forget_bias": values["forget_bias"],
    "dtype": dtype,
  }
  options = {name: value for name, value in (options | dict(chosen)).items() if name in cell.options}
  params = cell.init(k_params, net.input_size, net.hidden_size, **options)
  if hasattr(params, "bias"):
    params = params._replace(bias=params.bias + values["bias"].astype(dtype))
  state = cell.initial_state(params)
  if net.input == "white":
    xs = values["input_scale"].astype(dtype) * jax.random.normal(k_inputs, shape, dtype)
  else:
    xs = jnp.zeros(shape, dtype)
    leaves, structure = jax.tree.flatten(state)
    keys = jax.random.split(k_state, len(leaves))
    state = jax.tree.unflatten(
      structure, [jax.random.normal(k, leaf.shape, dtype) for k, leaf in zip(keys, leaves, strict=True)]
    )
  return Sample(params, xs, state, k_rest)


def gates(cell: rl.Cell) -> list[str]:
  """The names of the nonlinearities of a cell, without running it."""
  assert cell.probe is not None
  params = cell.init(jax.random.key(0), 1, 8)
  return list(jax.eval_shape(cell.probe, params, cell.initial_state(params), jnp.zeros((1,))))


def state_size(static: Point) -> int:
  """The number n of entries of the state of a point's net."""
  cell = cell_of(static)
  params = jax.eval_shape(lambda key: cell.init(key, 1, read(Net, static).hidden_size), jax.random.key(0))
  return sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(cell.initial_state, params)))
