"""Variants of the cells whose state decays by entries, their initialisations, and the exponents that follow from them."""

from functools import partial
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab import cells
from recurrent_lab.cells.elementwise._s5 import hippo_normal
from tests.nets import by_default, random_net, to_float64
from tests.reference import elementwise

# The variants that are not in `CELLS`, with the loops that they have to be.
VARIANTS = {
  "gla": (cells.gla(heads=2, rank=3), partial(elementwise.gla, heads=2)),
  "hgrn": (cells.hgrn(floor=0.9), partial(elementwise.hgrn, floor=0.9)),
  "hgrn real": (cells.hgrn("real", floor=0.9), partial(elementwise.hgrn_real, floor=0.9)),
  "hgrn real to -1": (cells.hgrn("real", floor=-1.0), partial(elementwise.hgrn_real, floor=-1.0)),
  "hgrn2": (cells.hgrn2(heads=2, floor=0.5), partial(elementwise.hgrn2, heads=2, floor=0.5)),
  "linear_attention": (cells.linear_attention(heads=2), partial(elementwise.linear_attention, heads=2)),
  "mamba2": (cells.mamba2(heads=2), partial(elementwise.mamba2, heads=2)),
  "retnet": (cells.retnet(heads=4), partial(elementwise.retnet, heads=4)),
  "retnet rotary": (cells.retnet(heads=2, rotary=True), partial(elementwise.retnet, heads=2, rotary=True)),
  "s4d": (cells.s4d(states=3), elementwise.s4d),
  "s6": (cells.s6(states=3, rank=2), elementwise.s6),
  "s6 to -1": (
    cells.s6(states=3, rank=2, negative_eigenvalues=True),
    partial(elementwise.s6, negative_eigenvalues=True),
  ),
}

# Hidden sizes and keyword arguments of `init` that are impossible, with the message.
IMPOSSIBLE = {
  "lru": (
    cells.lru,
    {"max_radius": 1.5},
    "The radii lie between 0.0 and 1.5; they need 0 <= min_radius <= max_radius <= 1.",
  ),
  "lru angle": (cells.lru, {"max_angle": 0.0}, "max_angle is 0.0; it must be above 0."),
  "rg_lru": (
    cells.rg_lru,
    {"max_radius": 1.0},
    "The radii lie between 0.9 and 1.0; they need 0 < min_radius <= max_radius < 1.",
  ),
  "s5": (cells.s5, {"min_step": 0.5}, "The steps lie between 0.5 and 0.1; they need 0 < min_step <= max_step."),
  "s4d": (cells.s4d(), {"spectrum": "log"}, "spectrum 'log' is unknown; choose one of lin, inv, real."),
  "heads": (cells.gla(heads=3), {}, "hidden_size is 4; it must be a multiple of the number of heads, 3."),
  "rotary": (
    cells.retnet(heads=4, rotary=True),
    {},
    "hidden_size is 4; with rotary it must be an even multiple of the number of heads, 4.",
  ),
}


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.usefixtures("x64")
def test_variants_are_their_loops(name, key):
  cell, loop = VARIANTS[name]
  rng = np.random.default_rng(0)
  shapes = jax.eval_shape(lambda key: cell.init(key, 3, 4, dtype=np.float64), key)
  params = jax.tree.map(lambda a: jnp.asarray(rng.normal(0, 0.5, a.shape)), shapes)
  xs = rng.normal(size=(6, 3))
  np.testing.assert_allclose(rl.unroll(cell, params, xs)[1], loop(to_float64(params), xs), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
  ("factory", "given", "message"),
  [
    (cells.gla, {"heads": 0}, "heads is 0; it must be a positive integer."),
    (cells.gla, {"rank": 0}, "rank is 0; it must be a positive integer."),
    (cells.s4d, {"states": 0}, "states is 0; it must be a positive integer."),
    (cells.s6, {"rank": 0}, "rank is 0; it must be a positive integer."),
    (cells.hgrn, {"floor": -1.5}, "floor is -1.5; it must be at least -1 and below 1."),
    (cells.hgrn2, {"floor": 1.0}, "floor is 1.0; it must be at least -1 and below 1."),
  ],
)
def test_impossible_variants_are_refused(factory, given, message):
  with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
    factory(**given)


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_initial_values_are_refused(name, key):
  cell, given, message = IMPOSSIBLE[name]
  with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
    cell.init(key, 3, 4, **given)


