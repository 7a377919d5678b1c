"""The BPTT sum against automatic differentiation and closed forms."""

import math
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from tests.nets import EVERY_STEP, by_default, random_net

LOSSES = {
  "squared": lambda outputs: 0.5 * jnp.sum((outputs - 0.3) ** 2),
  "cross_entropy": lambda outputs: -jnp.sum(jax.nn.log_softmax(outputs)[:, 1]),
  "last": lambda outputs: 0.5 * jnp.sum((outputs[-1] - 0.3) ** 2),
}


@pytest.mark.parametrize("name", EVERY_STEP)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_summands_add_up_to_the_gradient(name, dtype, tolerance, key):
  with jax.enable_x64(dtype == np.float64):
    cell, params, xs = random_net(name, key, dtype=dtype)

    @jax.jit
    def both(params):
      return [
        (
          rl.gradient_by_lag(loss, cell, params, xs),
          jax.grad(lambda p, loss=loss: loss(rl.unroll(cell, p, xs)[1]))(params),
        )
        for loss in (LOSSES["squared"], LOSSES["cross_entropy"])
      ]

    for summands, gradient in both(params):
      for by_lag, total in zip(jax.tree.leaves(summands), jax.tree.leaves(gradient), strict=True):
        assert by_lag.shape == (8, *total.shape)
        error = jnp.linalg.norm(by_lag.sum(0) - total)
        assert error <= tolerance * max(jnp.linalg.norm(total), jnp.linalg.norm(by_lag))


