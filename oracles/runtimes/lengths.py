"""Observes what a runtime puts out behind the end of a sequence that is shorter than its batch, and which state it returns.

    python -m oracles.runtimes.lengths torch

prints one line of JSON per layer. `docs/runtimes.json` keeps these lines. Needs NumPy and the runtime alone.
"""

from importlib import metadata
import json
import sys

import numpy as np

INPUTS, HIDDEN, STEPS, SHORT = 3, 4, 6, 4
PADDING = 1.5  # stands behind the end


def of_torch():
  import torch
  from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

  torch.set_grad_enabled(False)
  for both in (False, True):
    layer = torch.nn.LSTM(INPUTS, HIDDEN, bidirectional=both)

    def run(xs, lengths, layer=layer):
      packed, (h, _) = layer(pack_padded_sequence(torch.from_numpy(xs), torch.tensor(lengths), enforce_sorted=False))
      return pad_packed_sequence(packed, total_length=len(xs))[0].numpy(), h.numpy()

    yield "torch", "LSTM with pack_padded_sequence", run, both


def of_paddle():
  import paddle

  for both in (False, True):
    layer = paddle.nn.LSTM(INPUTS, HIDDEN, time_major=True, direction="bidirect" if both else "forward")

    def run(xs, lengths, layer=layer):
      outputs, (h, _) = layer(paddle.to_tensor(xs), sequence_length=paddle.to_tensor(lengths))
      return outputs.numpy(), h.numpy()

    yield "paddlepaddle", "LSTM with sequence_length", run, both


def of_keras():
  import keras

  for both in (False, True):
    layer = keras.layers.LSTM(HIDDEN, return_sequences=True, return_state=True)
    layer = keras.layers.Bidirectional(layer) if both else layer

    def run(xs, lengths, layer=layer):
      mask = np.arange(len(xs))[None] < np.array(lengths)[:, None]
      outputs, *states = layer(xs.swapaxes(0, 1), mask=mask)
      hidden = states[::2] if len(states) == 4 else states[:1]
      return np.asarray(outputs).swapaxes(0, 1), np.stack([np.asarray(h) for h in hidden])

    yield "keras", "LSTM with a mask", run, both


def of_flax():
  from flax import linen as nn
  import jax

  for both in (False, True):
    layer = nn.RNN(nn.LSTMCell(HIDDEN), return_carry=True, time_major=True)
    if both:
      backwards = nn.RNN(nn.LSTMCell(HIDDEN), return_carry=True, time_major=True, reverse=True, keep_order=True)
      layer = nn.Bidirectional(nn.RNN(nn.LSTMCell(HIDDEN)), backwards, return_carry=True, time_major=True)
    params = layer.init(jax.random.key(0), np.zeros((STEPS, 2, INPUTS), np.float32))

    def run(xs, lengths, layer=layer, params=params, both=both):
      carry, outputs = layer.apply(params, xs, seq_lengths=np.array(lengths))
      hidden = [c[1] for c in carry] if both else [carry[1]]
      return np.asarray(outputs), np.stack([np.asarray(h) for h in hidden])

    yield "flax", "linen.RNN(LSTMCell) with seq_lengths", run, both


def of_onnxruntime():
  from onnx import TensorProto, helper, numpy_helper
  import onnxruntime

  for both in (False, True):
    rng, count = np.random.default_rng(0), 1 + both
    weights = {"W": (count, 4 * HIDDEN, INPUTS), "R": (count, 4 * HIDDEN, HIDDEN), "B": (count, 8 * HIDDEN)}
    stored = [numpy_helper.from_array(rng.normal(0, 0.5, s).astype(np.float32), n) for n, s in weights.items()]
    direction = "bidirectional" if both else "forward"
    node = helper.make_node("LSTM", ["X", "W", "R", "B", "L"], ["Y", "Y_h"], hidden_size=HIDDEN, direction=direction)
    info = helper.make_tensor_value_info
    ins = [info("X", TensorProto.FLOAT, ["T", 2, INPUTS]), info("L", TensorProto.INT32, [2])]
    outs = [info("Y", TensorProto.FLOAT, None), info("Y_h", TensorProto.FLOAT, None)]
    model = helper.make_model(
      helper.make_graph([node], "g", ins, outs, stored), opset_imports=[helper.make_opsetid("", 14)], ir_version=8
    )
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def run(xs, lengths, session=session):
      outputs, h = session.run(None, {"X": xs, "L": np.array(lengths, np.int32)})
      return np.concatenate(np.moveaxis(outputs, 1, 0), axis=-1), h

    yield "onnxruntime", "LSTM with sequence_lens", run, both


