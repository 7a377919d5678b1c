"""The compiled maps that a block of training runs is made of; every map has a leading axis of seeds."""

from collections.abc import Callable, Sequence
import dataclasses
from functools import cache, partial
from typing import Any, NamedTuple

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array
import numpy as np

from experiments.training.build import Run, build, initial_params
from experiments.training.dynamics import gradient_dynamics
from experiments.training.settings import SETTINGS, RunSettings
from recurrent_lab import training
from recurrent_lab.training import TrainState
from sweepkit import Point
from sweepkit.measure import point_key
from sweepkit.points import key_words, read

TEST_EXAMPLES = 1000
TEST_OUTPUTS = 2**26  # outputs in one evaluation, so that a large vocabulary fits memory
PROBE_EXAMPLES = 2


class Keys(NamedTuple):
  """The random keys of a run."""

  params: Array
  data: Array
  test: Array
  probe: Array


class Programs(NamedTuple):
  """The compiled maps of runs that share all settings but the `INITIAL` ones, over a leading axis of seeds."""

  # (states, log, updates) -> (states, log)
  advance: Callable[[TrainState, dict[str, Array], int], tuple[TrainState, dict[str, Array]]]
  floss: Callable[[TrainState], TrainState]  # a bout of flossing between two updates
  evaluate: Callable[[Any, Array], tuple[Array, Array]]  # (params, keys) -> (loss, score)
  watch: Callable[[Any, Array], dict[str, Array]]


MEANS = ("loss", "gradient_norm", "clipped_norm", "clipped_share")  # over the finite updates
LOG = (*MEANS, "largest_gradient_norm", "finite")  # what is kept of the updates between two rows, at first 0


def _advance(
  run: Run, batch: int, state: TrainState, log: dict[str, Array], updates: int
) -> tuple[TrainState, dict[str, Array]]:
  """Runs some updates of one run and adds them to its log.

  Updates that are left out count in the largest norm alone, as inf if their norm is NaN.
  """
  step = training.train_step(run.gradient, run.task, run.optimizer, run.clip, batch)

  def body(_: Array, carry: tuple[TrainState, dict[str, Array]]) -> tuple[TrainState, dict[str, Array]]:
    state, log = carry
    state, info = step(state)
    count = log["finite"] + info.is_finite
    share = info.is_finite / jnp.maximum(count, 1)
    # A mean, since a sum of norms may overflow.
    mean = lambda old, value: jnp.where(info.is_finite, (1 - share) * old + share * value, old)
    values = (info.loss, info.gradient_norm, info.clipped_norm, info.is_clipped)
    norm = jnp.where(jnp.isnan(info.gradient_norm), jnp.inf, info.gradient_norm)
    return state, {
      **{name: mean(log[name], value) for name, value in zip(MEANS, values, strict=True)},
      "largest_gradient_norm": jnp.maximum(log["largest_gradient_norm"], norm),
      "finite": count,
    }

  return lax.fori_loop(0, updates, body, (state, log))


def _floss(run: Run, settings: RunSettings, params: Any, key: Array, updates: int) -> TrainState:
  """The state after some updates of gradient flossing, with Adam at its own usual rate, which starts from rest every time."""
  adam, clip = training.optimizer("adam", 1e-3), training.clipping("global_norm", 1.0)
  gradient = training.flossing_gradient(run.cell, settings.floss_k, settings.floss_interval)
  step = training.train_step(gradient, run.task, adam, clip, PROBE_EXAMPLES)
  return lax.fori_loop(0, updates, lambda _, s: step(s)[0], training.init_state(key, params, adam))


def _floss_key(state: TrainState) -> Array:
  """The key of the batches that flossing before training sees; those between updates fold the number of the update in."""
  return jax.random.fold_in(state.key, 0)


