"""The lab reads nets of other runtimes as `docs/runtimes.md` says: states above 1, carries in half precision, and its tables."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from oracles.runtimes import facts
import recurrent_lab as rl
from recurrent_lab.interop import import_weights

OBSERVED = facts.load()


def test_the_tables_of_the_page_are_what_was_observed():
  page = facts.PAGE.read_text()
  assert facts.written(page, OBSERVED) == page


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_states_above_1_have_the_slopes_of_their_preactivations(name, rng):
  """A state of tanh may be 1 + 2.4e-7, as the Tanh of onnxruntime returns. ln(1 - h²) is NaN there."""
  above = np.float32(1) + 2 * np.finfo(np.float32).eps
  assert max(fact["largest above 1"] for fact in OBSERVED if fact["function"] == "tanh") >= above - 1
  with np.errstate(invalid="ignore"):
    assert np.isnan(np.log(1 - above**2))
  cell = rl.get_cell(name)
  draw = lambda leaf: jnp.asarray(rng.normal(0, 0.5, leaf.shape), jnp.float32)
  params = jax.tree.map(draw, cell.init(jax.random.key(0), 2, 4))
  norms = jax.jit(lambda state, xs: rl.product_log_norms(cell, params, xs, state))
  at = lambda value: jax.tree.map(lambda leaf: jnp.full_like(leaf, value), cell.initial_state(params))
  xs = jnp.asarray(rng.normal(0, 30, (6, 2)), jnp.float32)  # deep in saturation
  found = norms(at(above), xs)
  assert np.all(np.isfinite(found))
  np.testing.assert_allclose(found, norms(at(1.0), xs), rtol=1e-4)


@pytest.mark.parametrize(("dtype", "precision"), [(jnp.float32, "float32"), (jnp.bfloat16, "bfloat16")])
def test_the_carry_has_the_precision_of_the_params_as_in_torch(dtype, precision):
  bias = np.repeat([20.0, 20.0, np.arctanh(0.7), 20.0], 1)
  arrays = {
    "weight_ih_l0": np.zeros((4, 1)),
    "weight_hh_l0": np.zeros((4, 1)),
    "bias_ih_l0": bias,
    "bias_hh_l0": 0 * bias,
  }
  params = import_weights("torch.nn.LSTM", {key: array.astype(dtype) for key, array in arrays.items()})
  assert {leaf.dtype for leaf in params} == {np.dtype(dtype)}
  state, _ = jax.jit(lambda params, xs: rl.unroll(rl.get_cell("lstm"), params, xs))(params, jnp.zeros((1000, 1), dtype))
  (torch,) = (f["c"] for f in OBSERVED if (f["package"], f.get("precision")) == ("torch", precision))
  np.testing.assert_allclose(float(state.cell[0]), torch, rtol=1e-4)


def test_a_checkpoint_keeps_its_dtype_and_whole_numbers_are_refused():
  arrays = {"weight_ih_l0": np.ones((20, 3)), "weight_hh_l0": np.ones((20, 5))}
  assert import_weights("torch.nn.LSTM", arrays).input_kernel.dtype == np.float64
  with pytest.raises(ValueError, match="dtype int64; they need one floating dtype"):
    import_weights("torch.nn.LSTM", {name: array.astype(np.int64) for name, array in arrays.items()})
