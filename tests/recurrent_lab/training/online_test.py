"""Online gradients against backpropagation through time, NumPy loops, and the mean over many keys."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.training import online_gradient, online_gradient_by_lag
from recurrent_lab.training.online import METHODS
from tests.nets import by_default

MOST = [method for method in METHODS if method not in ("eprop", "eprop_carry")]
EXACT = ("rnn", "lstm", "gru", "indrnn", "lru")


def squared(output, target):
  return 0.5 * jnp.sum((output - target) ** 2)


def net(name, key, *, steps=7, inputs=2, hidden=4):
  """`(cell, params, xs, targets)` in float64, with every parameter away from 0."""
  cell = rl.get_cell(name) if isinstance(name, str) else name
  k_init, k_noise, k_xs, k_targets = jax.random.split(key, 4)
  leaves, structure = jax.tree.flatten(cell.init(k_init, inputs, hidden, dtype=jnp.float64))
  keys = jax.random.split(k_noise, len(leaves))
  noisy = [a + 0.3 * jax.random.normal(k, a.shape, a.dtype) for a, k in zip(leaves, keys, strict=True)]
  xs = jax.random.normal(k_xs, (steps, inputs), jnp.float64)
  outputs = rl.unroll(cell, jax.tree.unflatten(structure, noisy), xs)[1]
  return cell, jax.tree.unflatten(structure, noisy), xs, jax.random.normal(k_targets, outputs.shape, jnp.float64)


def whole(targets):
  """The loss of a whole sequence."""
  return lambda outputs: sum(squared(output, target) for output, target in zip(outputs, targets, strict=True))


def backpropagated(cell, params, xs, targets, state=None):
  return jax.jit(jax.grad(lambda p: whole(targets)(rl.unroll(cell, p, xs, state)[1])))(params)


def assert_close(found, expected, tolerance=1e-12):
  largest = max(np.abs(leaf).max() for leaf in jax.tree.leaves(expected))
  assert largest > 0
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * largest), found, expected)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", by_default(EXACT, rl.CELLS, pytest.mark.exhaustive))
def test_rtrl_is_backpropagation(name, key):
  cell, params, xs, targets = net(name, key)
  found = online_gradient(squared, cell, params, xs, targets)
  assert_close(found, backpropagated(cell, params, xs, targets))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", by_default(("lstm",), ("rnn", "lstm", "lru")))
def test_rtrl_by_lag_is_gradient_by_lag(name, key):
  cell, params, xs, targets = net(name, key)
  found = online_gradient_by_lag(squared, cell, params, xs, targets)
  assert_close(found, rl.gradient_by_lag(whole(targets), cell, params, xs))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(
  "cell", [rl.learned_state(rl.gru()), rl.stack(rl.rnn(), rl.lstm()), rl.with_readout(rl.rnn(), 2)]
)
def test_rtrl_takes_combined_cells(cell, key):
  """A learned S_0 is a parameter that acts before the first step, and a readout one that acts after the state."""
  cell, params, xs, targets = net(cell, key)
  assert_close(online_gradient(squared, cell, params, xs, targets), backpropagated(cell, params, xs, targets))


@pytest.mark.usefixtures("x64")
def test_an_output_of_the_old_state_and_a_given_state(key):
  inner, params, xs, targets = net("lstm", key)
  cell = rl.Cell(inner.init, inner.initial_state, lambda p, s, x: (inner.step(p, s, x)[0], s.hidden * p.bias[0]))
  state = jax.tree.map(lambda s: s + 0.5, inner.initial_state(params))
  found = online_gradient(squared, cell, params, xs, targets, state)
  assert_close(found, backpropagated(cell, params, xs, targets, state))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("method", ["snap1", "eprop"])
@pytest.mark.parametrize("name", by_default(("indrnn", "lru"), ("indrnn", "min_gru", "lru")))
def test_an_estimate_is_exact_where_units_do_not_meet(name, method, key):
  cell, params, xs, targets = net(name, key)
  found = online_gradient(squared, cell, params, xs, targets, method=method)
  assert_close(found, backpropagated(cell, params, xs, targets))


def with_recurrent_kernel(params, change):
  """The params with every gate's block of the recurrent kernel changed."""
  kernel = params.recurrent_kernel
  blocks = jnp.split(kernel, kernel.shape[1] // kernel.shape[0], axis=1)
  return params._replace(recurrent_kernel=jnp.concatenate([change(block) for block in blocks], axis=1))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", by_default(("lstm",), ("rnn", "lstm", "gru")))
@pytest.mark.parametrize(("method", "kept"), [("eprop", 1.0), ("snap1", 1.0), ("eprop_carry", 0.0)])
def test_an_estimate_is_exact_on_the_diagonal(name, method, kept, key):
  """Without weights between units e-prop and SnAp-1 cut nothing that matters; without any the carry is all there is.

  The weights that are 0 have gradients too, but the losses of later steps reach them through units that do not meet.
  """
  cell, params, xs, targets = net(name, key)
  params = with_recurrent_kernel(params, lambda block: kept * jnp.diag(jnp.diag(block)))
  found = online_gradient(squared, cell, params, xs, targets, method=method)
  assert_close(found, backpropagated(cell, params, xs, targets))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", by_default(("lstm",), ("rnn", "lstm", "gru")))
def test_snap1_is_eprop_where_a_parameter_acts_on_one_unit(name, key):
  cell, params, xs, targets = net(name, key)
  found, same, other = (
    online_gradient(squared, cell, params, xs, targets, method=method) for method in ("snap1", "eprop", "eprop_carry")
  )
  assert_close(found, same)
  exact = backpropagated(cell, params, xs, targets)
  for wrong in (found, other):
    assert np.abs(wrong.recurrent_kernel - exact.recurrent_kernel).max() > 1e-3
  assert np.abs(found.recurrent_kernel - other.recurrent_kernel).max() > 1e-3


def loop(params, xs, targets, keep):
  """∂L/∂W of a tanh net, with the influence of W_jk on s_i in a NumPy array [i, j, k]."""
  size = params.bias.size
  s, influence, gradient = np.zeros(size), np.zeros((size, size, size)), np.zeros((size, size))
  for x, target in zip(xs, targets, strict=True):
    new = np.tanh(x @ params.input_kernel + s @ params.recurrent_kernel + params.bias)
    slope = 1 - new**2
    after = np.zeros_like(influence)
    for i in range(size):
      for m in range(size):
        if keep(i, m):
          after[i] += slope[i] * params.recurrent_kernel[m, i] * influence[m]
      after[i, :, i] += slope[i] * s
    s, influence = new, after
    gradient += np.einsum("i,ijk->jk", s - target, influence)
  return gradient


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(
  ("method", "keep"),
  [
    ("rtrl", lambda i, m: True),
    ("snap1", lambda i, m: i == m),
    ("eprop", lambda i, m: i == m),
    ("eprop_carry", lambda i, m: False),
  ],
)
def test_a_tanh_net_in_numpy(method, keep, key):
  cell, params, xs, targets = net("rnn", key, hidden=3)
  found = online_gradient(squared, cell, params, xs, targets, method=method)
  arrays = jax.tree.map(np.asarray, (params, xs, targets))
  assert_close(found.recurrent_kernel, loop(*arrays, keep))


@pytest.mark.usefixtures("x64")
def test_the_carry_of_an_lstm_is_its_forget_gate(key):
  """The eligibility trace of Bellec et al.: ε_t = f_t ε_{t-1} + ∂c_t/∂b, for the bias of the gate g."""
  cell, params, xs, targets = net("lstm", key)
  seen = rl.activities(cell, params, xs)
  f, i, g, o, c = (np.asarray(seen[name].value) for name in ("forget", "input", "candidate", "output", "cell"))
  outputs = np.asarray(rl.unroll(cell, params, xs)[1])
  trace, expected = np.zeros(4), np.zeros(4)
  for t in range(len(xs)):
    trace = f[t] * trace + i[t] * (1 - g[t] ** 2)
    expected += (outputs[t] - targets[t]) * o[t] * (1 - c[t] ** 2) * trace
  found = online_gradient(squared, cell, params, xs, targets, method="eprop_carry")
  assert_close(found.bias[8:12], expected)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", by_default(("rnn",), ("rnn", "lstm", "gru")))
def test_uoro_is_unbiased_at_every_lag(name, key):
  cell, params, xs, targets = net(name, key, steps=4, hidden=3)
  keys = jax.random.split(key, 4000)
  one = lambda key: online_gradient_by_lag(squared, cell, params, xs, targets, method="uoro", key=key)
  found = jax.jit(jax.vmap(one))(keys)
  expected = rl.gradient_by_lag(whole(targets), cell, params, xs)

  def check(samples, mean):
    error = samples.std(0, ddof=1) / len(keys) ** 0.5
    assert np.all(np.abs(samples.mean(0) - mean) <= 5 * error + 1e-12)

  jax.tree.map(check, jax.tree.map(np.asarray, found), expected)
  early = np.asarray(found.recurrent_kernel)[:, 1]
  assert early.std(0).max() > 0.1 * np.abs(early.mean(0)).max()  # the estimates differ, so the bound says something


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("method", by_default(MOST, METHODS))
@pytest.mark.parametrize("name", by_default(("rnn",), ("rnn", "lstm", "gru"), pytest.mark.exhaustive))
def test_summands_add_up(name, method, key):
  cell, params, xs, targets = net(name, key)
  total, summands = (
    f(squared, cell, params, xs, targets, method=method, key=key) for f in (online_gradient, online_gradient_by_lag)
  )
  assert_close(jax.tree.map(lambda a: a.sum(0), summands), total)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("method", by_default(("snap1",), METHODS))
def test_the_gradient_is_known_at_every_step(method, key):
  """Without losses after step 4 it is that of the first four steps."""
  cell, params, xs, targets = net("gru", key)
  weigh = lambda output, at: at[1] * squared(output, at[0])
  is_early = (jnp.arange(7) < 4).astype(xs.dtype)
  keys = {"method": method, "key": key}
  found = online_gradient(weigh, cell, params, xs, (targets, is_early), **keys)
  if method == "uoro":
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(found))
  else:
    assert_close(found, online_gradient(squared, cell, params, xs[:4], targets[:4], **keys))


