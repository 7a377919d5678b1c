"""Variants of the cells with matrices as states: several heads, other gates, and what their transitions promise."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import recurrent_lab as rl
from recurrent_lab import cells
from recurrent_lab.cells.matrices._lmu import discretized
from tests.nets import to_float64
from tests.reference import matrices

# The variants that are not in `CELLS`, with the loops that they have to be.
VARIANTS = {
  "delta_net": (cells.delta_net(heads=2), partial(matrices.delta_net, heads=2)),
  "delta_net to -1": (
    cells.delta_net(heads=2, negative_eigenvalues=True),
    partial(matrices.delta_net, heads=2, reach=2.0),
  ),
  "gated_delta_net": (cells.delta_net(heads=2, gated=True), partial(matrices.delta_net, heads=2, gated=True)),
  "delta_product": (
    cells.delta_product(heads=2, steps=3, negative_eigenvalues=False),
    partial(matrices.delta_net, heads=2, steps=3),
  ),
  "rwkv6": (cells.rwkv6(heads=2), partial(matrices.rwkv6, heads=2)),
  "rwkv7": (cells.rwkv7(heads=2), partial(matrices.rwkv7, heads=2)),
  "titans": (cells.titans(heads=2), partial(matrices.titans, heads=2)),
  "mlstm": (cells.mlstm(heads=2), partial(matrices.mlstm, heads=2)),
  "mlstm with exp": (cells.mlstm(heads=2, forget="exp"), partial(matrices.mlstm, heads=2, forget="exp")),
  "slstm": (cells.slstm(heads=2), partial(matrices.slstm, heads=2)),
  "slstm with exp": (cells.slstm(heads=2, forget="exp"), partial(matrices.slstm, heads=2, forget="exp")),
  "ltc": (cells.ltc(unfolds=2), partial(matrices.ltc, unfolds=2)),
  "lmu": (cells.lmu(order=3, window=5.0), partial(matrices.lmu, order=3, window=5.0)),
}


def drawn(cell, key, dtype=np.float32):
  """Random params, drawn with NumPy so that no test waits for a compiler to draw them."""
  rng = np.random.default_rng(0)
  shapes = jax.eval_shape(lambda key: cell.init(key, 3, 4, dtype=dtype), key)
  return jax.tree.map(lambda a: jnp.asarray(rng.normal(0, 0.5, a.shape), dtype), shapes)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.usefixtures("x64")
def test_variants_are_their_loops(name, key):
  cell, loop = VARIANTS[name]
  params, xs = drawn(cell, key, np.float64), np.random.default_rng(1).normal(size=(6, 3))
  np.testing.assert_allclose(rl.unroll(cell, params, xs)[1], loop(to_float64(params), xs), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
  "factory", [cells.delta_net, cells.delta_product, cells.rwkv6, cells.rwkv7, cells.titans, cells.slstm, cells.mlstm]
)
def test_impossible_heads_are_refused(factory, key):
  with pytest.raises(ValueError, match=r"^heads is 0; it must be a positive integer\.$"):
    factory(heads=0)
  with pytest.raises(ValueError, match=r"^hidden_size is 5; it must be a multiple of the number of heads, 2\.$"):
    factory(heads=2).init(key, 3, 5)


def test_transitions_of_the_delta_rule_have_the_eigenvalues_of_the_papers(key):
  """I - β k kᵀ has the eigenvalue 1 - β along k and 1 elsewhere, and is a reflection for β = 2."""
  cell = cells.delta_net(negative_eigenvalues=True)
  params = drawn(cell, key)
  params = params._replace(bias=params.bias.at[-1].set(50.0))  # β = 2
  matrix = cell.transition(params, jnp.ones(3)).matrix.dense().matrix[0]
  np.testing.assert_allclose(np.linalg.eigvalsh(matrix), [-1, 1, 1, 1], atol=1e-5)
  cell = cells.delta_product(steps=2)
  params = drawn(cell, key)
  params = params._replace(bias=params.bias.at[-2:].set(50.0))
  matrix = np.asarray(cell.transition(params, jnp.ones(3)).matrix.matrix[0], np.float64)
  np.testing.assert_allclose(matrix @ matrix.T, np.eye(4), atol=1e-5)  # two reflections make a rotation
  np.testing.assert_allclose(np.linalg.det(matrix), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["delta_net", "gated_delta_net", "delta_product", "rwkv6", "rwkv7", "titans", "mlstm"])
def test_inputs_of_zero_have_finite_gradients(name, key):
  """Keys of 0 have no direction."""
  cell = rl.CELLS[name]
  params, xs = drawn(cell, key), jnp.zeros((3, 3))
  params = params._replace(bias=jnp.zeros_like(params.bias))
  slopes = jax.jit(jax.grad(lambda p, xs: jnp.sum(rl.unroll(cell, p, xs)[1]), argnums=(0, 1)))(params, xs)
  assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(slopes))


def test_the_legendre_memory_remembers_the_last_steps():
  """A constant input fills the memory with the polynomial 1: m = (u, 0, 0, …)."""
  kept, written = discretized(6, 10.0)
  m = np.zeros(6)
  for _ in range(200):
    m = kept @ m + 0.7 * written
  np.testing.assert_allclose(m, [0.7, 0, 0, 0, 0, 0], atol=1e-9)


@pytest.mark.parametrize(
  ("make", "message"),
  [
    (lambda: cells.delta_product(steps=0), "steps is 0; it must be a positive integer."),
    (lambda: cells.ltc(unfolds=0), "unfolds is 0; it must be a positive integer."),
    (lambda: cells.lmu(order=0), "order is 0; it must be a positive integer."),
    (lambda: cells.lmu(window=0.0), "window is 0.0; it must be above 0."),
    (lambda: cells.plrnn(expansion=-1), "expansion is -1; it must be 0 or a positive integer."),
    (lambda: cells.mlstm(forget="tanh"), "forget 'tanh' is unknown; choose one of sigmoid, exp."),
  ],
)
def test_impossible_variants_are_refused(make, message):
  with pytest.raises(ValueError, match=f"^{message.replace('.', '[.]')}$"):
    make()


def liquid(p, h, x):
  """dh/dt of the equation of the paper."""
  f = 1 / (1 + np.exp(-(x @ p.input_kernel + h @ p.recurrent_kernel + p.bias)))
  return -(np.logaddexp(p.rate, 0) + f) * h + f * p.level


def conducting(p, h, x):
  """dh/dt of the equation with conductances."""
  softplus = lambda a: np.logaddexp(a, 0)
  current = -softplus(p.leak) * (h - p.leak_reversal)
  for weight, slope, threshold, reversal, sender in (
    (p.input_kernel, p.input_slope, p.input_threshold, p.input_reversal, x),
    (p.recurrent_kernel, p.slope, p.threshold, p.reversal, h),
  ):
    opened = softplus(weight) / (1 + np.exp(-slope * (sender[:, None] - threshold)))
    current -= np.sum(opened * (h - reversal), axis=0)
  return current / softplus(p.capacitance)


@pytest.mark.parametrize(("factory", "slope"), [(cells.ltc, liquid), (cells.conductance_ltc, conducting)])
@pytest.mark.usefixtures("x64")
def test_liquid_networks_solve_their_differential_equations(factory, slope, key):
  """The solver is of first order: twice the steps halve the error, and the extrapolation is far better."""
  params = drawn(factory(), key, np.float64)
  x, start = jnp.array([0.5, -1.0, 0.3]), jnp.array([0.2, -0.4, 0.1, 0.6])
  p, u = to_float64(params), np.asarray(x)
  exact = solve_ivp(lambda t, h: slope(p, h, u), (0, 1), np.asarray(start), rtol=1e-11, atol=1e-12).y[:, -1]
  coarse, fine = (np.asarray(factory(unfolds).step(params, start, x)[1]) - exact for unfolds in (40, 80))
  assert np.abs(coarse).max() > 1e-4
  np.testing.assert_allclose(fine, coarse / 2, rtol=0.1, atol=1e-4 * np.abs(coarse).max())
  assert np.abs(2 * fine - coarse).max() < 0.05 * np.abs(coarse).max()
