"""The table of tests that every cell of the atlas passes, and what their structures promise."""

import functools
from functools import partial
import json
from pathlib import Path

import jax
from jax import export
import jax.flatten_util
import jax.numpy as jnp
from jax.test_util import check_grads
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.initializers import InitOptions
from tests import reference
from tests.nets import ATLAS, by_default, random_net, slow, to_float64

GOLDEN = Path(__file__).parent / "golden"
PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
# One cell of every kind of state and of every structure meets all tests by default; the others, as exhaustive tests.
KINDS = ("mgu", "lem", "min_gru", "lru", "gla", "gated_delta_net", "mlstm")
LINEAR = [name for name in ATLAS if rl.CELLS[name].transition is not None]


def jacobians_of(cell, params, xs):
  """`(outputs, J_1 … J_T)` from a loop over steps and `jacfwd` of a flat state."""
  state, unravel = jax.flatten_util.ravel_pytree(cell.initial_state(params))
  outputs, found = [], []
  for x in xs:
    step = lambda s, x=x: (new := cell.step(params, unravel(s), x), (jax.flatten_util.ravel_pytree(new[0])[0], new[1]))[
      1
    ]
    found.append(jax.jacfwd(lambda s, step=step: step(s)[0])(state))
    state, output = step(state)
    outputs.append(output)
  return jnp.stack(outputs), jnp.stack(found)


@functools.cache
def measure(name):
  """The program `(params, xs) -> (outputs, slopes)` of a cell, where slopes are those of Σ cos(k) o_k for the k-th number o_k."""

  def loss(params, xs):
    outputs = rl.unroll(rl.CELLS[name], params, xs)[1]
    return jnp.sum(jnp.cos(jnp.arange(outputs.size)).reshape(outputs.shape) * outputs), outputs

  def run(params, xs):
    (_, outputs), slopes = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)(params, xs)
    return outputs, slopes

  return jax.jit(run)


