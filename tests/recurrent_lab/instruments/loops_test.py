"""Instruments in a loop: one program for equal cells, options and shapes, of which a loop leaves nothing behind."""

import gc
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab import _compiled, training
from recurrent_lab.training import regularizers
from tests.nets import random_net

COMPILED = "/jax/core/compile/backend_compile_duration"
KEY = jax.random.key(0)
TASK = rl.tasks.adding(6)
READOUT = rl.ReadoutParams(np.ones((5, 1), np.float32), np.zeros(1, np.float32))
STATES = np.ones((8, 5), np.float32)  # adjoints too
NORMS = np.linspace(1, -3, 20, dtype=np.float32)


def loss(outputs):
  return jnp.sum(outputs**2)


def loss_of_params(params, outputs):
  return jnp.sum(outputs**2)


def feed(output, key):
  return output, output[..., :3]


# Every instrument that loops, on NumPy arrays.
INSTRUMENTS = {
  "unroll": lambda c, p, xs: rl.unroll(c, p, xs),
  "unroll in segments": lambda c, p, xs: rl.unroll(c, p, xs, segment=2),
  "trajectory": lambda c, p, xs: rl.trajectory(c, p, xs),
  "activities": lambda c, p, xs: rl.activities(c, p, xs),
  "truncated_unroll": lambda c, p, xs: rl.truncated_unroll(c, p, xs, k1=2, k2=3),
  "reverse_unroll": lambda c, p, xs: rl.reverse_unroll(c, p, xs),
  "state_jacobians": lambda c, p, xs: rl.state_jacobians(c, p, xs),
  "jacobian_product": lambda c, p, xs: rl.jacobian_product(c, p, xs),
  "products_by_lag": lambda c, p, xs: rl.products_by_lag(rl.log_frobenius_norm, c, p, xs),
  "product_log_norms": lambda c, p, xs: rl.product_log_norms(c, p, xs),
  "product_log_singular_values": lambda c, p, xs: rl.product_log_singular_values(c, p, xs, lags=[1, 3]),
  "lyapunov_spectrum": lambda c, p, xs: rl.lyapunov_spectrum(c, p, xs),
  "adjoint_log_norms": lambda c, p, xs: rl.adjoint_log_norms(loss, c, p, xs),
  "gradient_by_lag": lambda c, p, xs: rl.gradient_by_lag(loss, c, p, xs),
  "flossing": lambda c, p, xs: rl.training.flossing(c, p, xs, k=2),
  "adjoints": lambda c, p, xs: regularizers.adjoints(loss_of_params, c, rl.WithReadoutParams(p, ()), xs),
  "omega": lambda c, p, xs: rl.training.omega(c, p, STATES, xs, STATES),
  "predict": lambda c, p, xs: training.predict(c, rl.WithReadoutParams(p, READOUT), xs),
  "evaluate": lambda c, p, xs: training.evaluate(
    c, TASK, rl.WithReadoutParams(p._replace(input_kernel=p.input_kernel[:2]), READOUT), KEY, 4
  ),
  "masked_unroll": lambda c, p, xs: rl.sequence.masked_unroll(c, p, xs, [1.0] * 5 + [0.0] * 3),
  "many_to_one": lambda c, p, xs: rl.sequence.many_to_one(c, p, xs, [1.0] * 5 + [0.0] * 3),
  "one_to_many": lambda c, p, xs: rl.sequence.one_to_many(c, p, xs[0], 4, feed, KEY),
  "encode_decode": lambda c, p, xs: rl.sequence.encode_decode(c, rl.sequence.EncoderDecoderParams(p, p), xs, xs),
  "bidirectional_unroll": lambda c, p, xs: rl.bidirectional_unroll(c, c, rl.BidirectionalParams(p, p), xs),
  "growth_rate": lambda c, p, xs: rl.growth_rate(NORMS),
  "memory_length": lambda c, p, xs: rl.memory_length(NORMS),
  "kaplan_yorke_dimension": lambda c, p, xs: rl.kaplan_yorke_dimension(NORMS),
  "entropy_rate": lambda c, p, xs: rl.entropy_rate(NORMS),
  "positive_share": lambda c, p, xs: rl.positive_share(NORMS),
  "participation_ratio": lambda c, p, xs: rl.participation_ratio(xs),
  "saturation": lambda c, p, xs: rl.saturation(rl.Activity(NORMS, NORMS)),
  "log_spectral_norm": lambda c, p, xs: rl.log_spectral_norm(rl.ScaledMatrix(p.recurrent_kernel[:, :5], np.float32(0))),
}


def maps():
  gc.collect()
  return Path("/proc/self/maps").read_bytes().count(b"\n")


