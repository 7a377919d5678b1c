"""The mistakes of a first hour get a sentence that says what was meant.

The type checker of the tests would refuse some of them first, so those functions are called without it.
"""

import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab._checks import check_key
from tests.support.own_cells import leaky

RNN = rl.rnn()
PARAMS = RNN.init(jax.random.key(0), 2, 3)
OWN = leaky.init(jax.random.key(0), 2, 3)
XS = np.ones((4, 2), np.float32)
LOSS = lambda outputs: jnp.sum(outputs)


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (lambda: RNN.init(0, 2, 3), "key is 0; a random key is what jax.random.key(0) returns."),
    (lambda: rl.get_cell("lru").init(key=1.5, input_size=2, hidden_size=3), "key is 1.5; a random key"),
    (lambda: inspect.unwrap(rl.chrono)(3, 4, 10), "key is 3; a random key"),
    (lambda: inspect.unwrap(rl.draw_masks)(3, PARAMS, 0.5), "key is 3; a random key"),
    (lambda: inspect.unwrap(rl.init_readout)(3, 4, 10), "key is 3; a random key"),
    (lambda: inspect.unwrap(rl.init_bidirectional)(RNN, RNN, 3, 4, 10), "key is 3; a random key"),
    (lambda: inspect.unwrap(rl.training.init_params)(3, RNN, rl.tasks.adding(10), 4), "key is 3; a random key"),
    (
      lambda: rl.unroll("rnn", PARAMS, XS),
      "cell is the text 'rnn'; recurrent_lab.get_cell('rnn') is the cell of that name.",
    ),
    (lambda: inspect.unwrap(rl.stack)("rnn", "gru"), "cell is the text 'rnn'"),
    (
      lambda: rl.product_log_norms(PARAMS, RNN, XS),
      "cell is RNNParams, and params is a Cell; the order is cell, params, xs.",
    ),
    (
      lambda: rl.gradient_by_lag(RNN, LOSS, PARAMS, XS),
      "cell is function, and loss is a Cell; the order is loss, cell, params, xs.",
    ),
    (lambda: rl.unroll(RNN, XS, PARAMS), "xs is RNNParams, and params is an array; the order is params, xs."),
    (lambda: rl.product_log_norms(leaky, XS, OWN), "xs is dict, and params is an array; the order is params, xs."),
    (lambda: rl.unroll(RNN, PARAMS, None), "xs is NoneType; it must be an array [T, ..., I]."),
    (lambda: rl.unroll(3, PARAMS, XS), "cell is int; it must be a Cell."),
  ],
)
def test_the_sentence_says_what_was_meant(call, message):
  with pytest.raises(ValueError, match=re.escape(message)):
    call()


def test_lists_of_numbers_and_of_arrays_are_arrays():
  expected = rl.unroll(RNN, PARAMS, XS)[1]
  np.testing.assert_array_equal(rl.unroll(RNN, PARAMS, XS.tolist())[1], expected)
  np.testing.assert_array_equal(rl.unroll(RNN, PARAMS, list(jnp.asarray(XS)))[1], expected)
  np.testing.assert_array_equal(jax.jit(lambda xs: rl.unroll(RNN, PARAMS, list(xs))[1])(XS), expected)


def test_keys_of_both_kinds_are_keys():
  for key in (jax.random.key(0), jax.random.PRNGKey(0), np.array([1, 2], np.uint32)):
    check_key(key)
  jax.eval_shape(check_key, jax.random.key(0))
  for number in (0, np.int32(3), [1, 2], jnp.zeros(2)):
    with pytest.raises(ValueError, match=r"a random key is what jax.random.key\(0\) returns"):
      check_key(number)
