"""Can gradient ascent on λ₁ make a cell chaotic that is said to be free of chaos?

Claims: without input no parameters make the chaos-free network chaotic (Laurent & von Brecht, 2017), and the recurrence of Mamba
has λ₁ ≤ 0 for all parameters and inputs (Halloran et al., 2025). From random parameters, Adam raises the growth of a
volume of four tangents over half a window. The parameters whose first tangent grew most are measured again over a long trajectory
with new inputs; λ₁ counts as positive above 5 standard errors. The CFN is that of the paper, so its b_c stays 0.

    python -m experiments.chaos_search

Expect: RNN, LSTM and GRU chaotic under every input. CFN: without input |h_t| shrinks in every unit and λ₁ = max ln σ(b_f),
which rises to 0 from below. With input h ≈ σ(h U_i) ⊗ tanh(x W_c) is a sigmoid net, which no bound holds: chaotic, also where
x is constant. Min GRU, LRU, S6 and Mamba-2 have factors below 1 by construction, so λ₁ < 0 always; DeltaNet has norm 1 at most,
so λ₁ ≤ 0. RWKV-7 shrinks in a norm that depends on a_t: λ₁ < 0 for constant x. White inputs switch norms, so λ₁ > 0 is possible;
as the cell is linear in its state, that is growth and not chaos.
Found: λ₁ > 0 in 12 of 12 RNNs, in 8 of 12 LSTMs and GRUs each, in the CFN with constant (1 of 4) and white input (4 of 4), and
in RWKV-7 with white input (4 of 4, λ₁ ≈ 0.07). The other LSTMs and GRUs end within 0.03 of 0; no other cell is above 0.
"""

from collections.abc import Callable, Mapping
from functools import partial
import sys
from typing import Any, NamedTuple

import jax
from jax import lax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float
import optax

from experiments.portrait import EXPONENT, SETTINGS, STANDARD_ERROR, cell_of, check_options, draw, is_positive
from experiments.portrait.settings import TINY
import recurrent_lab as rl
from recurrent_lab.cells import CFNParams
from recurrent_lab.scaled import norm
from sweepkit import Experiment, Measure, Point, Quantity, main
from sweepkit.settings import POSITIVE, Setting, one_of

CHAOTIC = ("rnn", "lstm", "gru")  # nothing is claimed about them
BOUNDED = ("min_gru", "lru", "s6", "mamba2", "delta_net")  # ‖J‖ ≤ 1 by construction
INPUTS = ("zero", "constant", "white")
# One tangent stops at the λ₁ = 0 of a limit cycle; the volume of four has a slope there. Gradients through more than about 10
# steps point anywhere once the net is chaotic. Chosen on the RNN, the LSTM and the CFN with 16 units and white or no input.
DIRECTIONS, SEGMENT, TRAJECTORIES = 4, 5, 4
ROWS = 20  # stored rows of the curve of the ascent