@pytest.mark.parametrize("name", ATLAS)
@pytest.mark.usefixtures("x64")
def test_cell_is_its_reference_loop_and_its_gradients_are_those_of_the_loop(name, key):
  """Outputs to 1e-12 in float64. The gradient of the scan against central differences of the NumPy loop along one direction."""
  _, params, xs = random_net(name, key, steps=6, hidden=4, dtype=np.float64)
  loop = lambda params, xs: reference.CELLS[name](to_float64(params), to_float64(xs))
  expected = loop(params, xs)
  outputs, slopes = measure(name)(params, xs)
  assert all(leaf.dtype == np.float64 for leaf in jax.tree.leaves((params, outputs)))
  np.testing.assert_allclose(outputs, expected, rtol=1e-12, atol=1e-12)

  rng = np.random.default_rng(0)
  direction = jax.tree.map(lambda a: rng.normal(size=a.shape), (params, xs))
  loss = lambda size: np.cos(np.arange(expected.size)) @ loop(*moved(size)).ravel()
  moved = lambda size: jax.tree.map(lambda a, d: a + size * d, (params, xs), direction)
  slope = sum(jax.tree.leaves(jax.tree.map(lambda s, d: np.sum(s * d), slopes, direction)))
  np.testing.assert_allclose(slope, (loss(1e-6) - loss(-1e-6)) / 2e-6, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
@pytest.mark.usefixtures("x64")
def test_cell_is_what_another_library_computed(path):
  """Outputs and gradients of an independent implementation, in float64. `make oracles` writes these files."""
  golden = json.loads(path.read_text())
  cell = rl.get_cell(golden["cell"])
  kind = type(cell.init(jax.random.key(0), 3, 4))
  array = lambda values: jnp.asarray(values, jnp.float64)
  params = kind(**{field: array(values) for field, values in golden["params"].items()})
  outputs, (slopes, slope_of_xs) = measure(golden["cell"])(params, array(golden["xs"]))
  np.testing.assert_allclose(outputs, golden["outputs"], rtol=golden["tolerance"], atol=golden["tolerance"])
  for field, expected in golden["slopes"].items():
    np.testing.assert_allclose(
      {**slopes._asdict(), "xs": slope_of_xs}[field], expected, rtol=golden["tolerance"], atol=golden["tolerance"]
    )


@pytest.mark.parametrize("name", by_default(KINDS, ATLAS, pytest.mark.exhaustive))
def test_instruments_agree_with_jacobians_by_jacfwd(name, key):
  """Jacobians, the adjoint of the first state and the sum of gradients by lag, in float32."""
  cell, params, xs = random_net(name, key, steps=4, hidden=4)
  outputs, expected = jax.jit(partial(jacobians_of, cell))(params, xs)
  weight = np.cos(np.arange(outputs[-1].size)).reshape(outputs[-1].shape)
  loss = lambda outputs: jnp.sum(weight * outputs[-1])
  scale = np.abs(expected).max()
  np.testing.assert_allclose(rl.state_jacobians(cell, params, xs), expected, rtol=1e-4, atol=1e-5 * scale)
  (direct,) = jax.jit(jax.grad(lambda xs: loss(rl.unroll(cell, params, xs)[1]), argnums=(0,)))(xs)
  by_lag = rl.gradient_by_lag(loss, cell, params, xs)
  leaf, field = next((leaf, field) for leaf, field in zip(by_lag, by_lag._fields, strict=True) if leaf.size)
  total = jax.jit(jax.grad(lambda params: loss(rl.unroll(cell, params, xs)[1])))(params)
  np.testing.assert_allclose(leaf.sum(0), getattr(total, field), rtol=1e-3, atol=1e-5)
  assert np.all(np.isfinite(direct))


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.usefixtures("x64")
def test_gradients_match_finite_differences_in_both_modes(name, key):
  cell, params, xs = random_net(name, key, steps=3, hidden=4, dtype=np.float64)
  outputs = lambda p, xs: rl.unroll(cell, *jax.tree.map(jnp.asarray, (p, xs)))[1]
  check_grads(outputs, (params, xs), order=1, modes=("fwd", "rev"), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", slow(KINDS, ATLAS))
def test_float32_batch_and_lowering(name, key):
  """Float32 against the loop, a batch against its members, and lowering of the products for every platform."""
  cell, params, xs = random_net(name, key, hidden=4)
  state, outputs = rl.unroll(cell, params, xs)
  assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves((params, state, outputs)))
  expected = reference.CELLS[name](to_float64(params), to_float64(xs))
  np.testing.assert_allclose(outputs, expected, rtol=2e-4, atol=2e-4)

  batch = jax.random.normal(key, (6, 2, 3))  # [T, B, I]
  together = rl.unroll(cell, params, batch)[1]
  apart = [rl.unroll(cell, params, batch[:, i])[1] for i in range(2)]
  np.testing.assert_allclose(together, np.stack(apart, axis=1), rtol=1e-4, atol=1e-5)

  lowered = export.export(jax.jit(partial(rl.product_log_norms, cell)), platforms=PLATFORMS)(params, xs)
  assert set(lowered.platforms) == set(PLATFORMS)


@pytest.mark.parametrize("name", by_default(KINDS, ATLAS, pytest.mark.exhaustive))
def test_what_a_cell_declares_is_true(name, key):
  """Its probe has finite log-slopes, its output is that of its step, and its own initialisation takes the options it names."""
  cell, params, xs = random_net(name, key, hidden=4)
  own = cell.init(key, 3, 4)
  assert type(own) is type(params)
  state = cell.initial_state(own)
  new, output = cell.step(own, state, xs[0])
  if cell.output is not None:
    jax.tree.map(np.testing.assert_array_equal, cell.output(own, new), output)
  for seen in cell.probe(own, state, xs[0]).values():
    assert seen.value.shape == seen.log_slope.shape
    assert not np.any(np.isnan(seen.log_slope))
  assert set(cell.options) <= set(InitOptions._fields)
  assert set(rl.recommended(cell, key, 4, 20)) <= set(cell.options)
  for option in set(InitOptions._fields) - set(cell.options):
    with pytest.raises(ValueError, match=f"^This cell has no {option}; its options are "):
      cell.init(key, 3, 4, **{option: getattr(InitOptions(), option)})


@pytest.mark.parametrize(
  "name",
  by_default(
    KINDS,
    [name for name in ATLAS if rl.CELLS[name].gated and "forget_bias" in rl.CELLS[name].options],
    pytest.mark.exhaustive,
  ),
)
def test_chrono_biases_move_no_gate_by_more_than_they_are(name, key):
  """A gate that both keeps and writes gets one of them, since it would otherwise remember for the square of the steps."""
  cell = rl.CELLS[name]
  chrono = {option: value for option, value in rl.chrono(key, 4, 30).items() if option in cell.options}
  plain, moved = (cell.init(key, 3, 4, **options) for options in ({"forget_bias": 0.0}, chrono))
  change = np.abs(np.asarray(moved.bias) - np.asarray(plain.bias))
  assert 0 < change.max() <= np.abs(chrono["forget_bias"]).max() * (1 + 1e-6)


@pytest.mark.parametrize("name", by_default(KINDS, LINEAR))
def test_the_transition_is_the_step(name, key):
  """From a random state, in a batch: A S + b with the structure that the cell declares."""
  cell, params, xs = random_net(name, key, hidden=4)
  rng = np.random.default_rng(1)
  state = jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape), a.dtype), cell.initial_state(params, (2,)))
  matrix, offset = cell.transition(params, xs[:2])
  expected = jax.tree.map(jnp.add, matrix.times(state), offset)
  jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-5), cell.step(params, state, xs[:2])[0], expected)