def test_segments_add_up_their_steps_in_the_order_of_the_steps(key):
  """Also for a learned initial state, whose gradient belongs to step 1."""
  cell, xs, loss = rl.learned_state(rl.rnn()), jax.random.normal(jax.random.key(1), (8, 3)), LOSSES["squared"]
  params = cell.init(key, 3, 5)._replace(state=0.3 * jnp.ones(5))

  @jax.jit
  def found(params):
    by_lag = lambda loss, segment: rl.gradient_by_lag(loss, cell, params, xs, segment=segment)
    total = jax.grad(lambda p: loss(rl.unroll(cell, p, xs)[1]))(params)
    return by_lag(loss, 1), by_lag(loss, 4), total, by_lag(lambda outputs: outputs[0].sum(), 1)

  for one, half, gradient, first in zip(*map(jax.tree.leaves, found(params)), strict=True):
    assert (len(one), len(half)) == (8, 2)
    np.testing.assert_allclose(one.reshape(2, 4, *one.shape[1:]).sum(1), half, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(half.sum(0), gradient, rtol=1e-4, atol=1e-5)
    # A loss of the first output alone has the gradient of step 1 alone: the first entry, at lag T - 1.
    assert first[0].any()
    assert not first[1:].any()
  for segment in (0, 3, 9):
    with pytest.raises(ValueError, match=rf"segment is {segment}; it must divide the 8 steps\."):
      rl.gradient_by_lag(loss, cell, params, xs, segment=segment)


@pytest.mark.filterwarnings("default::recurrent_lab.MemoryWarning")
def test_large_results_are_said_before_their_memory_is_asked_for():
  """An LSTM of 512 units over 5 000 steps: 21 GB of summands, and of Jacobians. Nothing is computed here."""
  cell = rl.lstm()
  params = jax.eval_shape(lambda key: cell.init(key, 1, 512), jax.random.key(0))
  xs = jax.ShapeDtypeStruct((5000, 1), jnp.float32)
  loss = LOSSES["last"]
  with pytest.warns(rl.MemoryWarning, match="The gradient by lag of 5000 entries: 21 GB; segment=100 adds up"):
    jax.eval_shape(lambda p, xs: rl.gradient_by_lag(loss, cell, p, xs), params, xs)
  with pytest.warns(rl.MemoryWarning, match="The Jacobians of 5000 steps: 21 GB; products_by_lag measures"):
    jax.eval_shape(lambda p, xs: rl.state_jacobians(cell, p, xs), params, xs)
  with warnings.catch_warnings():
    warnings.simplefilter("error")
    jax.eval_shape(lambda p, xs: rl.gradient_by_lag(loss, cell, p, xs, segment=100), params, xs)


@pytest.mark.usefixtures("x64")
def test_each_summand_is_one_term_of_the_formula(key):
  """∂L/∂S_k · ∂S_k/∂W with the earlier state held, from dense Jacobians and a NumPy loop, for an RNN."""
  cell, params, xs = random_net("rnn", key, dtype=np.float64)
  states = np.asarray(rl.trajectory(cell, params, xs))
  jacobians = np.asarray(rl.state_jacobians(cell, params, xs))
  output_bars = np.asarray(jax.grad(LOSSES["squared"])(jnp.asarray(states[1:])))
  summands = rl.gradient_by_lag(LOSSES["squared"], cell, params, xs)
  for k in range(1, 9):
    adjoint = np.zeros(5)
    for t in range(k, 9):
      product = np.eye(5)
      for j in range(k + 1, t + 1):
        product = jacobians[j - 1] @ product
      adjoint += output_bars[t - 1] @ product
    local = adjoint * (1 - states[k] ** 2)
    np.testing.assert_allclose(summands.recurrent_kernel[k - 1], np.outer(states[k - 1], local), atol=1e-12)
    np.testing.assert_allclose(summands.input_kernel[k - 1], np.outer(xs[k - 1], local), atol=1e-12)
    np.testing.assert_allclose(summands.bias[k - 1], local, atol=1e-12)


@pytest.mark.parametrize("name", by_default(("lstm",), ("rnn", "lstm", "gru")))
def test_readout_has_no_term_beyond_lag_zero(name, key):
  cell = rl.with_readout(rl.get_cell(name), 3)
  params = cell.init(key, 2, 5)
  xs = jax.random.normal(key, (9, 2))
  summands = rl.gradient_by_lag(LOSSES["last"], cell, params, xs)
  for leaf in jax.tree.leaves(summands.readout):
    np.testing.assert_array_equal(leaf[:-1], np.zeros_like(leaf[:-1]))
    assert np.any(leaf[-1] != 0)
  # The recurrent weights, in contrast, do reach back.
  assert np.all(np.abs(summands.cell.recurrent_kernel[1:]).max((1, 2)) > 0)


@pytest.mark.parametrize("name", EVERY_STEP)
@pytest.mark.parametrize("loss", ["cross_entropy", "last"])
@pytest.mark.usefixtures("x64")
def test_adjoints_match_automatic_differentiation(name, loss, key):
  """∂L/∂S_k by adding a perturbation to every state, and with it to the output that is a part of it."""
  cell, params, xs = random_net(name, key, dtype=np.float64)
  zeros = jax.tree.map(jnp.zeros_like, rl.trajectory(cell, params, xs))

  def perturbed(noise):
    state = jax.tree.map(lambda s, n: s + n[0], cell.initial_state(params), noise)
    outputs = []
    for t, x in enumerate(xs, start=1):
      state, _ = cell.step(params, state, x)
      state = jax.tree.map(lambda s, n, t=t: s + n[t], state, noise)
      outputs.append(jax.tree.leaves(state)[0])  # the first part of every state here is what is seen
    return LOSSES[loss](jnp.stack(outputs))

  gradients = jax.tree.leaves(jax.jit(jax.grad(perturbed))(zeros))
  with np.errstate(divide="ignore"):  # a dead relu passes nothing back
    expected = 0.5 * np.log(sum(np.sum(np.asarray(g) ** 2, axis=1) for g in gradients))
  measured = jax.jit(lambda p: rl.adjoint_log_norms(LOSSES[loss], cell, p, xs))(params)
  np.testing.assert_allclose(measured, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("gain", [0.05, 20.0])
def test_adjoints_far_outside_float32(gain, key):
  """‖∂L_T/∂S_k‖ = g^{T-k} ‖∂L_T/∂o_T‖ in a scaled orthogonal linear net: 10⁻¹³⁰⁰ and 10¹³⁰⁰."""
  cell = rl.rnn("identity")
  params = cell.init(key, 1, 8, recurrent_gain=gain, recurrent_init="orthogonal")
  weights = jax.random.normal(key, (8,))
  measured = rl.adjoint_log_norms(lambda outputs: outputs[-1] @ weights, cell, params, jnp.zeros((1000, 1)))
  expected = np.arange(1000, -1, -1) * math.log(gain) + math.log(np.linalg.norm(weights))
  np.testing.assert_allclose(measured, expected, rtol=1e-5, atol=1e-5)


def test_late_small_and_early_large_losses_add(key):
  """A loss at the end that has died away must not hide one at the start, nor the reverse."""
  cell = rl.rnn("identity")
  params = cell.init(key, 1, 4, recurrent_gain=0.5, recurrent_init="identity")
  ones = jnp.ones(4)
  loss = lambda outputs: outputs[-1] @ ones + 1e-6 * outputs[0] @ ones
  measured = rl.adjoint_log_norms(loss, cell, params, jnp.zeros((400, 1)))
  np.testing.assert_allclose(measured[1], math.log(2e-6), rtol=1e-5)
  np.testing.assert_allclose(measured[0], math.log(1e-6), rtol=1e-5)
  np.testing.assert_allclose(measured[2], 398 * math.log(0.5) + math.log(2), rtol=1e-5)
  assert np.all(np.isneginf(rl.adjoint_log_norms(lambda o: 0.0 * o.sum(), cell, params, jnp.zeros((5, 1)))))


def plus_zero(step):
  def added(params, state, x):
    new, output = step(params, state, x)
    return new, output + 0

  return added


def twice(step):
  return lambda params, state, x: (step(params, state, x)[0], step(params, state, x)[1])


@pytest.mark.parametrize("change", [lambda step: step, jax.jit, jax.checkpoint, plus_zero, twice])
@pytest.mark.usefixtures("x64")
def test_an_undeclared_output_that_is_a_part_of_the_state_is_found_however_the_step_is_spelled(change, key):
  cell, params, xs = random_net("lstm", key, hidden=3, dtype=np.float64)
  bare = rl.Cell(cell.init, cell.initial_state, change(cell.step))
  measured, expected = (rl.adjoint_log_norms(LOSSES["squared"], c, params, xs) for c in (bare, cell))
  np.testing.assert_allclose(measured, expected, rtol=1e-12)


@pytest.mark.usefixtures("x64")
def test_an_undeclared_output_of_another_kind_is_a_function_of_the_old_state(key):
  """∂L/∂S_k by adding a perturbation to S_k after o_k has been put out."""
  inner, params, xs = random_net("lstm", key, hidden=3, dtype=np.float64)
  cell = rl.Cell(inner.init, inner.initial_state, lambda p, s, x: (inner.step(p, s, x)[0], s.hidden + 2 * s.cell))
  zeros = jax.tree.map(jnp.zeros_like, rl.trajectory(cell, params, xs))

  def perturbed(noise):
    state, outputs = cell.initial_state(params), []
    for t, x in enumerate(xs):
      state, output = cell.step(params, jax.tree.map(lambda s, n, t=t: s + n[t], state, noise), x)
      outputs.append(output)
    return LOSSES["squared"](jnp.stack(outputs))

  gradients = jax.tree.leaves(jax.jit(jax.grad(perturbed))(zeros))
  with np.errstate(divide="ignore"):  # nothing comes after S_T
    expected = 0.5 * np.log(sum(np.sum(np.asarray(g) ** 2, axis=1) for g in gradients))
  np.testing.assert_allclose(rl.adjoint_log_norms(LOSSES["squared"], cell, params, xs), expected, rtol=1e-10)


def test_a_relu_is_not_taken_for_its_preactivation(key):
  """Both are the same number where it is positive."""

  def step(params, state, x):
    a = 0.5 * state[0] + jnp.abs(x)
    return (a, jax.nn.relu(a)), jax.nn.relu(a)

  cell = rl.Cell(lambda *sizes: jnp.zeros(()), lambda params, batch=(): (jnp.ones((*batch, 2)),) * 2, step)
  measured = rl.adjoint_log_norms(lambda outputs: outputs.sum(), cell, jnp.zeros(()), jnp.ones((3, 2)))
  # The pre-activation carries what comes later, ½, ¾, …, and the relu the 1 of its own step.
  expected = [0.875**2, 0.75**2 + 1, 0.5**2 + 1, 1]
  np.testing.assert_allclose(measured, 0.5 * np.log(2 * np.array(expected)), rtol=1e-5)


def test_order_of_the_sequence_matters(key):
  for name in ("rnn", "lstm", "gru"):
    cell, params, xs = random_net(name, key)
    forward, backward = rl.unroll(cell, params, xs)[1][-1], rl.unroll(cell, params, xs[::-1])[1][-1]
    assert not np.allclose(forward, backward, atol=1e-3)
