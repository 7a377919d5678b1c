"""TensorFlow: its raw operators BlockLSTM, BlockLSTMV2 and GRUBlockCell. Gates, bias and clip are those of the defaults."""

import numpy as np
import tensorflow as tf

from oracles.layouts.record import BATCH, HIDDEN, INPUTS, STEPS, draw, record, scan

ZEROS = np.zeros((BATCH, HIDDEN), np.float32)


def lstm(operator, peepholes=False):
  def run(rng, xs):
    arrays = {"w": draw(rng, (INPUTS + HIDDEN, 4 * HIDDEN)), "b": draw(rng, (4 * HIDDEN,))}
    names = ("wci", "wcf", "wco")
    seen = {name: draw(rng, (HIDDEN,)) if peepholes else np.zeros(HIDDEN, np.float32) for name in names}
    found = operator(
      seq_len_max=tf.constant(STEPS, tf.int64),
      x=xs,
      cs_prev=ZEROS,
      h_prev=ZEROS,
      use_peephole=peepholes,
      **arrays,
      **seen,
    )
    assert np.abs(found.cs.numpy()).max() < 3, "the clip of c acted"
    return {**arrays, **(seen if peepholes else {})}, found.h.numpy()

  return run


def gru(rng, xs):
  arrays = {
    "w_ru": draw(rng, (INPUTS + HIDDEN, 2 * HIDDEN)),
    "w_c": draw(rng, (INPUTS + HIDDEN, HIDDEN)),
    "b_ru": draw(rng, (2 * HIDDEN,)),
    "b_c": draw(rng, (HIDDEN,)),
  }
  step = lambda h, x: (tf.raw_ops.GRUBlockCell(x=x, h_prev=h, **arrays).h,) * 2
  return arrays, scan(step, ZEROS, xs)


if __name__ == "__main__":
  defaults = ["By default it adds 1 to the forget gate and clips c at ±3; no c came so far here."]
  record(
    "tensorflow",
    tf.__version__,
    {
      "tensorflow.raw_ops.BlockLSTM": lstm(tf.raw_ops.BlockLSTM),
      "tensorflow.raw_ops.BlockLSTM(use_peephole=True)": lstm(tf.raw_ops.BlockLSTM, peepholes=True),
      "tensorflow.raw_ops.BlockLSTMV2": lstm(tf.raw_ops.BlockLSTMV2),
      "tensorflow.raw_ops.GRUBlockCell": gru,
    },
    dict.fromkeys(["tensorflow.raw_ops.BlockLSTM", "tensorflow.raw_ops.BlockLSTM(use_peephole=True)"], defaults),
  )
