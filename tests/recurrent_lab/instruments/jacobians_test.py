"""Products of Jacobians against dense float64 products, closed forms and 300-digit arithmetic."""

import inspect
import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import recurrent_lab as rl
from tests.nets import EVERY_CELL, EVERY_STEP, by_default, random_net, to_float64


def dense_log_norms(jacobians, norm):
  """ln norms of J_T … J_{T-l+1} from a plain NumPy loop in float64, rescaled at each step."""
  product, log_scale, result = np.eye(jacobians.shape[1]), 0.0, []
  for jacobian in np.asarray(jacobians, np.float64)[::-1]:
    product = product @ jacobian
    size = np.abs(product).max()
    if size > 0:
      product, log_scale = product / size, log_scale + np.log(size)
    with np.errstate(divide="ignore"):
      value = np.linalg.norm(product, 2) if norm == "spectral" else np.linalg.norm(product) / np.sqrt(len(product))
      result.append(np.log(value) + log_scale)
  return np.array(result)


@pytest.mark.parametrize("name", EVERY_STEP)
def test_log_norms_match_dense_float64_jacobians(name, key):
  """In float32, along the same states, to 1e-4 at T = 200; in float64 to rounding."""
  cell, params, xs = random_net(name, key, steps=200, hidden=8, recurrent_gain=0.9)

  @jax.jit
  def measure(params, xs):
    norms = lambda product: [f(product) for f in rl.NORMS.values()]
    _, by_lag = rl.products_by_lag(norms, cell, params, xs)
    return by_lag, jax.tree.map(lambda s: s[:-1], rl.trajectory(cell, params, xs))

  measured, states = measure(params, xs)
  np.testing.assert_allclose(rl.product_log_norms(cell, params, xs), measured[0], atol=1e-4)
  with jax.enable_x64(True):
    p64, xs64, states64 = jax.tree.map(jnp.asarray, to_float64((params, xs, states)))
    _, unravel = jax.flatten_util.ravel_pytree(jax.tree.map(lambda s: s[0], states64))
    step = lambda s, x: jax.flatten_util.ravel_pytree(cell.step(p64, unravel(s), x)[0])[0]
    flat = jax.vmap(lambda s: jax.flatten_util.ravel_pytree(s)[0])
    dense = jax.jit(lambda states: jax.vmap(jax.jacfwd(step))(flat(states), xs64))
    double, double_states = measure(p64, xs64)
    for i, norm in enumerate(rl.NORMS):
      expected = dense_log_norms(dense(states64), norm)
      alive = np.isfinite(expected)
      np.testing.assert_allclose(measured[i][alive], expected[alive], rtol=1e-4, atol=1e-4)
      np.testing.assert_array_equal(np.isneginf(measured[i]), ~alive)
      np.testing.assert_allclose(double[i], dense_log_norms(dense(double_states), norm), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("gain", by_default((2.0,), (0.5, 2.0)))
@pytest.mark.parametrize("norm", list(rl.NORMS))
def test_scaled_orthogonal_linear_net_over_ten_thousand_steps(gain, norm, key):
  """ln ‖W^l‖ = l ln g at every lag, in float32: down to 10⁻³⁰¹⁰ and up to 10³⁰¹⁰."""
  cell = rl.rnn("identity")
  params = cell.init(key, 1, 16, recurrent_gain=gain, recurrent_init="orthogonal")
  measured = jax.jit(lambda p, xs: rl.product_log_norms(cell, p, xs, norm=norm))(params, jnp.zeros((10_000, 1)))
  assert measured.dtype == jnp.float32
  np.testing.assert_allclose(measured, np.arange(1, 10_001) * math.log(gain), rtol=1e-5)


@pytest.mark.parametrize(("bias", "slope"), [(0, -0.69315), (1, -0.31326), (2, -0.12693), (3, -0.04859), (5, -0.00672)])
def test_cell_path_of_an_lstm_without_weights(bias, slope, key):
  """With all kernels 0 the block ∂c/∂c at lag l is σ(b_f)^l."""
  cell = rl.lstm()
  params = cell.init(key, 2, 4, recurrent_gain=0.0, input_gain=0.0, forget_bias=float(bias))
  xs = jax.random.normal(key, (100, 2))
  measured = rl.product_log_norms(cell, params, xs, block=("cell", "cell"))
  expected = float(rl.theory.cell_path_exponent(bias))
  assert expected == pytest.approx(slope, abs=5e-6)
  np.testing.assert_allclose(measured, np.arange(1, 101) * expected, rtol=1e-5, atol=3e-7)  # ln of a float32 near 1
  assert float(rl.growth_rate(measured).rate) == pytest.approx(slope, abs=1e-5)
  for block in (("hidden", "hidden"), ("cell", "hidden")):
    assert np.all(np.isneginf(rl.product_log_norms(cell, params, xs, block=block)))


def test_several_norms_share_the_products(key):
  """Also where a direction takes over that is orthogonal to the one before."""
  cell = rl.indrnn("relu")
  params = cell.init(key, 2, 2)._replace(
    input_kernel=jnp.eye(2), recurrent_kernel=jnp.array([0.9, 0.8]), bias=jnp.zeros(2)
  )
  xs = (
    jnp.ones((30, 2)).at[5, 0].set(-100)
  )  # the stronger unit is silent at one step, so that it is lost from lag 25 on
  measured = rl.product_log_norms(cell, params, xs, norm=("frobenius", "spectral"))
  lags = np.arange(1, 31)
  expected = np.where(lags < 25, np.log(0.9), np.log(0.8)) * lags
  np.testing.assert_allclose(measured[:, 1], expected, rtol=1e-5)
  np.testing.assert_allclose(measured[:, 0], rl.product_log_norms(cell, params, xs, norm="frobenius"), rtol=1e-6)


def test_blocks_are_those_of_the_dense_product(key):
  cell, params, xs = random_net("lstm", key, steps=7)
  product = rl.jacobian_product(cell, params, xs)
  dense = np.linalg.multi_dot(np.asarray(rl.state_jacobians(cell, params, xs), np.float64)[::-1])
  blocks = rl.state_blocks(product, cell.initial_state(params))
  where = {"hidden": slice(0, 5), "cell": slice(5, 10)}
  assert set(blocks) == {(a, b) for a in where for b in where}
  for (a, b), block in blocks.items():
    np.testing.assert_allclose(block.matrix * np.exp(block.log_scale), dense[where[a], where[b]], rtol=1e-4, atol=1e-6)


def test_blocks_of_a_stack_are_those_between_its_layers(key):
  """∂S²_T/∂S¹ of the dense products; the upper layer does not act on the lower one."""
  cell = rl.stack(rl.rnn(), rl.rnn())
  params, xs = cell.init(key, 2, 3), jax.random.normal(jax.random.key(1), (6, 2))

  @jax.jit
  def measured(params):
    norms = [rl.product_log_norms(cell, params, xs, norm="frobenius", block=block) for block in ((2, 1), (1, 2))]
    return rl.state_jacobians(cell, params, xs), norms

  jacobians, (up, down) = measured(params)
  jacobians = np.asarray(jacobians, np.float64)
  for lag in range(1, 7):
    product = np.linalg.multi_dot([np.eye(6), *jacobians[::-1][:lag], np.eye(6)])
    np.testing.assert_allclose(up[lag - 1], np.log(np.linalg.norm(product[3:, :3]) / 3**0.5), rtol=1e-4, atol=1e-4)
  assert np.all(down == -np.inf)
  with pytest.raises(
    ValueError, match=r"block \(2, 3\) is unknown; choose one of \(1, 1\), \(1, 2\), \(2, 1\), \(2, 2\)"
  ):
    rl.product_log_norms(cell, params, xs, block=(2, 3))


@pytest.mark.parametrize("name", EVERY_CELL)
@pytest.mark.usefixtures("x64")
def test_state_jacobians_match_finite_differences(name, key):
  cell, params, xs = random_net(name, key, steps=3, dtype=np.float64)
  flat, unravel = jax.flatten_util.ravel_pytree(cell.initial_state(params))
  flat = flat + 0.3 * jax.random.normal(key, flat.shape)
  jacobian = rl.state_jacobians(cell, params, xs[:1], unravel(flat))[0]
  step = lambda s: np.asarray(jax.flatten_util.ravel_pytree(cell.step(params, unravel(s), xs[0])[0])[0])
  h = 1e-6
  columns = [(step(flat + h * e) - step(flat - h * e)) / (2 * h) for e in np.eye(len(flat))]
  np.testing.assert_allclose(jacobian, np.stack(columns, axis=1), atol=1e-8)


def exact_log_singular_values(jacobians):
  with mpmath.workdps(400):
    product = mpmath.eye(jacobians.shape[1])
    for jacobian in jacobians:
      product = mpmath.matrix(np.asarray(jacobian, np.float64).tolist()) * product
    return [
      float(mpmath.log(s)) if s > mpmath.mpf(10) ** -380 else -np.inf for s in mpmath.svd_r(product, compute_uv=False)
    ]


@pytest.mark.parametrize(
  ("name", "steps"),
  [
    ("rnn", 60),
    pytest.param("lstm", 40, marks=pytest.mark.slow),
    pytest.param("gru", 100, marks=pytest.mark.slow),
    ("indrnn_tanh", 50),
    ("rnn_linear", 3),
  ],
)
def test_singular_values_far_below_rounding_are_right(name, steps, key):
  """All n of them, over hundreds of nats, against 400-digit arithmetic on the same Jacobians in float64."""
  with jax.enable_x64(True):
    cell, params, xs = random_net(name, key, steps=steps, hidden=4, dtype=np.float64)
    measured = rl.product_log_singular_values(cell, params, xs)
    expected = exact_log_singular_values(rl.state_jacobians(cell, params, xs))
  assert np.all(np.diff(measured) <= 0)
  np.testing.assert_allclose(measured, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.slow
def test_singular_values_in_float32_and_by_lag(key):
  cell, params, xs = random_net("gru", key, steps=60, hidden=6)
  lags = (1, 7, 60)
  by_lag = rl.product_log_singular_values(cell, params, xs, lags=lags)
  jacobians = rl.state_jacobians(cell, params, xs)
  for values, lag in zip(by_lag, lags, strict=True):
    np.testing.assert_allclose(values, exact_log_singular_values(jacobians[-lag:]), rtol=2e-4, atol=2e-3)
  np.testing.assert_array_equal(by_lag[-1], rl.product_log_singular_values(cell, params, xs))
  # The largest is the spectral norm, and all of them together the Frobenius norm.
  spectral = rl.product_log_norms(cell, params, xs)
  np.testing.assert_allclose(by_lag[:, 0], spectral[np.array(lags) - 1], atol=1e-4)


def test_exact_zeros_are_minus_infinity_and_leave_the_rest(key):
  """Two dead relu units: rank n - 2 at every lag, no NaN."""
  cell = rl.rnn("relu")
  params = cell.init(key, 1, 6, recurrent_init="orthogonal")
  params = params._replace(
    bias=jnp.array([-1e3, -1e3, 1e3, 1e3, 1e3, 1e3]), recurrent_kernel=jnp.abs(params.recurrent_kernel)
  )
  xs = jnp.zeros((30, 1))
  values = rl.product_log_singular_values(cell, params, xs)
  np.testing.assert_array_equal(np.isneginf(values), [False] * 4 + [True] * 2)
  jacobians = rl.state_jacobians(cell, params, xs)
  expected = np.linalg.svd(np.linalg.multi_dot(np.asarray(jacobians, np.float64)[::-1]), compute_uv=False)
  np.testing.assert_allclose(values[0], np.log(expected[0]), rtol=1e-4)


def test_spectral_norm_of_hard_spectra(rng):
  """Equal, nearly equal and widely spread singular values; a zero and a NaN matrix."""
  n = 24
  q1, q2 = (np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(2))
  for values in (
    np.ones(n),
    1 - 1e-5 * np.arange(n),
    1 - 1e-3 * np.arange(n),
    np.logspace(0, -6, n),
    [1.0] + [0.0] * (n - 1),
  ):
    matrix = jnp.asarray(q1 * np.asarray(values) @ q2, jnp.float32)
    assert float(rl.log_spectral_norm(rl.ScaledMatrix(matrix, jnp.float32(-5.0)))) == pytest.approx(-5.0, abs=2e-6)
  zero = rl.log_spectral_norm(rl.ScaledMatrix(jnp.zeros((3, 3)), jnp.float32(0)))
  assert np.isneginf(zero)
  assert np.isnan(rl.log_spectral_norm(rl.ScaledMatrix(jnp.full((3, 3), jnp.nan), jnp.float32(0))))


@pytest.mark.parametrize("second", [1e-3, 0.3, 0.9])
def test_spectral_norm_is_not_misled_by_where_it_starts(second, rng):
  """The start of the power iteration is orthogonal to the largest direction, and nearly so."""
  start = np.sin(np.arange(1, 9)) + 2
  top = rng.normal(size=8)
  top -= start * (start @ top) / (start @ start)
  for tilt in (0, 1e-6):
    left = (top + tilt * start) / np.linalg.norm(top + tilt * start)
    matrix = np.outer(left, rng.normal(size=8)) + second * np.outer(start, rng.normal(size=8)) / np.linalg.norm(start)
    measured = rl.log_spectral_norm(rl.ScaledMatrix(jnp.asarray(matrix, jnp.float32), jnp.float32(0)))
    assert float(measured) == pytest.approx(np.log(np.linalg.norm(matrix, 2)), abs=2e-6)


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (6, 6)])
@pytest.mark.parametrize("gap", [1e-4, 0.5])  # one where it is squared, one where the power iteration is certified
def test_spectral_norm_and_its_derivative_for_every_shape(shape, gap, rng, x64):
  """d ln σ₁ = uᵀ dP v / σ₁."""
  u, values, vt = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
  values = np.append(1, (1 - gap) * np.linspace(1, 0.1, len(values) - 1) ** (1 if gap < 0.1 else 4))
  matrix, tangent = jnp.asarray(u * values @ vt), jnp.asarray(rng.normal(size=shape))
  norm = lambda matrix: rl.log_spectral_norm(rl.ScaledMatrix(matrix, jnp.zeros(())))
  value, slope = jax.jvp(norm, (matrix,), (tangent,))
  assert float(value) == pytest.approx(0, abs=1e-12)
  assert float(slope) == pytest.approx(u[:, 0] @ np.asarray(tangent) @ vt[0], rel=1e-6, abs=1e-6)


