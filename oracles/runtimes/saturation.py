"""Measures tanh and the sigmoid of a runtime in float32: where they reach 1, whether they pass it, and whether they ever fall.

    python -m oracles.runtimes.saturation jax

prints one line of JSON per function. `docs/runtimes.json` keeps these lines, and `docs/runtimes.md` tells what follows from them.
Needs NumPy and the runtime alone.
"""

from importlib import metadata
import json
import sys

import numpy as np

POINTS = 2**20 + 1
WIDEST = 20.0  # beyond this, every runtime returns its limits


def of_numpy():
  yield "numpy", "np.tanh", np.tanh, None


def of_jax():
  import jax
  import jax.numpy as jnp

  yield "jax", "jnp.tanh, jax.nn.sigmoid", jax.jit(jnp.tanh), jax.jit(jax.nn.sigmoid)


def of_torch():
  import torch

  run = lambda f: lambda a: f(torch.from_numpy(a)).numpy()
  yield "torch", "torch.tanh, torch.sigmoid", run(torch.tanh), run(torch.sigmoid)


def of_tensorflow():
  import tensorflow as tf

  yield "tensorflow-cpu", "tf.tanh, tf.sigmoid", lambda a: tf.tanh(a).numpy(), lambda a: tf.sigmoid(a).numpy()


def of_paddle():
  import paddle

  run = lambda f: lambda a: f(paddle.to_tensor(a)).numpy()
  yield "paddlepaddle", "paddle.tanh, sigmoid", run(paddle.tanh), run(paddle.nn.functional.sigmoid)


def of_mlx():
  import mlx.core as mx

  run = lambda f: lambda a: np.array(f(mx.array(a)))
  yield "mlx", "mx.tanh, mx.sigmoid", run(mx.tanh), run(mx.sigmoid)


def of_mxnet():
  import mxnet as mx

  run = lambda f: lambda a: f(mx.nd.array(a)).asnumpy()
  yield "mxnet", "nd.tanh, nd.sigmoid", run(mx.nd.tanh), run(mx.nd.sigmoid)


def of_dynet():
  import dynet as dy

  def run(f):
    def of_array(a):
      dy.renew_cg()
      return f(dy.inputTensor(a)).npvalue()

    return of_array

  yield "dynet", "dy.tanh, dy.logistic", run(dy.tanh), run(dy.logistic)


def of_onnxruntime():
  from onnx import TensorProto, helper, numpy_helper
  import onnxruntime

  def run(nodes, weights=()):
    floats = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"] if not weights else [1, "N", 1])
    out = helper.make_tensor_value_info("Y", TensorProto.FLOAT, None if not weights else [1, 1, "N", 1])
    graph = helper.make_graph(nodes, "g", [floats("X")], [out], [numpy_helper.from_array(w, n) for n, w in weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    shaped = lambda a: a.reshape(1, -1, 1) if weights else a
    return lambda a: session.run(None, {"X": shaped(a)})[0].reshape(-1)

  one = np.ones((1, 1, 1), np.float32)
  inside = lambda f: run(
    [helper.make_node("RNN", ["X", "W", "R"], ["Y"], hidden_size=1, activations=[f])], [("W", one), ("R", 0 * one)]
  )
  alone = lambda f: run([helper.make_node(f, ["X"], ["Y"])])
  yield "onnxruntime", "Tanh, Sigmoid", alone("Tanh"), alone("Sigmoid")
  yield "onnxruntime", "inside RNN", inside("Tanh"), inside("Sigmoid")


def of_openvino():
  import openvino as ov
  from openvino import opset5 as ops

  def run(make, shaped):
    model = make()
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda a: np.array(compiled([shaped(a)])[0]).reshape(-1)

  def alone(f):
    x = ops.parameter([POINTS], np.float32)
    return ov.Model([f(x)], [x])

  def inside():
    x = ops.parameter([POINTS, 1, 1], np.float32)
    zeros, lengths = ops.constant(np.zeros((POINTS, 1, 1), np.float32)), ops.constant(np.ones(POINTS, np.int32))
    one = np.ones((1, 1, 1), np.float32)
    weights = ops.constant(one), ops.constant(0 * one), ops.constant(0 * one[0])
    return ov.Model([ops.rnn_sequence(x, zeros, lengths, *weights, 1, "FORWARD").output(0)], [x])

  flat = lambda a: a
  yield "openvino", "Tanh, Sigmoid", run(lambda: alone(ops.tanh), flat), run(lambda: alone(ops.sigmoid), flat)
  yield "openvino", "inside RNNSequence", run(inside, lambda a: a.reshape(-1, 1, 1)), None


def of_ncnn():
  from pathlib import Path
  import tempfile

  import ncnn

  def run(name):
    folder = tempfile.TemporaryDirectory()
    param = Path(folder.name) / "net.param"
    param.write_text("7767517\n2 2\nInput data 0 1 xs\n" + name + " layer 1 1 xs ys\n")
    net = ncnn.Net()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = net.opt.use_bf16_storage = False
    assert net.load_param(str(param)) == 0
    (Path(folder.name) / "net.bin").write_bytes(b"")
    assert net.load_model(str(Path(folder.name) / "net.bin")) == 0

    def of_array(a):
      extractor = net.create_extractor()
      extractor.input("xs", ncnn.Mat(a).clone())
      return np.array(extractor.extract("ys")[1])

    of_array.kept = folder
    return of_array

  yield "ncnn", "TanH, Sigmoid", run("TanH"), run("Sigmoid")


def of_chainer():
  import chainer.functions as F

  yield "chainer", "F.tanh, F.sigmoid", lambda a: F.tanh(a).array, lambda a: F.sigmoid(a).array


def measured(function, exact):
  """Returns the facts of a function that tends to its upper limit 1."""
  a = np.linspace(-WIDEST, WIDEST, POINTS).astype(np.float32)
  found = np.asarray(function(a), np.float32).astype(np.float64)
  reached = np.flatnonzero((a > 0) & (found >= 1))
  return {
    "reaches 1 at": float(a[reached[0]]) if reached.size else None,
    "largest above 1": float(found.max() - 1),
    "largest fall": float(max(0.0, (found[:-1] - found[1:]).max())),
    "smallest": float(found.min()),
    "largest error": float(np.abs(found - exact(a.astype(np.float64))).max()),
  }


def main():
  """Prints a line for each function of the runtime that is named."""
  for package, functions, tanh, sigmoid in globals()["of_" + sys.argv[1]]():
    for name, function, exact in (("tanh", tanh, np.tanh), ("sigmoid", sigmoid, lambda a: 1 / (1 + np.exp(-a)))):
      if function is not None:
        facts = measured(function, exact)
        print(
          json.dumps(
            {"package": package, "version": metadata.version(package), "of": functions, "function": name, **facts}
          )
        )


if __name__ == "__main__":
  main()
