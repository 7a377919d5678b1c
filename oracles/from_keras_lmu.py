"""keras-lmu: the Legendre memory unit of its authors, in TensorFlow."""

from collections.abc import Mapping
from typing import Any

import keras
import keras_lmu
import numpy as np
import tensorflow as tf

from oracles.oracle import Arrays, Oracle, weights

PACKAGE = "keras-lmu"
WINDOW = 16.0  # the default of the lab's `lmu`


def unrolled(leaves: Mapping[str, Any]) -> Any:
  """Returns the outputs of all steps `[T, H]`."""
  inputs, hidden = leaves["input_kernel"].shape
  order = leaves["memory_encoder"].shape[0]
  inner = keras.layers.SimpleRNNCell(hidden, use_bias=False, dtype="float64")
  cell = keras_lmu.LMUCell(
    1, order, WINDOW, inner, hidden_to_memory=True, memory_to_memory=True, input_to_hidden=True, dtype="float64"
  )
  cell.build((1, inputs))
  given = [
    (cell.kernel, tf.concat([leaves["input_encoder"], leaves["hidden_encoder"]], 0)[:, None]),
    (cell.recurrent_kernel, leaves["memory_encoder"][:, None]),
    (inner.kernel, tf.concat([leaves["memory_kernel"], leaves["input_kernel"]], 0)),
    (inner.recurrent_kernel, leaves["recurrent_kernel"]),
  ]
  state, found = [tf.zeros((1, order), tf.float64), tf.zeros((1, hidden), tf.float64)], []
  # In this scope a variable has the value that is given, and gradients flow to it.
  with keras.StatelessScope(state_mapping=given):
    for x in tf.unstack(leaves["xs"]):
      output, state = cell(x[None], state)
      found.append(output[0])
  return tf.stack(found)


def run(params: Arrays, xs: np.ndarray) -> tuple[np.ndarray, Arrays]:
  """Runs the cell, and differentiates it with a tape."""
  leaves = {name: tf.constant(value) for name, value in {**params, "xs": xs}.items()}
  with tf.GradientTape() as tape:
    tape.watch(leaves)
    found = unrolled(leaves)
    total = tf.reduce_sum(weights(tuple(found.shape)) * found)
  return found.numpy(), {name: slope.numpy() for name, slope in tape.gradient(total, leaves).items()}


ORACLES = (
  Oracle(
    "lmu",
    PACKAGE,
    "LMUCell",
    run,
    (
      "By default the package leaves out the connections from h and m to u and from x to h; they are switched on here.",
    ),
  ),
)
