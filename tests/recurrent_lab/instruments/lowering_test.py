"""Every measurement lowers for CPU, CUDA, ROCm and TPU; nothing here ran on an accelerator."""

import jax
from jax import export
import jax.numpy as jnp
import pytest

import recurrent_lab as rl
from tests.nets import FAMILIES

PLATFORMS = ["cpu", "cuda", "rocm", "tpu"]
LAST = lambda outputs: 0.5 * jnp.sum(outputs[-1] ** 2)

MEASURES = {
  "unroll": rl.unroll,
  "unroll_segments": lambda *net: rl.unroll(*net, segment=4),
  "masked_unroll": lambda *net: rl.sequence.masked_unroll(*net, jnp.ones(net[2].shape[:1])),
  "tokens": lambda cell, params, xs: rl.unroll(cell, *rl.sequence.one_hot(params, jnp.zeros(len(xs), jnp.int32))),
  "trajectory": rl.trajectory,
  "activities": rl.activities,
  "state_jacobians": rl.state_jacobians,
  "jacobian_product": rl.jacobian_product,
  "product_log_norms": rl.product_log_norms,
  "product_log_norms_frobenius": lambda *net: rl.product_log_norms(*net, norm="frobenius"),
  "product_log_singular_values": rl.product_log_singular_values,
  "adjoint_log_norms": lambda *net: rl.adjoint_log_norms(LAST, *net),
  "gradient_by_lag": lambda *net: rl.gradient_by_lag(LAST, *net),
}


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("measure", list(MEASURES))
def test_measure_lowers_for_every_platform(measure, name):
  cell = rl.get_cell(name)
  params = jax.eval_shape(lambda key: cell.init(key, 3, 8), jax.random.key(0))
  xs = jax.ShapeDtypeStruct((10, 3), jnp.float32)
  exported = export.export(jax.jit(lambda params, xs: MEASURES[measure](cell, params, xs)), platforms=PLATFORMS)(
    params, xs
  )
  assert set(exported.platforms) == set(PLATFORMS)


@pytest.mark.parametrize(
  ("name", "recurrent_init"),
  [*((name, "orthogonal") for name in FAMILIES), ("rnn", "gaussian"), ("rnn", "identity"), ("indrnn", "gaussian")],
)
def test_initialisation_lowers_for_every_platform(name, recurrent_init):
  init = lambda key, gain: rl.get_cell(name).init(key, 3, 8, recurrent_gain=gain, recurrent_init=recurrent_init)
  export.export(jax.jit(init), platforms=PLATFORMS)(jax.random.key(0), jnp.float32(1))
