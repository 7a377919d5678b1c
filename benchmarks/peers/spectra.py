"""Lyapunov spectra of an autonomous tanh network by other packages, each used as its documentation shows.

chaotax and lyapax differentiate the step with JAX. clvlib is given the Jacobian as a NumPy function. All decompose at every step.
"""

import importlib
from typing import Any

import jax
import numpy as np

from benchmarks.spectra import facts, flat_step, nets
from benchmarks.worker import Prepared


def _map(directions: int, gain: float, steps: int) -> tuple[Any, jax.Array, Any]:
  """Returns (S_{j-1} -> S_j, S_0, the parameters)."""
  params, xs, states = jax.tree.map(lambda a: a[0], nets("rnn", directions, gain, steps, points=1))
  step, _ = flat_step("rnn", params)
  return lambda s: step(s, xs[0]), states, params


def chaotax(directions: int, gain: float, steps: int) -> Prepared:
  """Prepares `chaotax.lyapunov_spectrum`."""
  step, start, _ = _map(directions, gain, steps)
  spectrum = importlib.import_module("chaotax").lyapunov_spectrum(
    step, rollout_steps=steps, warmup_steps=0, discard_steps=0
  )

  @jax.jit
  def run(start: jax.Array, noise: jax.Array) -> jax.Array:
    # It computes the size of the state by JAX, which `jit` would trace.
    with jax.ensure_compile_time_eval():
      return spectrum(start, noise)

  noise = jax.random.normal(jax.random.key(1), (directions, directions), start.dtype)
  return Prepared(lambda: run(start, noise).block_until_ready(), lambda found: _facts(found, steps))


def lyapax(directions: int, gain: float, steps: int) -> Prepared:
  """Prepares `lyapax.lyapunov_spectrum`."""
  step, start, _ = _map(directions, gain, steps)
  spectrum = importlib.import_module("lyapax").lyapunov_spectrum
  run = jax.jit(lambda start: spectrum(step, start, dt=1.0, n_steps=steps).exponents)
  return Prepared(lambda: run(start).block_until_ready(), lambda found: _facts(found, steps))


def clvlib(directions: int, gain: float, steps: int) -> Prepared:
  """Prepares `clvlib.numpy.lyap_exp_from_ic` with its discrete stepper."""
  _, start, params = _map(directions, gain, steps)
  kernel, bias = np.asarray(params.recurrent_kernel), np.asarray(params.bias)
  step = lambda t, s: np.tanh(s @ kernel + bias)
  jacobian = lambda t, s: (1 - step(t, s) ** 2)[:, None] * kernel.T
  spectrum = importlib.import_module("clvlib.numpy").lyap_exp_from_ic
  times, first = np.arange(steps + 1.0), np.asarray(start)
  run = lambda: spectrum(step, jacobian, first, times, stepper="discrete")[0]
  return Prepared(run, lambda found: _facts(found, steps))


def _facts(found: Any, steps: int) -> dict[str, Any]:
  return facts(np.sort(np.asarray(found))[None, ::-1], steps, same_start=False)