@pytest.mark.parametrize("method", by_default(("snap1", "uoro"), METHODS))
def test_a_batch_is_a_vmap_and_float32_stays(method, key):
  cell = rl.gru()
  params = cell.init(key, 2, 4)
  xs, targets = jax.random.normal(key, (3, 6, 2)), jax.random.normal(key, (3, 6, 4))
  one = lambda x, target: online_gradient(squared, cell, params, x, target, method=method, key=key)
  batch = jax.vmap(one)(xs, targets)
  for leaf, single in zip(jax.tree.leaves(batch), jax.tree.leaves(one(xs[1], targets[1])), strict=True):
    assert leaf.dtype == jnp.float32
    np.testing.assert_allclose(leaf[1], single, rtol=1e-4, atol=1e-5)


def test_bad_input_is_named(key):
  cell = rl.rnn()
  params, xs, targets = cell.init(key, 2, 4), jnp.zeros((5, 2)), jnp.zeros((5, 4))
  with pytest.raises(ValueError, match="method 'bptt' is unknown; choose one of rtrl, snap1, eprop, eprop_carry, uoro"):
    online_gradient(squared, cell, params, xs, targets, method="bptt")
  with pytest.raises(ValueError, match="key is None; method 'uoro' is random and needs a key"):
    online_gradient(squared, cell, params, xs, targets, method="uoro")
  with pytest.raises(ValueError, match=r"A target has shape \(4, 4\); its first axis must be the 5 steps of xs"):
    online_gradient(squared, cell, params, xs, targets[:4])
  with pytest.raises(ValueError, match="The cell has no halves; method 'eprop_carry' needs a cell with halves"):
    online_gradient_by_lag(
      squared, rl.get_cell("lru"), rl.get_cell("lru").init(key, 2, 4), xs, targets, method="eprop_carry"
    )