def _floss_between(run: Run, settings: RunSettings, state: TrainState) -> TrainState:
  """Flosses the parameters of a run in training; its optimiser and its place in the data stay as they are."""
  key = jax.random.fold_in(_floss_key(state), state.step)
  flossed = _floss(run, settings, state.params, key, settings.floss_updates)
  return state._replace(params=flossed.params, nonfinite=state.nonfinite + flossed.nonfinite)


def _keys(key: Array) -> Keys:
  return Keys(*jax.random.split(key, len(Keys._fields)))


def _start(settings: RunSettings, key: Array) -> TrainState:
  """The state of a run before training."""
  run, keys = build(settings), _keys(key)
  state = training.init_state(keys.data, initial_params(settings, keys.params), run.optimizer)
  if not settings.floss:
    return state
  flossed = _floss(run, settings, state.params, _floss_key(state), settings.floss)
  return training.init_state(state.key, flossed.params, run.optimizer)._replace(nonfinite=flossed.nonfinite)


def _watch(run: Run, params: Any, key: Array) -> dict[str, Array]:
  batch = run.task.test(_keys(key).probe, PROBE_EXAMPLES)
  return gradient_dynamics(run.cell, run.task, params, batch)


# What a run starts from makes no difference to what it does then, nor does when it stops, unless its rate falls until then.
ENDS = ("updates", "stop")
INITIAL = ("init", "recurrent_init", "ws", "input_gain", "output_gain", "forget_bias", "floss", "floss_k")


@cache
def _programs(settings: RunSettings) -> Programs:
  """The programs of runs with these settings."""
  run = build(settings)
  examples = min(TEST_EXAMPLES, max(1, TEST_OUTPUTS // (run.task.steps * run.task.output_size)))

  def evaluate(params: Any, key: Array) -> tuple[Array, Array]:
    return training.evaluate(run.cell, run.task, params, _keys(key).test, examples)

  return Programs(
    advance=jax.jit(jax.vmap(partial(_advance, run, settings.batch), in_axes=(0, 0, None))),
    floss=jax.jit(jax.vmap(partial(_floss_between, run, settings))),
    evaluate=jax.jit(jax.vmap(evaluate)),
    # One seed after the other: the gradient by lag alone is T times as large as the parameters.
    watch=jax.jit(lambda params, keys: lax.map(lambda at: _watch(run, *at), (params, keys))),
  )


@cache
def _starts(settings: RunSettings) -> Callable[[Array], TrainState]:
  """Keys of several seeds -> their states before training."""
  return jax.jit(jax.vmap(partial(_start, settings)))


def _without(settings: RunSettings, names: Sequence[str]) -> RunSettings:
  """The settings with those of these names at their defaults."""
  defaults: dict[str, Any] = {name: SETTINGS[name].kind(SETTINGS[name].default) for name in names}
  return dataclasses.replace(settings, **defaults)


class Block(NamedTuple):
  """A block of runs, ready to start.

  Attributes:
    settings: those that all runs share.
    programs: the compiled maps.
    start: keys -> states before training.
    keys: one per seed.
    config: what its checkpoints must have been written for.
  """

  settings: RunSettings
  programs: Programs
  start: Callable[[Array], TrainState]
  keys: Array
  config: dict[str, Any]


def prepare(kind: type[RunSettings], points: Sequence[Point]) -> Block:
  """Prepares a block of runs whose points have settings of this kind.

  Traces nothing yet. Programs are shared with the blocks that differ only in what they start from.
  """
  settings = read(kind, points[0])
  shared = settings if settings.decay == "cosine" else _without(settings, ENDS)
  initial = [name for name in INITIAL if name != "floss_k" or not settings.floss_every]
  words = np.array([key_words(point) for point in points], np.uint32)
  seeds = [point["seed"] for point in points]
  return Block(
    settings=settings,
    programs=_programs(_without(shared, initial)),
    start=_starts(shared),
    keys=jax.vmap(point_key)(np.array(seeds, np.uint32), words),
    config={**points[0].without("seed"), "seeds": seeds},
  )