def test_spectral_norms_of_a_batch_are_those_of_its_members(rng):
  """Under two `vmap`s and `jvp`: some are certified at once, some are squared, and one is zero."""
  matrices = rng.normal(size=(2, 3, 5, 5)) * np.array([1, 1, 1e-3, 1e-3, 1e-3])[:, None]
  matrices[0, 0], matrices[1, 1] = np.eye(5), 0
  matrices = jnp.asarray(matrices, jnp.float32)
  norm = lambda matrix: rl.log_spectral_norm(rl.ScaledMatrix(matrix, jnp.float32(1)))
  slope = lambda matrix: jax.jvp(norm, (matrix,), (jnp.ones_like(matrix),))
  for function in (norm, slope):
    one_by_one = [[function(matrices[i, j]) for j in range(3)] for i in range(2)]
    together = jax.vmap(jax.vmap(function))(matrices)
    for i, j in np.ndindex(2, 3):
      jax.tree.map(lambda a, b, at=(i, j): np.testing.assert_allclose(a[at], b, rtol=2e-5), together, one_by_one[i][j])


def test_frobenius_norm_bounds_the_spectral_norm(key):
  """‖P‖_F/√n ≤ ‖P‖₂ ≤ ‖P‖_F."""
  cell, params, xs = random_net("lstm", key, steps=50)
  spectral = np.asarray(rl.product_log_norms(cell, params, xs))
  frobenius = np.asarray(rl.product_log_norms(cell, params, xs, norm="frobenius"))
  assert np.all(frobenius <= spectral + 1e-5)
  assert np.all(spectral <= frobenius + 0.5 * np.log(10) + 1e-5)


