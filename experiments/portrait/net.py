"""What is measured at one point of a sweep: a portrait of the gradient dynamics of a random net.

Parameters, inputs and target are drawn from the point's key, the cell runs from its initial state, and the product of
Jacobians is followed from the last step back. Everything is a pure function of arrays, so that a block of points is one
jitted, vmapped call. Dimensions: lag 0 … T counts steps back from the last; `norm`, `gate`, `sv_lag` and `index` are labelled.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from sweepkit.store.attributes import Quantity
from sweepkit.points import SETTINGS, Point, Setting
import recurrent_lab as rl
from recurrent_lab.activations import Saturation


class Measure(NamedTuple):
  """A measurement of points.

  Attributes:
    run: `(static, key, values) -> {name: array}` for one point, pure, to be jitted and vmapped over a block; `static`
      determines the program, `values` are the traced settings. If `keeps_files`, `(points, folder, checkpoint_seconds) ->
      {name: array}` for a whole block, too long for one call: interrupted, it is called with the same arguments and goes on.
    dims: name -> names of the axes of that array, after that of the points.
    coords: `static -> {axis name: labels}`.
    may_be_infinite: names whose +inf is an answer (a norm that never falls has an infinite memory), not a failure.
    may_be_nan: names whose NaN says that there is nothing to report (what comes after the end of a run).
    dropped: the name of a count of updates that were left out; a point where it is above 0 has the status `updates_dropped`.
    settings: what can be fixed or varied.
    check: raises a `ValueError` for a point whose settings do not go together.
    keeps_files: which kind of `run` it is.
    remarks: `(points to compute, points stored) -> sentences` that a launch says before it computes.
    headline: what a summary shows: name -> unit, the most telling first; of an array its first entry.
    quantities: what the arrays and the labels of their axes are, with units: the attributes of the dataset.
  """

  run: Callable[..., dict[str, Any]]
  dims: Mapping[str, Sequence[str]]
  coords: Callable[[Point], dict[str, list[Any]]]
  may_be_infinite: Sequence[str] = ()
  may_be_nan: Sequence[str] = ()
  dropped: str | None = None
  settings: Mapping[str, Setting] = SETTINGS
  check: Callable[[Point], Any] = lambda point: None
  keeps_files: bool = False
  remarks: Callable[[Sequence[Point], Sequence[Point]], Iterable[str]] = lambda missing, stored: ()
  headline: Mapping[str, str] = MappingProxyType({})
  quantities: Mapping[str, Quantity] = MappingProxyType({})


def point_key(seed: Any, words: Any) -> Array:
  """The random key of a point: its seed, and the 64 bits of its content (`grid.key_words`)."""
  return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), words[0]), words[1])


class Sample(NamedTuple):
  """One random net and what is put in."""

  params: Any
  xs: Array  # [T, I]
  state: Any  # S_0
  key: Array  # for whatever else is random


def draw(static: Point, key: Array, values: Mapping[str, Array]) -> Sample:
  """Random parameters, inputs and initial state of a point.

  The inputs are white: Gaussian, independent at every step and in every channel, with standard deviation `input_scale`.
  With `input=zero` there are none, and the state starts Gaussian with standard deviation 1, since a net at 0 stays there.
  """
  cell = rl.get_cell(str(static["cell"]))
  dtype = jnp.float64 if static["x64"] else jnp.float32
  steps, inputs = int(static["seq_len"]), int(static["input_size"])
  k_params, k_inputs, k_state, k_rest = jax.random.split(key, 4)
  params = cell.init(
    k_params,
    inputs,
    int(static["hidden_size"]),
    recurrent_gain=values["ws"],
    recurrent_init=static["recurrent_init"],
    bias_scale=values["bias_scale"],
    forget_bias=values["forget_bias"],
    dtype=dtype,
  )
  params = params._replace(bias=params.bias + values["bias"].astype(dtype))
  state = cell.initial_state(params)
  if static["input"] == "white":
    xs = values["input_scale"].astype(dtype) * jax.random.normal(k_inputs, (steps, inputs), dtype)
  else:
    xs = jnp.zeros((steps, inputs), dtype)
    leaves, structure = jax.tree.flatten(state)
    keys = jax.random.split(k_state, len(leaves))
    state = jax.tree.unflatten(
      structure, [jax.random.normal(k, leaf.shape, dtype) for k, leaf in zip(keys, leaves, strict=True)]
    )
  return Sample(params, xs, state, k_rest)


def singular_value_lags(steps: int) -> list[int]:
  """A few lags: one step, a twentieth and a quarter of the sequence."""
  return sorted({1, max(1, steps // 20), max(1, steps // 4)})


def gates(cell_name: str) -> list[str]:
  """The names of the nonlinearities of a cell, without running it."""
  cell = rl.get_cell(cell_name)
  assert cell.probe is not None
  params = cell.init(jax.random.key(0), 1, 1)
  return list(jax.eval_shape(cell.probe, params, cell.initial_state(params), jnp.zeros((1,))))


def portrait(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The portrait of a random net."""
  return portrait_of(static, draw(static, key, values))


