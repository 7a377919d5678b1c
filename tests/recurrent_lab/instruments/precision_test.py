"""Half precision, mixed precision, and shapes that do not fit: right numbers, or one sentence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab import interop
from tests.nets import random_net


def loss(outputs):
  return jnp.sum(outputs**2)


INSTRUMENTS = {
  "state_jacobians": rl.state_jacobians,
  "jacobian_product": rl.jacobian_product,
  "product_log_norms": rl.product_log_norms,
  "product_log_singular_values": rl.product_log_singular_values,
  "lyapunov_spectrum": rl.lyapunov_spectrum,
  "spectrum of k": lambda *net: rl.lyapunov_spectrum(*net, k=2).exponents,
  "adjoint_log_norms": lambda *net: rl.adjoint_log_norms(loss, *net),
  "flossing": lambda *net: rl.training.flossing(*net, k=2),
}
HALVES = [jnp.bfloat16, jnp.float16]


@pytest.mark.parametrize("dtype", [jnp.bfloat16, pytest.param(jnp.float16, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", INSTRUMENTS)
def test_instruments_of_half_precision_are_in_float32(name, dtype, key):
  cell, params, xs = random_net("lstm", key, steps=6, dtype=dtype)
  result = INSTRUMENTS[name](cell, params, xs)
  floats = [leaf for leaf in jax.tree.leaves(result) if jnp.issubdtype(leaf.dtype, jnp.floating)]
  assert {leaf.dtype for leaf in floats} == {jnp.dtype(jnp.float32)}
  assert all(not np.any(np.isnan(leaf)) for leaf in floats)


@pytest.mark.parametrize("dtype", HALVES)
def test_jacobians_of_half_precision_are_those_of_float32_at_its_states(dtype, key):
  cell, params, xs = random_net("gru", key, steps=4, dtype=dtype)
  states = np.asarray(rl.trajectory(cell, params, xs), np.float32)
  params32, xs32 = jax.tree.map(lambda a: np.asarray(a, np.float32), (params, xs))
  expected = [rl.state_jacobians(cell, params32, xs32[t : t + 1], states[t])[0] for t in range(4)]
  np.testing.assert_allclose(rl.state_jacobians(cell, params, xs), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", HALVES)
def test_orthogonal_kernels_of_half_precision(dtype, key):
  kernel = rl.rnn().init(key, 2, 6, recurrent_init="orthogonal", dtype=dtype).recurrent_kernel
  assert kernel.dtype == dtype
  kernel = np.asarray(kernel, np.float64)
  np.testing.assert_allclose(kernel.T @ kernel, np.eye(6), atol=4 * float(jnp.finfo(dtype).eps))


@pytest.mark.parametrize(
  ("cast", "message"),
  [
    (lambda p, xs, s: (p, xs.astype(jnp.float32), s), "xs has dtype float32, but these params take float16"),
    (lambda p, xs, s: (p, xs, s.astype(jnp.bfloat16)), "The state has dtype bfloat16, but the cell's own has float16"),
    (
      lambda p, xs, s: (p._replace(recurrent_kernel=p.recurrent_kernel.astype(jnp.float32)), xs, None),
      "params have dtypes float16, float32, which must be one",
    ),
  ],
)
def test_the_argument_of_another_precision_is_named(cast, message, key):
  cell, params, xs = random_net("rnn", key, dtype=jnp.float16)
  with pytest.raises(ValueError, match=message):
    rl.unroll(cell, *cast(params, xs, jnp.zeros(5, jnp.float16)))


ONE_EXAMPLE = {
  **INSTRUMENTS,
  "unroll": rl.unroll,
  "trajectory": rl.trajectory,
  "activities": rl.activities,
  "reverse_unroll": rl.reverse_unroll,
  "truncated_unroll": lambda *net: rl.truncated_unroll(*net, k1=2, k2=2),
  "gradient_by_lag": lambda *net: rl.gradient_by_lag(loss, *net),
  "many_to_one": lambda cell, params, xs, state: rl.sequence.many_to_one(cell, params, xs, None, state),
}


@pytest.mark.parametrize("name", ONE_EXAMPLE)
def test_a_batch_of_states_of_one_sequence_is_refused(name, key):
  net = random_net("rnn", key)
  with pytest.raises(ValueError, match=r"The state .*\(4, 5\).* does not fit inputs of shape \(8, 3\)"):
    ONE_EXAMPLE[name](*net, jnp.zeros((4, 5)))


def test_wrong_widths_in_a_stack_are_named(key):
  (cell, lower, xs), (_, upper, _) = random_net("rnn", key), random_net("rnn", key, inputs=4)
  stacked = rl.stack(cell, cell)
  for params, message in (
    ((lower, upper), "Layer 1 puts out 5 numbers per step; layer 2 takes 4"),
    ((upper, lower), "xs has 3 inputs per step; these params take 4"),
    ((lower,), "A stack of 2 cells needs as many params, but was given 1"),
  ):
    with pytest.raises(ValueError, match=message):
      rl.unroll(stacked, params, xs)


def test_labels_without_the_axis_of_the_batch_are_named():
  gradient = rl.training.data_parallel(lambda params, batch: jnp.mean(batch[0]))
  with pytest.raises(ValueError, match=r"an array of shape \(8,\); its members are to run over axis 1"):
    gradient(0.0, (jnp.ones((3, 8)), jnp.ones(8)))


def test_a_mask_may_be_a_list(key):
  cell, params, xs = random_net("gru", key)
  mask = [1.0] * 5 + [0.0] * 3
  np.testing.assert_allclose(
    rl.sequence.many_to_one(cell, params, xs, mask), rl.unroll(cell, params, xs)[1][4], rtol=1e-5
  )
  with pytest.raises(ValueError, match=r"The mask has shape \(7,\)"):
    rl.sequence.masked_unroll(cell, params, xs, mask[1:])


def test_start_states_of_two_directions_and_of_an_encoder(key):
  cell, params, xs = random_net("gru", key)
  a, b = jnp.full(5, 0.3), jnp.full(5, -0.2)
  pair = rl.BidirectionalParams(params, params)
  (ahead, back), _ = rl.bidirectional_unroll(cell, cell, pair, xs, state=(a, b))
  np.testing.assert_allclose(ahead, rl.unroll(cell, params, xs, a)[0], rtol=1e-5)
  np.testing.assert_allclose(back, rl.unroll(cell, params, xs[::-1], b)[0], rtol=1e-5)
  both = rl.sequence.EncoderDecoderParams(params, params)
  expected = rl.unroll(cell, params, xs, rl.unroll(cell, params, xs, a)[0])[1]
  np.testing.assert_allclose(rl.sequence.encode_decode(cell, both, xs, xs, state=a)[1], expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, jnp.bfloat16, np.float16])
def test_parameters_without_axes_go_through_files(dtype, tmp_path):
  params = {"gain": jnp.asarray(1.5, dtype), "kernel": jnp.ones((2, 3), dtype).T}
  interop.save(tmp_path / "net.safetensors", interop.to_named(params))
  loaded = interop.from_named(params, interop.load(tmp_path / "net.safetensors"))
  for name, array in params.items():
    assert loaded[name].shape == array.shape
    np.testing.assert_array_equal(np.asarray(loaded[name], np.float32), np.asarray(array, np.float32))