def test_growth_rate_finds_a_line(rng):
  lags = np.arange(1, 101)
  noise = rng.normal(0, 0.1, 100)
  fit = rl.growth_rate(jnp.asarray(2.0 - 0.05 * lags + noise, jnp.float32))
  slope, intercept = np.polyfit(lags[9:], (2.0 - 0.05 * lags + noise)[9:], 1)
  np.testing.assert_allclose(fit[:2], (slope, intercept), rtol=1e-3)
  np.testing.assert_allclose(
    fit.residual, np.std((2.0 + noise - 0.05 * lags - intercept - slope * lags)[9:]), rtol=1e-3
  )
  assert float(rl.memory_length(fit.rate)) == pytest.approx(-1 / slope, rel=1e-3)
  dead = jnp.asarray(np.where(lags < 30, -0.5 * lags, -np.inf), jnp.float32)
  np.testing.assert_allclose(rl.growth_rate(dead).rate, -0.5, rtol=1e-4)
  assert np.isneginf(rl.growth_rate(jnp.full(100, -jnp.inf)).rate)
  assert np.isnan(rl.growth_rate(jnp.full(100, jnp.nan)).rate)
  np.testing.assert_array_equal(rl.memory_length(jnp.array([0.1, 0.0, -jnp.inf, jnp.nan])), [np.inf, np.inf, 0, np.nan])
  with pytest.raises(ValueError, match="first_lag is 100; it must lie between 1 and 99"):
    rl.growth_rate(dead, first_lag=100)


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (
      lambda c, p, xs: rl.product_log_norms(c, p, xs, norm="nuclear"),
      "norm 'nuclear' is unknown; choose one of spectral",
    ),
    (lambda c, p, xs: rl.product_log_norms(c, p, xs, block=("a", "b")), "LSTMState|has no named parts"),
    (lambda c, p, xs: rl.product_log_singular_values(c, p, xs, lags=(5, 5)), r"lags are \(5, 5\); they must increase"),
    (lambda c, p, xs: rl.product_log_singular_values(c, p, xs, lags=(1, 9)), "between 1 and the 8 steps"),
    (
      lambda c, p, xs: inspect.unwrap(rl.state_jacobians)(c, p, xs[:, None]),
      r"xs has shape \(8, 1, 3\); Jacobians take one example \[T, I\], so use vmap for a batch",
    ),
  ],
)
def test_bad_input_is_named(call, message, key, monkeypatch):
  from recurrent_lab.instruments import _flat, jacobians

  monkeypatch.setattr(_flat, "checked_start", inspect.unwrap(_flat.checked_start))
  monkeypatch.setattr(jacobians, "flat_trajectory", inspect.unwrap(jacobians.flat_trajectory))
  with pytest.raises(ValueError, match=message):
    call(*random_net("rnn", key))