def held(params: Any) -> Any:
  """Returns the parameters with b_c = 0 in a CFN, which has no such bias in the paper."""
  if not isinstance(params, CFNParams):
    return params
  return params._replace(bias=params.bias.at[-params.bias.size // 3 :].set(0))


def orthonormal(rows: Float[Array, "k n"]) -> tuple[Float[Array, "k n"], Float[Array, "k"]]:
  """Returns orthonormal rows by Gram & Schmidt, and ln of the length of what each row adds. It is differentiable."""
  kept: list[Array] = []
  lengths = []
  for row in rows:
    for other in kept:
      row = row - (row @ other) * other
    size = norm(row)
    lengths.append(jnp.log(jnp.where(size > 0, size, 1)))
    kept.append(row / jnp.where(size > 0, size, 1))
  return jnp.stack(kept), jnp.stack(lengths)


class Tangents(NamedTuple):
  """A state and the tangents that follow it."""

  state: Float[Array, "n"]  # flat
  rows: Float[Array, "k n"]  # orthonormal


def window_growth(
  step: Callable[[Any, Array, Array], Array], params: Any, xs: Float[Array, "T I"], start: Tangents
) -> tuple[Float[Array, "k"], Tangents]:
  """Returns the growth of orthonormal tangents over the second half of a window, in nats per step, and where they end.

  The sum of the first i is the growth of a volume of i tangents. The first half brings the state to its attractor and turns the
  tangents. Gradients reach back to the start of a segment of `SEGMENT` steps alone. `step` is `(params, flat state, x) -> state`.
  """

  def one(at: Tangents, x: Array) -> tuple[Tangents, Array]:
    new, push = jax.linearize(lambda s: step(params, s, x), at.state)
    rows, growth = orthonormal(jax.vmap(push)(at.rows))
    return Tangents(new, rows), growth

  def segment(at: Tangents, xs: Array) -> tuple[Tangents, Array]:
    at, growth = lax.scan(one, lax.stop_gradient(at), xs)
    return at, jnp.sum(growth, axis=0)

  end, growth = lax.scan(segment, start, xs.reshape(-1, SEGMENT, xs.shape[1]))
  return jnp.mean(growth[growth.shape[0] // 2 :], axis=0) / SEGMENT, end


class Climb(NamedTuple):
  """An ascent after some updates."""

  params: Any
  moments: Any  # the state of Adam
  best: Any  # the parameters whose first tangents grew most so far, and the end of their trajectories
  growth: Array  # theirs, nats per step


def ascend(
  growth_of: Callable[[Any, Array], tuple[Array, Any]], params: Any, start: Any, keys: Array, learning_rate: ArrayLike
) -> tuple[Any, Any, Float[Array, "updates"]]:
  """Raises the sum of growth rates `(params, key) -> ([k], end)` by Adam on gradients of length 1, one update per key.

  A gradient that is not finite counts as 0. `start` has the structure of an end. Returns the parameters with the largest first
  rate, the end of their trajectories, and the first rate before every update.
  """
  adam = optax.adam(learning_rate)

  def total(params: Any, key: Array) -> tuple[Array, tuple[Array, Any]]:
    growth, end = growth_of(params, key)
    return jnp.sum(growth), (growth[0], end)

  def update(climb: Climb, key: Array) -> tuple[Climb, Array]:
    (_, (growth, end)), gradient = jax.value_and_grad(total, has_aux=True)(climb.params, key)
    size = norm(gradient)
    usable = jnp.isfinite(size) & (size > 0)
    downhill = jax.tree.map(lambda g: jnp.where(usable, -g / jnp.where(usable, size, 1), 0), gradient)
    moves, moments = adam.update(downhill, climb.moments)
    better = growth > climb.growth
    best = jax.tree.map(lambda new, old: jnp.where(better, new, old), (climb.params, end), climb.best)
    params = jax.tree.map(jnp.add, climb.params, moves)
    return Climb(params, moments, best, jnp.where(better, growth, climb.growth)), growth

  lowest = jnp.full((), -jnp.inf, jax.tree.leaves(params)[0].dtype)
  first = Climb(params, adam.init(params), (params, start), lowest)
  last, curve = lax.scan(update, first, keys)
  return *last.best, curve


def draw_inputs(kind: str, fixed: Array, key: Array, like: Float[Array, "T I"]) -> Float[Array, "T I"]:
  """Returns no input, one Gaussian input from the key `fixed` at all steps, or another from `key` at every step."""
  if kind == "zero":
    return jnp.zeros_like(like)
  if kind == "constant":
    return jnp.broadcast_to(jax.random.normal(fixed, like.shape[1:], like.dtype), like.shape)
  return jax.random.normal(key, like.shape, like.dtype)


def search(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """λ₁ of random parameters and of those that the ascent found, over long trajectories."""
  cell, kind, steps = cell_of(static), str(static["input"]), int(static["long_run"])
  params, zeros, state, key = draw(Point({**static, "input": "zero"}), key, values)
  k_fixed, k_climb, k_starts, k_long = jax.random.split(key, 4)
  flat, unravel = ravel_pytree(state)
  states = jax.random.normal(k_starts, (TRAJECTORIES, flat.size), flat.dtype)
  rows, _ = orthonormal(jax.random.normal(jax.random.key(0), (min(DIRECTIONS, flat.size), flat.size), flat.dtype))
  step = lambda params, s, x: ravel_pytree(cell.step(held(params), unravel(s), x)[0])[0]

  def of_one(params: Any, key: Array, state: Array) -> tuple[Array, Array]:
    growth, end = window_growth(step, params, draw_inputs(kind, k_fixed, key, zeros), Tangents(state, rows))
    return growth, end.state

  def growth_of(params: Any, key: Array) -> tuple[Array, Array]:
    growth, ends = jax.vmap(partial(of_one, params))(jax.random.split(key, TRAJECTORIES), states)
    return jnp.mean(growth, axis=0), ends[0]

  rate = values["learning_rate"].astype(flat.dtype)
  best, end, curve = ascend(growth_of, params, states[0], jax.random.split(k_climb, int(static["updates"])), rate)
  xs = draw_inputs(kind, k_fixed, k_long, jnp.zeros((steps, zeros.shape[1]), zeros.dtype))

  def measure(params: Any, start: Array) -> tuple[Array, Array]:
    found = rl.lyapunov_spectrum(cell, held(params), xs, unravel(start), k=1, burn_in=steps // 4)
    return found.exponents[0], found.standard_error[0]

  both = jax.tree.map(lambda *pair: jnp.stack(pair), (params, states[0]), (best, end))
  exponent, error = jax.vmap(measure)(*both)
  return {
    "exponent_before": exponent[0],
    "largest_exponent": exponent[1],
    "standard_error": error[1],
    "is_positive": is_positive(exponent[1], error[1], steps - steps // 4).astype(exponent.dtype),
    "window_growth": curve[jnp.asarray(logged(static))],
  }


def logged(static: Point) -> list[int]:
  """The updates before which the growth is stored."""
  updates = int(static["updates"])
  return list(range(0, updates, max(1, updates // ROWS)))


def check(point: Point) -> None:
  """Raises a `ValueError` for a window of another length, or a setting that the cell has not."""
  check_options(point)
  if int(point["seq_len"]) % (2 * SEGMENT):
    raise ValueError(f"seq_len is {point['seq_len']}; it must be a multiple of {2 * SEGMENT} steps.")


LENGTH = (lambda v: v >= 8, "a whole number of 8 or more")
OWN = {
  "input": Setting(
    str,
    "zero,constant,white",
    "zero: none; constant: one Gaussian input at all steps; white: another at every step",
    *one_of(INPUTS),
  ),
  "updates": Setting(int, "200", "updates of the ascent", *LENGTH, units="1"),
  "learning_rate": Setting(float, "0.1", "step size of Adam", *POSITIVE, True, units="1"),
  "long_run": Setting(
    int, "20000", "steps of the trajectory that decides, a quarter as burn-in", *LENGTH, units="steps"
  ),
}

MEASURE = Measure(
  run=search,
  settings={**SETTINGS, **OWN},
  check=check,
  dims={
    **dict.fromkeys(("exponent_before", "largest_exponent", "standard_error", "is_positive"), ()),
    "window_growth": ("update",),
  },
  coords=lambda static: {"update": logged(static)},
  headline={"largest_exponent": "nats per step, of what was found", "is_positive": "of the nets"},
  quantities={
    "exponent_before": Quantity("largest Lyapunov exponent of the random parameters", "nats per step"),
    "largest_exponent": EXPONENT,
    "standard_error": STANDARD_ERROR,
    "is_positive": Quantity("whether λ₁ is positive by more than 5 standard errors", "1"),
    "window_growth": Quantity("growth of the first tangent over the window of the ascent", "nats per step"),
    "update": Quantity("number of updates before", "1"),
  },
)

EXPERIMENT = Experiment(
  "experiments.chaos_search",
  __doc__,
  MEASURE,
  {
    "cells": ",".join((*CHAOTIC, "cfn", *BOUNDED, "rwkv7")),
    "hidden_size": "16",
    "input_size": "4",
    "seq_len": "200",
  },
  seeds=4,
  x64=True,
  seconds=1625,
  figure="analysis.landmarks.chaos_search",
  tiny={**TINY, "seq_len": "10", "cells": "cfn", "input": "white", "updates": "8", "long_run": "40"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