@pytest.fixture
def compilations():
  """A list that grows by one with every program that XLA compiles."""
  programs = []
  count = lambda event, *_, **__: programs.append(event) if event == COMPILED else None
  jax.monitoring.register_event_duration_secs_listener(count)
  yield programs
  jax.monitoring.unregister_event_duration_listener(count)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_a_thousand_calls_are_one_program(name, key, compilations):
  _, params, xs = random_net("gru", key)
  params, xs = jax.tree.map(np.asarray, (params, xs))
  _compiled._program.cache_clear()
  compilations.clear()
  INSTRUMENTS[name](rl.gru(), params, xs)
  before = maps()
  for _ in range(999):
    INSTRUMENTS[name](rl.get_cell("gru"), params, xs)
  assert len(compilations) == 1
  assert maps() <= before + 5  # threads of the runtime may be mapped late


def test_other_numbers_share_a_program_and_other_options_do_not(key, compilations):
  cell, params, xs = random_net("rnn_linear", key)
  _compiled._program.cache_clear()
  first = rl.product_log_norms(cell, params, xs)
  compilations.clear()
  again = rl.product_log_norms(cell, jax.tree.map(lambda a: np.asarray(a) / 2, params), np.asarray(xs), norm="spectral")
  assert not compilations
  lags = np.arange(1, 9)  # half of a linear kernel is one power of two less at every lag
  np.testing.assert_allclose(np.asarray(first) - np.asarray(again), lags * np.log(2), rtol=1e-4)
  rl.product_log_norms(cell, params, xs, norm="frobenius")
  assert len(compilations) == 1


def test_a_partial_loss_is_one_program_for_all_targets(key, compilations):
  cell, params, xs = random_net("rnn", key)
  _compiled._program.cache_clear()
  compilations.clear()
  error = lambda target, outputs: jnp.sum((outputs - target) ** 2)
  measured = [
    np.asarray(rl.adjoint_log_norms(jax.tree_util.Partial(error, np.full(5, target, np.float32)), cell, params, xs))[-1]
    for target in (0, 1, 2)
  ]
  assert len(compilations) == 1
  last = np.asarray(rl.unroll(cell, params, xs)[1])[-1]
  expected = [np.log(2 * np.linalg.norm(last - target)) for target in (0, 1, 2)]
  np.testing.assert_allclose(measured, expected, rtol=1e-4)


def test_programs_of_functions_made_in_a_loop_are_freed():
  """A fresh lambda at every turn compiles at every turn; what falls out of the cache holds no memory."""

  def run(factor):
    step = lambda params, s, x: (factor * s + x, s)
    cell = rl.Cell(lambda key, i, h: (), lambda p, batch_shape=(): jnp.zeros((*batch_shape, 2)), step)
    return float(rl.unroll(cell, (), np.ones((3, 2), np.float32))[0][0])

  assert _compiled._program.cache_info().maxsize == _compiled.PROGRAMS
  _compiled._program.cache_clear()
  before = maps()
  assert [run(factor) for factor in range(20)] == [1 + factor + factor**2 for factor in range(20)]
  _compiled._program.cache_clear()
  assert maps() <= before + 10


class Unhashable:
  """A step that can be changed, and so has no hash."""

  __hash__ = None  # type: ignore[assignment]

  def __init__(self, factor):
    self.factor = factor

  def __call__(self, params, s, x):
    return self.factor * s + x, s


def test_a_cell_that_cannot_be_hashed_runs_and_leaves_nothing():
  step = Unhashable(2)
  cell = rl.Cell(lambda key, i, h: (), lambda p, batch_shape=(): jnp.zeros((*batch_shape, 2)), step)
  run = lambda: float(rl.unroll(cell, (), np.ones((3, 2), np.float32))[0][0])
  assert run() == 7
  step.factor = 1  # seen, since nothing was kept
  assert run() == 3
  before = maps()
  for _ in range(10):
    run()
  assert maps() <= before + 10


@pytest.mark.parametrize("transform", ["jit", "grad", "vmap"])
def test_numpy_params_under_transformations(transform, key):
  _, params, xs = random_net("lstm", key)
  cell, fixed = rl.lstm(), jax.tree.map(np.asarray, params)
  total = lambda xs: jnp.sum(rl.product_log_norms(cell, fixed, xs)) + jnp.sum(rl.unroll(cell, fixed, xs)[1])
  if transform == "jit":
    np.testing.assert_allclose(jax.jit(total)(xs), total(np.asarray(xs)), rtol=1e-5)
  elif transform == "vmap":
    np.testing.assert_allclose(jax.vmap(total)(jnp.stack([xs, xs])), np.full(2, total(xs)), rtol=1e-5)
  else:
    length = lambda xs: jnp.sum(rl.unroll(cell, fixed, xs)[1])
    np.testing.assert_allclose(jax.grad(length)(xs), jax.jit(jax.grad(length))(xs), rtol=1e-4, atol=1e-6)
