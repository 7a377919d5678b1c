"""Params of one cell are refused by every cell that does not hold the same numbers in the same places."""

from functools import partial
import itertools

import jax
from jax import lax
import jax.numpy as jnp
import pytest

import recurrent_lab as rl
from tests.nets import CLASSICS

# Cells of the atlas of every kind of state. Each has params of its own.
SOME = ("mgu", "lem", "min_gru", "lru", "delta_net", "slstm", "ltc")

# What the params of each cell hold, written down from the equations and not from the code.
HELD = {
  **dict.fromkeys([name for name in CLASSICS if name.startswith("rnn")], "U W b"),
  **dict.fromkeys(["indrnn", "indrnn_tanh"], "U u b"),
  "hopfield": "symmetric W",
  **dict.fromkeys(["lstm", "lstm_sigmoid_input"], "ifgo"),
  "lstm_1997": "igo",
  "lstm_coupled": "fgo",
  "peephole_lstm": "ifgo, peepholes",
  "peephole_lstm_coupled": "fgo, peepholes",
  "gru": "rzn, reset after",
  "gru_reset_before": "rzn, reset before",
  **dict.fromkeys(["simplified_lstm", "simplified_lstm_linear"], "ifg"),
}
HELD |= {name: name for name in SOME}
KINDS = list({held: name for name, held in HELD.items()}.values())  # one cell of each
PAIRS = [pair for pair in itertools.permutations(CLASSICS, 2) if HELD[pair[0]] != HELD[pair[1]]]


@pytest.fixture(scope="module")
def params():
  return {name: rl.CELLS[name].init(jax.random.key(0), 3, 4) for name in HELD}


def test_every_family_is_in_the_table():
  assert HELD.keys() == {*CLASSICS, *SOME}


def test_cells_that_hold_the_same_numbers_share_their_params(params):
  for one, other in itertools.permutations(CLASSICS, 2):
    if HELD[one] == HELD[other]:
      jax.eval_shape(rl.CELLS[other].step, params[one], rl.CELLS[other].initial_state(params[one]), jnp.ones(3))


CALLS = {
  "unroll": lambda cell, params, state, xs: rl.unroll(cell, params, xs),
  "unroll from a state": lambda cell, params, state, xs: rl.unroll(cell, params, xs, state),
  "product_log_norms": lambda cell, params, state, xs: rl.product_log_norms(cell, params, xs),
  "scan": lambda cell, params, state, xs: lax.scan(partial(cell.step, params), state, xs),
  "jit": lambda cell, params, state, xs: jax.jit(cell.step)(params, state, xs[0]),
}


@pytest.mark.parametrize("call", CALLS)
def test_other_params_are_refused_in_one_sentence(call, params):
  xs = jnp.ones((5, 3))
  for one, other in PAIRS if call == "unroll" else zip(KINDS, [*KINDS[1:], KINDS[0]], strict=True):
    cell, given, own = rl.CELLS[other], params[one], params[other]
    with pytest.raises(
      ValueError, match=f"^The params are {type(given).__name__}; this cell takes {type(own).__name__}[.]"
    ):
      CALLS[call](cell, given, cell.initial_state(own), xs)


COMBINED = {
  "stack": (rl.stack(rl.gru()), lambda p: (p,)),
  "learned state": (rl.learned_state(rl.gru()), lambda p: rl.LearnedStateParams(p, jnp.zeros(4))),
  "readout": (
    rl.with_readout(rl.gru(), 2),
    lambda p: rl.WithReadoutParams(p, rl.init_readout(jax.random.key(0), 4, 2)),
  ),
}


@pytest.mark.parametrize("name", COMBINED)
def test_combinators_refuse_them_too(name, params):
  cell, wrap = COMBINED[name]
  xs = jnp.ones((5, 3))
  rl.unroll(cell, wrap(params["gru"]), xs)
  with pytest.raises(ValueError, match=r"The params are ResetBeforeGRUParams; this cell takes GRUParams\."):
    rl.unroll(cell, wrap(params["gru_reset_before"]), xs)
  with pytest.raises(ValueError, match="The params are GRUParams; this cell takes LearnedStateParams"):
    rl.unroll(rl.learned_state(rl.gru()), params["gru"], xs)