# The exponents of cells whose transition depends on no input, in nats per step, from their params in NumPy.
FIXED = {
  "lru": lambda p: np.repeat(-np.exp(p.log_decay), 2),
  "s4d": lambda p: np.repeat(-np.exp(p.log_step[:, None] + p.log_decay).ravel(), 2),
  "s5": lambda p: np.repeat(-np.exp(p.log_step + p.log_decay), 2),
  "lin_oss": lambda p: np.repeat(-np.log1p(elementwise.sigmoid(p.step_logit) ** 2 * np.maximum(p.stiffness, 0)) / 2, 2),
  "retnet": lambda p: np.full(16, np.log(31 / 32)),
  "retnet_rotary": lambda p: np.full(16, np.log(31 / 32)),
  "linear_attention": lambda p: np.zeros(20),
}


@pytest.mark.parametrize("name", by_default(("lru", "linear_attention"), FIXED))
@pytest.mark.usefixtures("x64")
def test_exponents_are_those_of_the_fixed_transition(name, key):
  """Over 2000 steps, because blocks with complex eigenvalues have their exponents only in the long run."""
  cell, params, _ = random_net(name, key, hidden=4, dtype=np.float64)
  if name == "lin_oss":
    params = params._replace(stiffness=jnp.abs(params.stiffness) + 0.5)  # no spring is loose
  xs = jnp.zeros((2000, 3))
  found = rl.lyapunov_spectrum(cell, params, xs).exponents
  np.testing.assert_allclose(found, np.sort(FIXED[name](to_float64(params)))[::-1], atol=3e-3)


def test_the_mixed_oscillator_conserves_volume_and_the_implicit_one_does_not(key):
  _, params, xs = random_net("lin_oss", key, hidden=4, steps=2)
  params = params._replace(stiffness=jnp.abs(params.stiffness) + 0.5)
  volume = lambda name: np.linalg.det(rl.CELLS[name].transition(params, xs).matrix.matrix)
  np.testing.assert_allclose(volume("lin_oss_mixed"), 1, rtol=1e-5)
  assert np.all(volume("lin_oss") < 1)


def test_initial_eigenvalues_lie_where_the_papers_put_them(key):
  lru = cells.lru.init(key, 3, 1000, min_radius=0.5, max_radius=0.9, max_angle=0.3)
  radius, angle = np.exp(-np.exp(lru.log_decay)), np.exp(lru.log_angle)
  assert 0.5 <= radius.min() < 0.52
  assert 0.88 < radius.max() <= 0.9
  assert np.mean(radius**2) == pytest.approx((0.25 + 0.81) / 2, abs=0.02)  # uniform in area
  assert angle.max() <= 0.3
  np.testing.assert_allclose(np.exp(lru.log_scale) ** 2, 1 - radius**2, rtol=1e-4)

  griffin = cells.rg_lru.init(key, 3, 1000)
  fastest = np.exp(-8 * np.log1p(np.exp(griffin.decay)))
  assert 0.899 < fastest.min() < 0.905
  assert 0.99 < fastest.max() < 0.9991

  mamba = cells.s6().init(key, 3, 1000)
  steps = np.log1p(np.exp(mamba.bias))
  assert 1e-3 * 0.99 < steps.min() < 2e-3
  assert 0.05 < steps.max() < 0.1 * 1.01


@pytest.mark.usefixtures("x64")
def test_s5_starts_as_the_normal_part_of_hippo(key):
  """Its real parts, frequencies and eigenvectors give back the matrix, and its kernels the real B and C."""
  size = 4
  frequencies, vectors = hippo_normal(size)
  root = np.sqrt(np.arange(2 * size) + 0.5)
  legs = -np.tril(np.sqrt(np.outer(2 * np.arange(2 * size) + 1, 2 * np.arange(2 * size) + 1)), -1)
  legs -= np.diag(np.arange(1, 2 * size + 1))
  expected = legs + np.outer(root, root)
  eigenvalues = np.diag(-0.5 + 1j * frequencies)
  np.testing.assert_allclose(2 * (vectors @ eigenvalues @ vectors.conj().T).real, expected, atol=1e-10)

  params = to_float64(cells.s5.init(key, 3, size, dtype=np.float64))
  b = elementwise.as_complex(params.input_kernel)
  real_b = 2 * (b @ vectors.T).real
  assert np.std(real_b) == pytest.approx(3**-0.5, rel=0.5)
  np.testing.assert_allclose(real_b @ vectors.conj(), b, atol=1e-10)
