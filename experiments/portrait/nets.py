"""Random nets: drawn from the key of a point."""

from collections.abc import Mapping
import functools
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from experiments.portrait.own import cell_of, init_options, settings_of_own, value_of
from experiments.portrait.settings import SETTINGS, Net
import recurrent_lab as rl
from recurrent_lab.options import own_options, shared_options
from sweepkit import Point
from sweepkit.points import read

# The settings that a cell may lack -> the option of its `init`.
OPTIONS = {
  "ws": "recurrent_gain",
  "recurrent_init": "recurrent_init",
  "bias_scale": "bias_scale",
  "forget_bias": "forget_bias",
}


@functools.cache
def settings_of(
  cell: rl.Cell, input_size: int, hidden_size: int, own: tuple[tuple[str, Any], ...] = (), traced: tuple[str, ...] = ()
) -> tuple[str, ...]:
  """Returns the settings that a cell has, of those that a cell may lack.

  Nothing is computed, since JAX must not start before the launch has chosen its devices.

  Args:
    cell: the cell.
    input_size: its inputs.
    hidden_size: its units.
    own: options of its own with their values.
    traced: further options of its own, whose values are traced.

  Raises:
    ValueError: if the cell cannot have these sizes or options.
  """
  init = lambda seed, numbers: cell.init(jax.random.key(seed), input_size, hidden_size, **dict(own), **numbers)
  params = jax.eval_shape(init, 0, dict.fromkeys(traced, 1.0))
  x = jax.ShapeDtypeStruct((input_size,), jnp.float32)
  jax.eval_shape(lambda params, x: cell.step(params, cell.initial_state(params), x), params, x)
  has = tuple(setting for setting, option in OPTIONS.items() if option in shared_options(cell))
  return (*has, "bias") if _has_bias(params) else has


def _has_bias(params: Any) -> bool:
  """Returns True for params of a NamedTuple with one bias, to which another can be added."""
  return hasattr(params, "_replace") and hasattr(params, "bias")


def _own_of(point: Mapping[str, Any], cell: rl.Cell) -> tuple[tuple[tuple[str, Any], ...], tuple[str, ...]]:
  """Returns the options of a cell's own that determine its program, with their values, and the names of the others."""
  settings = settings_of_own(str(point["cell"]))
  options = {name: one for name, one in own_options(cell).items() if name in point and name in settings}
  traced = tuple(name for name in options if settings[name].traced)
  return tuple((name, value_of(one, point[name])) for name, one in options.items() if name not in traced), traced


def check_options(point: Point) -> None:
  """Raises a `ValueError` for sizes or options that the cell of a point cannot have, or for a setting that it has not.

  A setting that a cell has not may have its default value.
  """
  net = read(Net, point)
  try:
    cell = cell_of(point)
    has = settings_of(cell, net.input_size, net.hidden_size, *_own_of(point, cell))
  except (TypeError, ValueError) as error:  # a cell of the user may take other arguments
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
  has = shared_options(cell)
  options = {name: value for name, value in (options | dict(chosen)).items() if name in has}
  params = cell.init(k_params, net.input_size, net.hidden_size, **options, **init_options(static, values))
  if _has_bias(params):
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


def _shapes(static: Point) -> Any:
  """The shapes of the params of a point's net."""
  net, cell = read(Net, static), cell_of(static)
  own = dict(_own_of(static, cell)[0])
  return jax.eval_shape(lambda key: cell.init(key, net.input_size, net.hidden_size, **own), jax.random.key(0))


def gates(static: Point) -> list[str]:
  """The names of the nonlinearities of a point's cell, without running it; none of a cell without a probe."""
  cell, params = cell_of(static), _shapes(static)
  probe = cell.probe
  if probe is None:
    return []
  x = jax.ShapeDtypeStruct((read(Net, static).input_size,), jnp.float32)
  return list(jax.eval_shape(lambda params, x: probe(params, cell.initial_state(params), x), params, x))


def state_size(static: Point) -> int:
  """The number n of entries of the state of a point's net."""
  cell, params = cell_of(static), _shapes(static)
  return sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(cell.initial_state, params)))
