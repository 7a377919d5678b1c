"""Observes in which precision a runtime carries the cell state of an LSTM, by a sum that half precision cannot follow.

All gates are open and the candidate is 0.7 at each of 1000 steps, so c is 700. A sum in bfloat16 stops at 256, where the next
number is 2 away; one in float16 rounds each step beyond 1024 to a multiple of 1.

    python -m oracles.runtimes.half torch

prints one line of JSON per precision. `docs/runtimes.json` keeps these lines. Needs NumPy and the runtime alone.
"""

from importlib import metadata
import json
import sys

import numpy as np

STEPS, CANDIDATE, OPEN = 1000, 0.7, 20.0
# Biases of i, f, g, o; all kernels are 0.
BIAS = {"i": OPEN, "f": OPEN, "g": float(np.arctanh(CANDIDATE)), "o": OPEN}


def bias(order):
  return np.array([BIAS[gate] for gate in order], np.float32)


def of_torch():
  import torch

  torch.set_grad_enabled(False)
  for dtype in (torch.float32, torch.bfloat16, torch.float16):
    layer = torch.nn.LSTM(1, 1).to(dtype)
    for name, parameter in layer.named_parameters():
      parameter.zero_()
      if name == "bias_ih_l0":
        parameter.copy_(torch.from_numpy(bias("ifgo")))
    yield (
      "torch",
      "nn.LSTM",
      str(dtype).removeprefix("torch."),
      float(layer(torch.zeros(STEPS, 1, 1, dtype=dtype))[1][1]),
    )


def of_paddle():
  import paddle

  for dtype in ("float32", "bfloat16"):
    with paddle.amp.auto_cast(enable=dtype != "float32", dtype="bfloat16", level="O1"):
      layer = paddle.nn.LSTM(1, 1, time_major=True)
      for name, parameter in layer.named_parameters():
        parameter.set_value(bias("ifgo") if "bias_ih" in name else np.zeros(parameter.shape, np.float32))
      yield (
        "paddlepaddle",
        "nn.LSTM under auto_cast",
        dtype + " (O1)" * (dtype != "float32"),
        layer(paddle.zeros([STEPS, 1, 1]))[1][1].astype("float32").numpy().item(),
      )


def of_keras():
  import keras

  for policy in ("float32", "mixed_bfloat16", "mixed_float16"):
    layer = keras.layers.LSTM(1, return_state=True, dtype=policy)
    layer.build((1, STEPS, 1))
    layer.set_weights([np.zeros((1, 4), "f"), np.zeros((1, 4), "f"), bias("ifgo")])
    c = layer(np.zeros((1, STEPS, 1), "f"))[2]
    yield "keras", "LSTM", policy, float(np.asarray(keras.ops.cast(c, "float32")).item())


def of_flax():
  from flax import linen as nn
  import jax
  import jax.numpy as jnp

  for dtype in (jnp.float32, jnp.bfloat16, jnp.float16):
    rnn = nn.RNN(nn.OptimizedLSTMCell(1, dtype=dtype), return_carry=True, time_major=True)
    xs = jnp.zeros((STEPS, 1, 1))
    params = jax.tree.map(jnp.zeros_like, rnn.init(jax.random.key(0), xs))
    for gate in "ifgo":
      params["params"]["cell"]["h" + gate]["bias"] = jnp.full(1, BIAS[gate])
    (c, _), _ = rnn.apply(params, xs)
    yield "flax", "linen.OptimizedLSTMCell", jnp.dtype(dtype).name, float(c.item())


def of_mlx():
  from mlx import nn
  import mlx.core as mx

  for dtype in (mx.float32, mx.bfloat16, mx.float16):
    layer = nn.LSTM(1, 1)
    layer.update({"Wx": mx.zeros((4, 1)), "Wh": mx.zeros((4, 1)), "bias": mx.array(bias("ifgo"))})
    layer.set_dtype(dtype)
    c = layer(mx.zeros((1, STEPS, 1), dtype))[1][0, -1, 0]
    yield "mlx", "nn.LSTM", str(dtype).split(".")[-1], float(c.astype(mx.float32))


def of_openvino():
  import openvino as ov
  from openvino import opset5 as ops

  for hint in ("f32", None):
    x, zeros = ops.parameter([1, STEPS, 1], np.float32), ops.constant(np.zeros((1, 1, 1), np.float32))
    lengths, kernel = ops.constant(np.full(1, STEPS, np.int32)), ops.constant(np.zeros((1, 4, 1), np.float32))
    node = ops.lstm_sequence(x, zeros, zeros, lengths, kernel, kernel, ops.constant(bias("figo")[None]), 1, "FORWARD")
    options = {"INFERENCE_PRECISION_HINT": hint} if hint else {}
    compiled = ov.Core().compile_model(ov.Model([node.output(2)], [x]), "CPU", options)
    found = compiled([np.zeros((1, STEPS, 1), np.float32)])[0]
    used = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
    yield "openvino", "LSTMSequence", used + ("" if hint else " by default"), float(np.array(found).item())


def main():
  """Prints a line for each precision of the runtime that is named."""
  for package, layer, dtype, c in globals()["of_" + sys.argv[1]]():
    facts = {"package": package, "version": metadata.version(package), "of": layer, "function": "carry"}
    print(json.dumps({**facts, "precision": dtype, "c": round(c, 2)}), flush=True)


if __name__ == "__main__":
  main()
