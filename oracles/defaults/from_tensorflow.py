"""TensorFlow: the cells of `tf.compat.v1.nn.rnn_cell`, whose LSTM adds 1 to the forget gate at run time.

With Keras 3 they are hidden from the public module, and this imports them from where they are defined.
"""

import os
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from tensorflow.python.keras.layers.legacy_rnn import rnn_cell_impl

from oracles.defaults.arrays import opened, ordered, over_both
from oracles.defaults.statistics import Fields

PACKAGE = "tensorflow-cpu"
warnings.simplefilter("ignore")  # that the cells are deprecated


def drawn(kind: str, seed: int, inputs: int, units: int) -> tuple[list[np.ndarray], np.ndarray]:
  """Returns the weights of a cell, and its last state `[H]` after one step from x = 0 and a state of h = 0 and c = 1."""
  with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    tf.compat.v1.set_random_seed(seed)
    cell = getattr(rnn_cell_impl, kind)(units)
    state = cell.zero_state(1, tf.float32)
    if "LSTM" in kind:
      state = type(state)(c=tf.ones((1, units)), h=state.h)
    _, new = cell(tf.zeros((1, inputs)), state)
    session.run(tf.compat.v1.global_variables_initializer())
    return session.run(cell.weights), session.run(new.c if "LSTM" in kind else new)[0].astype(np.float64)


def lstm(kind: str):
  """Returns the draws of an LSTM."""

  def draw(seed: int, inputs: int, units: int) -> Fields:
    (kernel, bias), cell = drawn(kind, seed, inputs, units)
    return opened(over_both(ordered(kernel, "igfo", "ifgo"), ordered(bias, "igfo", "ifgo"), inputs), cell)

  return draw


def gru(seed: int, inputs: int, units: int) -> Fields:
  (gates, gate_bias, candidate, bias), _ = drawn("GRUCell", seed, inputs, units)
  return over_both(np.concatenate([gates, candidate], axis=1), np.concatenate([gate_bias, bias]), inputs)


def rnn(seed: int, inputs: int, units: int) -> Fields:
  (kernel, bias), _ = drawn("BasicRNNCell", seed, inputs, units)
  return over_both(kernel, bias, inputs)


ROOM = "tensorflow.compat.v1.nn.rnn_cell"
CLASSES = {
  **{f"{ROOM}.{kind}": lstm(kind) for kind in ("LSTMCell", "BasicLSTMCell")},
  f"{ROOM}.GRUCell": gru,
  f"{ROOM}.BasicRNNCell": rnn,
}
