"""Wrapped cells of other libraries: outputs are those of the imported weights, and every instrument works."""

from flax import linen as nn
from flax import nnx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.interop import from_equinox, from_flax, from_haiku, get_layout, import_weights
from tests.recurrent_lab.interop import libraries


def linen_cell(name, key):
  cell = from_flax(getattr(nn, name)(5))
  params = cell.init(key, 3, 5)
  return cell, params, params


def nnx_cell(name, key):
  module = getattr(nnx, name)(3, 5, rngs=nnx.Rngs(0))
  params = nnx.state(module, nnx.Param)
  return from_flax(module), params, nnx.to_pure_dict(params)


def haiku_cell(name, key):
  hk = pytest.importorskip("haiku", reason="Haiku is not installed")
  cell = from_haiku(lambda: getattr(hk, name)(5))
  params = cell.init(key, 3, 5)
  return cell, params, next(iter(params.values()))


def equinox_cell(name, key):
  eqx = pytest.importorskip("equinox", reason="Equinox is not installed")
  module = getattr(eqx.nn, name)(3, 5, key=key)
  cell = from_equinox(module)
  params = cell.init(key, 3, 5)
  jax.tree.map(np.testing.assert_array_equal, params, module)
  return (
    cell,
    params,
    {name: getattr(params, name) for name in ("weight_ih", "weight_hh", "bias")}
    | ({"bias_n": params.bias_n} if hasattr(params, "bias_n") else {}),
  )


WRAPPED = {
  "flax.linen.LSTMCell": linen_cell,
  "flax.linen.GRUCell": linen_cell,
  "flax.nnx.LSTMCell": nnx_cell,
  "flax.nnx.GRUCell": nnx_cell,
  "haiku.LSTM": haiku_cell,
  "haiku.GRU": haiku_cell,
  "equinox.nn.LSTMCell": equinox_cell,
  "equinox.nn.GRUCell": equinox_cell,
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_a_wrapped_cell_is_the_imported_one(kind, key):
  """Their code and ours give the same outputs and the same gradient dynamics."""
  cell, params, weights = WRAPPED[kind](kind.rpartition(".")[2], key)
  ours = rl.get_cell(get_layout(kind).cells[0])
  imported = import_weights(kind, weights)
  xs = jax.random.normal(key, (6, 2, 2, 3))
  np.testing.assert_allclose(rl.unroll(cell, params, xs)[1], rl.unroll(ours, imported, xs)[1], atol=1e-6)
  one = xs[:, 0, 0]
  np.testing.assert_allclose(
    rl.product_log_norms(cell, params, one), rl.product_log_norms(ours, imported, one), atol=1e-4
  )
  loss = lambda outputs: jnp.sum(outputs[-1] ** 2)
  np.testing.assert_allclose(
    rl.adjoint_log_norms(loss, cell, params, one), rl.adjoint_log_norms(loss, ours, imported, one), atol=1e-4
  )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flax.linen.LSTMCell", "flax.linen.GRUCell"])
def test_a_spectrum_and_the_gradient_by_lag_of_a_cell_of_linen(kind, key):
  cell, params, _ = linen_cell(kind.rpartition(".")[2], key)
  xs = jax.random.normal(key, (30, 3))
  spectrum = rl.lyapunov_spectrum(cell, params, xs)
  ours = rl.lyapunov_spectrum(rl.get_cell(get_layout(kind).cells[0]), import_weights(kind, params), xs)
  # The state (c, h) of Flax is the lab's (h, c), and over 30 steps the exponents of an LSTM know their first tangents.
  np.testing.assert_allclose(np.sum(spectrum.exponents), np.sum(ours.exponents), rtol=1e-4)
  assert spectrum.residual < 1e-4
  if kind == "flax.linen.GRUCell":
    np.testing.assert_allclose(spectrum.exponents, ours.exponents, atol=1e-3)
  by_lag = rl.gradient_by_lag(lambda outputs: jnp.sum(outputs[-1]), cell, params, xs)
  whole = jax.grad(lambda p: jnp.sum(rl.unroll(cell, p, xs)[1][-1]))(params)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a.sum(0), b, atol=1e-4), by_lag, whole)


def test_equal_modules_of_linen_are_one_cell():
  assert from_flax(nn.GRUCell(5)) is from_flax(nn.GRUCell(5))


def test_what_is_no_cell_of_flax_is_refused(key):
  with pytest.raises(ValueError, match="give from_flax the cell alone"):
    from_flax(nn.RNN(nn.LSTMCell(5)))
  with pytest.raises(ValueError, match="not Dense"):
    from_flax(nn.Dense(5))
  with pytest.raises(ValueError, match="works on 3 axes"):
    from_flax(nn.ConvLSTMCell(5, (3, 3)))
  with pytest.raises(ValueError, match="hidden_size is 4; the module has 5 units"):
    from_flax(nn.LSTMCell(5)).init(key, 3, 4)
  with pytest.raises(ValueError, match=r"take nnx\.state"):
    from_flax(nnx.LSTMCell(3, 5, rngs=nnx.Rngs(0))).init(key, 3, 5)


def test_a_deep_core_of_haiku(key):
  hk = pytest.importorskip("haiku", reason="Haiku is not installed")
  cell = from_haiku(lambda: hk.DeepRNN([hk.GRU(4), hk.LSTM(5)]))
  params = cell.init(key, 3, 5)
  xs = jax.random.normal(key, (6, 3))
  assert rl.unroll(cell, params, xs)[1].shape == (6, 5)
  assert rl.product_log_singular_values(cell, params, xs).shape == (14,)
  with pytest.raises(ValueError, match="hidden_size is 4"):
    cell.init(key, 3, 4)


def test_a_module_of_equinox_with_a_state_of_its_own(key):
  eqx = pytest.importorskip("equinox", reason="Equinox is not installed")

  class Leaky(eqx.Module):
    weight: jax.Array
    f: object

    def __call__(self, x, state):
      return 0.9 * state + self.f(self.weight @ x)

  module = Leaky(jax.random.normal(key, (5, 3)), jnp.tanh)
  params = eqx.filter(module, eqx.is_inexact_array)
  with pytest.raises(ValueError, match="Leaky is not a cell of"):
    from_equinox(module)
  with pytest.raises(ValueError, match="not tuple"):
    from_equinox((1, 2))
  cell = from_equinox(module, jnp.zeros(5))
  norms = rl.product_log_norms(cell, params, jax.random.normal(key, (6, 3)))
  np.testing.assert_allclose(norms, np.log(0.9) * np.arange(1, 7), atol=1e-5)
  with pytest.raises(ValueError, match="made with its parameters"):
    cell.init(key, 3, 5)
  assert cell.initial_state(params, (2,)).shape[-1] == libraries.HIDDEN