def of_openvino():
  import openvino as ov
  from openvino import opset5 as ops

  def compiled(steps, both):
    rng, count = np.random.default_rng(0), 1 + both
    draw = lambda *shape: ops.constant(rng.normal(0, 0.5, shape).astype(np.float32))
    weights = draw(count, 4 * HIDDEN, INPUTS), draw(count, 4 * HIDDEN, HIDDEN), draw(count, 4 * HIDDEN)
    zeros = ops.constant(np.zeros((2, count, HIDDEN), np.float32))
    x, lengths = ops.parameter([2, steps, INPUTS], np.float32), ops.parameter([2], np.int32)
    direction = "BIDIRECTIONAL" if both else "FORWARD"
    node = ops.lstm_sequence(x, zeros, zeros, lengths, *weights, HIDDEN, direction)
    model = ov.Model([node.output(0), node.output(1)], [x, lengths])
    return ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

  for axis in ("fixed", "dynamic"):
    for both in (False, True):

      def run(xs, lengths, axis=axis, both=both):
        net = compiled(len(xs) if axis == "fixed" else -1, both)
        found = net([np.ascontiguousarray(xs.swapaxes(0, 1)), np.array(lengths, np.int32)])
        outputs, h = np.array(found[0]), np.array(found[1])  # [B, directions, T, H] and [B, directions, H]
        return np.concatenate(outputs.transpose(1, 2, 0, 3), axis=-1), h.swapaxes(0, 1)

      yield "openvino", f"LSTMSequence with sequence_lengths, {axis} number of steps", run, both


def of_mxnet():
  import mxnet as mx

  for both in (False, True):
    layer = mx.gluon.rnn.LSTM(HIDDEN, input_size=INPUTS, use_sequence_length=True, bidirectional=both)
    layer.initialize(mx.init.Uniform(0.5))

    def run(xs, lengths, layer=layer):
      outputs, (h, _) = layer(mx.nd.array(xs), layer.begin_state(2), sequence_length=mx.nd.array(lengths))
      return outputs.asnumpy(), h.asnumpy()

    yield "mxnet", "gluon LSTM with use_sequence_length", run, both


def observed(run, both):
  """Returns what stands behind the end and which state is returned, as one of a few words."""
  rng = np.random.default_rng(1)
  xs = rng.normal(size=(STEPS, 2, INPUTS)).astype(np.float32)
  xs[SHORT:, 1] = PADDING
  outputs, h = run(np.ascontiguousarray(xs), [STEPS, SHORT])
  whole, _ = run(np.ascontiguousarray(xs), [STEPS, STEPS])
  alone, alone_h = run(np.ascontiguousarray(xs[:SHORT]), [SHORT, SHORT])
  behind, same = outputs[SHORT:, 1, :HIDDEN], lambda a, b: bool(np.allclose(a, b, atol=1e-6))
  words = {
    "0": same(behind, 0),
    "the last output again": same(behind, alone[-1, 1, :HIDDEN]),
    "outputs of the padding": same(behind, whole[SHORT:, 1, :HIDDEN]),
  }
  facts = {
    "behind the end": next((word for word, holds in words.items() if holds), "something else"),
    "state": "at the length" if same(h[0, 1], alone_h[0, 1]) else "at the end of the batch",
    "before the end": "as if alone"
    if same(outputs[:SHORT, 1, :HIDDEN], alone[:, 1, :HIDDEN])
    else "changed by the padding",
  }
  if both:
    apart = same(outputs[:SHORT, 1, HIDDEN:], alone[:, 1, HIDDEN:])
    facts["backwards"] = "starts at the length" if apart else "starts in the padding"
  return facts


def main():
  """Prints a line for each layer of the runtime that is named."""
  for package, layer, run, both in globals()["of_" + sys.argv[1]]():
    facts = {"package": package, "version": metadata.version(package), "of": layer, "function": "lengths", "both": both}
    print(json.dumps({**facts, **observed(run, both)}))


if __name__ == "__main__":
  main()
