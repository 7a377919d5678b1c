"""The timescale of a cell's initial net: a net that is stretched by 4 does in four steps what it otherwise does in one."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.transitions import Diagonal, DiagonalPlusLowRank
from tests.nets import by_default

TAU = 4.0
softplus = lambda a: np.logaddexp(a, 0)
sigmoid = lambda a: 1 / (1 + np.exp(-a))


def log_eigenvalues(cell, params):
  """The logarithms of the moduli of all eigenvalues of the transition at an input of 0, from the largest to the smallest."""
  matrix = cell.transition(params, jnp.zeros(3)).matrix
  if isinstance(matrix, DiagonalPlusLowRank):
    eigenvalues = np.linalg.eigvals(matrix.dense().matrix)
  else:
    eigenvalues = matrix.entries if isinstance(matrix, Diagonal) else matrix.real + 1j * matrix.imag
  return -np.sort(-np.log(np.abs(eigenvalues)).ravel())


# What the timescale divides. Of cells that are linear in their state, that is every exponent.
DIVIDED = {
  **dict.fromkeys(
    ("lru", "s4d", "s5", "s6", "mamba2", "rg_lru", "gated_delta_net", "rwkv6", "rwkv7"),
    log_eigenvalues,
  ),
  **dict.fromkeys(("lin_oss", "lin_oss_mixed"), lambda cell, params: sigmoid(params.step_logit)),
  "unicornn": lambda cell, params: sigmoid(params.time_scale),
  "fast_rnn": lambda cell, params: np.stack([sigmoid(params.candidate_weight), 1 - sigmoid(params.state_weight)]),
  "ltc": lambda cell, params: softplus(params.rate),
  "ltc_conductance": lambda cell, params: 1 / softplus(params.capacitance),
  "cfc": lambda cell, params: np.concatenate([leaf[..., :8].ravel() for leaf in params]),
  "cfc_backbone": lambda cell, params: params.head_kernel[:, :8],
}


@functools.cache
def program(name):
  """Draws the params of a cell at a timescale."""
  init = functools.partial(rl.get_cell(name).init, jax.random.key(0), 3, 8, dtype=jnp.float64)
  return jax.jit(lambda timescale: init(timescale=timescale))


def drawn(name, timescale):
  return rl.get_cell(name), program(name)(timescale)


@pytest.mark.parametrize("name", by_default(("lru", "mamba2", "rwkv7", "ltc"), DIVIDED))
@pytest.mark.usefixtures("x64")
def test_a_timescale_stretches_time(name):
  plain, stretched = (DIVIDED[name](*drawn(name, tau)) for tau in (1.0, TAU))
  assert np.all(np.isfinite(plain))
  np.testing.assert_allclose(stretched, plain / TAU, rtol=1e-9)


def test_all_cells_with_a_timescale_are_here():
  assert DIVIDED.keys() == {name for name, cell in rl.CELLS.items() if "timescale" in cell.options}


@pytest.mark.usefixtures("x64")
def test_a_step_that_would_be_longer_than_the_longest_is_almost_that():
  _, params = drawn("lin_oss", 0.01)
  step = sigmoid(params.step_logit)
  assert np.all(step <= 1)
  assert np.median(step) > 0.999


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_timescale_is_above_0(value):
  with pytest.raises(ValueError, match=rf"^timescale is {value}; it must be above 0\.$"):
    rl.CELLS["lru"].init(jax.random.key(0), 3, 8, timescale=value)
