"""Every instrument takes a state of matrices and vectors: fast weights with decay, against dense float64 oracles.

q_t, k_t, v_t = x_t U + s_{t-1} W,     F_t = λ F_{t-1} + tanh(k_t) v_tᵀ,     s_t = tanh(q_t F_t)
"""

from functools import partial

import jax
from jax import lax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.cell import Halves, join
from recurrent_lab.instruments._flat import flat_trajectory
from recurrent_lab.instruments._nested import first_directions

H, INPUTS, STEPS = 2, 3, 6
SIZE = H * H + H
TANH = rl.ACTIVATIONS["tanh"]
close = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-11)


def init(key, input_size, hidden_size):
  draw = lambda key, rows: jax.random.normal(key, (rows, 3 * hidden_size), jnp.float64)
  return {"U": draw(key, input_size), "W": draw(jax.random.fold_in(key, 1), hidden_size)}


def initial_state(params, batch_shape=()):
  size = params["W"].shape[0]
  return {"fast": jnp.zeros((*batch_shape, size, size)), "slow": jnp.zeros((*batch_shape, size))}


def affine(params, state, x):
  return x @ params["U"] + state["slow"] @ params["W"]


def read(state, a):
  q, k, v = jnp.split(a, 3, axis=-1)
  fast = 0.8 * state["fast"] + TANH.function(k)[..., :, None] * v[..., None, :]
  return fast, (q[..., None, :] @ fast)[..., 0, :]


def pointwise(params, state, a):
  fast, slow = read(state, a)
  slow = TANH.function(slow)
  return {"fast": fast, "slow": slow}, slow


def probe(params, state, x):
  return {"slow": TANH.activity(read(state, affine(params, state, x))[1])}


HALVES = Halves(affine, pointwise)
CELL = rl.Cell(init, initial_state, join(HALVES), probe, HALVES)
loss = lambda outputs: jnp.sum(outputs**2) + jnp.sum(jnp.sin(outputs[-1]))


@pytest.fixture
def net(x64, rng):
  params = CELL.init(jax.random.key(1), INPUTS, H)
  state = {"fast": jnp.asarray(rng.normal(size=(H, H))), "slow": jnp.asarray(rng.normal(size=H))}
  return params, jnp.asarray(rng.normal(size=(STEPS, INPUTS))), state


def run(params, xs, state, noise=None):
  """A plain loop that adds `noise[k]` to S_k: (states, outputs), where the output is the vector of the state."""
  move = lambda s, k: s if noise is None else jax.tree.map(lambda a, n: a + n[k], s, noise)
  states = [move(state, 0)]
  for k, x in enumerate(xs, start=1):
    states.append(move(CELL.step(params, states[-1], x)[0], k))
  return states, jnp.stack([s["slow"] for s in states[1:]])


def dense_jacobians(params, xs, states):
  """J_1 … J_T of the step on flat states."""
  _, unravel = ravel_pytree(states[0])
  flat_step = lambda s, x: ravel_pytree(CELL.step(params, unravel(s), x)[0])[0]
  jacobian = jax.jit(jax.jacrev(flat_step))
  return [np.asarray(jacobian(ravel_pytree(s)[0], x)) for s, x in zip(states[:-1], xs, strict=True)]