def portrait_of(static: Point, sample: Sample) -> dict[str, Array]:
  """Log norms of the product and of the adjoint by lag, singular values, growth, memory length and saturation."""
  cell = rl.get_cell(str(static["cell"]))
  params, xs, state, key = sample
  steps = xs.shape[0]

  def norms(product: rl.ScaledMatrix) -> Array:
    return jnp.stack([norm(product) for norm in rl.NORMS.values()])

  _, log_norm = rl.products_by_lag(norms, cell, params, xs, state)  # [T, norm]
  growth = jax.vmap(rl.growth_rate, in_axes=1)(log_norm)

  target = jax.random.normal(key, (int(static["hidden_size"]),), xs.dtype)
  log_adjoint = rl.adjoint_log_norms(
    lambda outputs: 0.5 * jnp.sum((target - outputs[-1]) ** 2), cell, params, xs, state
  )

  saturations = {name: rl.saturation(a) for name, a in rl.activities(cell, params, xs, state).items()}
  stacked = Saturation(
    *(jnp.stack(field) for field in zip(*(saturations[g] for g in gates(str(static["cell"]))), strict=True))
  )
  return {
    "log_norm": jnp.concatenate([jnp.zeros_like(log_norm[:1]), log_norm]).T,
    "log_adjoint_norm": log_adjoint[::-1],
    "log_singular_value": rl.product_log_singular_values(cell, params, xs, state, lags=singular_value_lags(steps)),
    "growth_rate": growth.rate,
    "growth_residual": growth.residual,
    "memory_length": rl.memory_length(growth.rate),
    "adjoint_growth_rate": rl.growth_rate(log_adjoint[:-1][::-1]).rate,
    "largest_exponent": rl.lyapunov_spectrum(cell, params, xs, state, k=1, burn_in=steps // 10).exponents[0],
    **stacked._asdict(),
  }


def portrait_coords(static: Point) -> dict[str, list[Any]]:
  cell = rl.get_cell(str(static["cell"]))
  params = jax.eval_shape(lambda key: cell.init(key, 1, int(static["hidden_size"])), jax.random.key(0))
  state_size = sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(cell.initial_state, params)))
  steps = int(static["seq_len"])
  return {
    "norm": list(rl.NORMS),
    "lag": list(range(steps + 1)),
    "sv_lag": singular_value_lags(steps),
    "index": list(range(state_size)),
    "gate": gates(str(static["cell"])),
  }


STATE_INDEX = Quantity("number of the direction, largest first", "1")
EXPONENT = Quantity("largest Lyapunov exponent λ₁", "nats per step")
STANDARD_ERROR = Quantity("standard error of the exponent", "nats per step")
LAG = Quantity("lag: steps back from the last", "steps")
GATE = Quantity("nonlinearity of the cell")

PORTRAIT = Measure(
  run=portrait,
  dims={
    "log_norm": ("norm", "lag"),
    "log_adjoint_norm": ("lag",),
    "log_singular_value": ("sv_lag", "index"),
    "growth_rate": ("norm",),
    "growth_residual": ("norm",),
    "memory_length": ("norm",),
    "adjoint_growth_rate": (),
    "largest_exponent": (),
    **dict.fromkeys(Saturation._fields, ("gate",)),
  },
  coords=portrait_coords,
  may_be_infinite=("memory_length",),
  headline={
    "growth_rate": "nats per step, of the spectral norm",
    "memory_length": "steps",
    "largest_exponent": "nats per step",
  },
  quantities={
    "log_norm": Quantity("ln of the norm of the Jacobian product", "nats"),
    "log_adjoint_norm": Quantity("ln of the norm of the adjoint", "nats"),
    "log_singular_value": Quantity("ln of the singular values of the Jacobian product", "nats"),
    "growth_rate": Quantity("growth rate of the norm of the Jacobian product", "nats per step"),
    "growth_residual": Quantity("root mean square distance of ln of the norm from a line", "nats"),
    "memory_length": Quantity("memory length: steps in which the norm falls by the factor e", "steps"),
    "adjoint_growth_rate": Quantity("growth rate of the norm of the adjoint", "nats per step"),
    "largest_exponent": EXPONENT,
    "mean_value": Quantity("mean of the nonlinearity", "1"),
    "mean_slope": Quantity("mean slope of the nonlinearity", "1"),
    "mean_log_slope": Quantity("mean of ln of the slope of the nonlinearity", "nats"),
    "share_high": Quantity("share of absolute values above 0.95", "1"),
    "share_low": Quantity("share of absolute values below 0.05", "1"),
    "norm": Quantity("matrix norm"),
    "lag": LAG,
    "sv_lag": Quantity("lag of the singular values", "steps"),
    "index": STATE_INDEX,
    "gate": GATE,
  },
)


def largest(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The largest Lyapunov exponent alone, after a quarter of the steps, with its standard error: cheap at every size."""
  params, xs, state, _ = draw(static, key, values)
  spectrum = rl.lyapunov_spectrum(rl.get_cell(str(static["cell"])), params, xs, state, k=1, burn_in=xs.shape[0] // 4)
  return {"largest_exponent": spectrum.exponents[0], "standard_error": spectrum.standard_error[0]}


LARGEST = Measure(
  run=largest,
  dims={"largest_exponent": (), "standard_error": ()},
  coords=lambda static: {},
  headline={"largest_exponent": "nats per step"},
  quantities={"largest_exponent": EXPONENT, "standard_error": STANDARD_ERROR},
)