def test_states_that_cannot_be_differentiated_are_refused():
  counter = rl.Cell(
    lambda k, i, h: (), lambda p, batch_shape=(): jnp.zeros(batch_shape, int), lambda p, s, x: (s + 1, s)
  )
  empty = rl.Cell(lambda k, i, h: (), lambda p, batch_shape=(): (), lambda p, s, x: (s, x))
  for cell, message in ((counter, "dtype int32; only floating states"), (empty, "state of this cell is empty")):
    with pytest.raises(ValueError, match=message):
      rl.jacobian_product(cell, (), jnp.ones((3, 2)))


@pytest.mark.parametrize("activation", by_default(("relu",), ("relu", "leaky_relu", "identity")))
def test_products_through_an_overflow_are_nan(activation, key):
  """Never the plausible number that a piecewise linear slope at infinity would give."""
  cell = rl.rnn(activation)
  params = cell.init(key, 1, 4, recurrent_gain=1.0, recurrent_init="identity")
  params = params._replace(recurrent_kernel=1e3 * params.recurrent_kernel, bias=jnp.ones(4))
  xs = jnp.zeros((40, 1))
  assert np.isnan(rl.growth_rate(rl.product_log_norms(cell, params, xs)).rate)
  assert np.isnan(rl.adjoint_log_norms(lambda o: o[-1].sum(), cell, params, xs)[0])
  assert np.all(np.isnan(rl.product_log_singular_values(cell, params, xs)))


def test_an_empty_tuple_of_norms_is_refused(key):
  with pytest.raises(ValueError, match=r"norm is an empty tuple; it must name at least one norm\."):
    rl.product_log_norms(*random_net("rnn", key), norm=())