def test_products_and_spectra_are_those_of_the_dense_jacobians(net):
  params, xs, state = net
  states, _ = run(params, xs, state)
  jacobians = dense_jacobians(params, xs, states)
  by_lag = [np.eye(SIZE)]
  for jacobian in jacobians[::-1]:
    by_lag.append(by_lag[-1] @ jacobian)

  @jax.jit
  def measure(params, xs, state):
    norms = {norm: rl.product_log_norms(CELL, params, xs, state, norm=norm) for norm in rl.NORMS}
    block = rl.product_log_norms(CELL, params, xs, state, block=("slow", "fast"))
    singular = rl.product_log_singular_values(CELL, params, xs, state)
    spectrum = rl.lyapunov_spectrum(CELL, params, xs, state, interval=1, blocks=1)
    return rl.state_jacobians(CELL, params, xs, state), norms, block, singular, spectrum

  measured, norms, block, singular, spectrum = measure(params, xs, state)
  close(measured, jacobians)
  close(norms["spectral"], [np.log(np.linalg.norm(p, 2)) for p in by_lag[1:]])
  close(norms["frobenius"], [np.log(np.linalg.norm(p) / SIZE**0.5) for p in by_lag[1:]])
  close(block, [np.log(np.linalg.norm(p[H * H :, : H * H], 2)) for p in by_lag[1:]])
  # NumPy resolves the largest five; the determinants of the factors give the sum of all six.
  np.testing.assert_allclose(singular[:5], np.log(np.linalg.svd(by_lag[-1])[1][:5]), rtol=1e-6)
  np.testing.assert_allclose(np.sum(singular), sum(np.linalg.slogdet(j)[1] for j in jacobians), rtol=1e-6)
  q, total = np.asarray(first_directions(flat_trajectory(CELL, params, xs, state), SIZE)), 0
  for jacobian in jacobians:
    q, r = np.linalg.qr(jacobian @ q)
    total = total + np.log(np.abs(np.diagonal(r)))
  np.testing.assert_allclose(spectrum.exponents, np.sort(total / STEPS)[::-1], rtol=1e-6)
  assert spectrum.is_certified


def test_adjoints_and_gradients_are_those_of_a_plain_loop(net):
  params, xs, state = net
  noise = jax.tree.map(lambda s: jnp.zeros((STEPS + 1, *s.shape)), state)
  gradients, of_params = jax.jit(
    jax.grad(lambda noise, params: loss(run(params, xs, state, noise)[1]), argnums=(0, 1))
  )(noise, params)
  expected = [np.sqrt(sum(np.sum(np.square(g[k])) for g in gradients.values())) for k in range(STEPS + 1)]

  @jax.jit
  def measure(params, xs, state):
    plain, gathered = (
      jax.grad(lambda p, unroll=unroll: loss(unroll(CELL, p, xs, state)[1]))(params)
      for unroll in (rl.unroll, rl.reverse_unroll)
    )
    adjoints = rl.adjoint_log_norms(loss, CELL, params, xs, state)
    return adjoints, rl.gradient_by_lag(loss, CELL, params, xs, state), plain, gathered

  adjoints, summands, plain, gathered = measure(params, xs, state)
  close(adjoints, np.log(expected))
  for found in (plain, gathered, jax.tree.map(lambda s: s.sum(0), summands)):
    jax.tree.map(close, found, of_params)


def test_truncated_gradients_are_those_of_windows(net):
  params, xs, state = net

  def windows(params):
    states, _ = run(lax.stop_gradient(params), xs, state)
    total = 0.0
    for end in (2, 4, 6):
      first = max(end - 4, 0)
      s = states[first] if first == 0 else lax.stop_gradient(states[first])
      total += jnp.sum(run(params, xs[first:end], s)[1][-2:] ** 2)
    return total

  truncated = lambda params: jnp.sum(rl.truncated_unroll(CELL, params, xs, state, k1=2, k2=4) ** 2)
  jax.tree.map(close, *(jax.jit(jax.value_and_grad(f))(params) for f in (windows, truncated)))


def test_a_batch_is_its_members(net, rng):
  params, _, _ = net
  xs = jnp.asarray(rng.normal(size=(STEPS, 4, INPUTS)))
  final, outputs = rl.unroll(CELL, params, xs)
  seen = rl.activities(CELL, params, xs)["slow"]
  for member in range(4):
    states, expected = run(params, xs[:, member], CELL.initial_state(params))
    close(outputs[:, member], expected)
    jax.tree.map(lambda a, b, member=member: close(a[member], b), final, states[-1])
    close(seen.value[:, member], expected)


def test_a_matrix_as_initial_state_is_learned(net):
  params, xs, state = net
  learned = rl.learned_state(CELL)
  given = rl.LearnedStateParams(params, state)
  gradient = jax.grad(lambda p: loss(rl.reverse_unroll(learned, p, xs)[1]))(given).state
  jax.tree.map(close, gradient, jax.grad(lambda s: loss(run(params, xs, s)[1]))(state))
