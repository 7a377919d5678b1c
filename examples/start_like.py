"""Starts a net of torch, Keras or Flax with the default weights of another library.

    python -m examples.start_like

prints the memory of an LSTM of Flax at its own default weights and at those of Keras, before a single update.

The numbers are those of a row of docs/library_memory.md. Every function stands alone and can be copied.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import recurrent_lab as rl
from recurrent_lab.interop import import_weights


class Start(NamedTuple):
  """The numbers of a row of docs/library_memory.md, which say where a class starts."""

  own: float  # standard deviation of W_x times √I
  recurrent: float  # that of W_h times √H; not used where W_h is orthogonal
  is_orthogonal: bool  # whether the block of W_h of each gate is orthogonal
  bias: float  # standard deviation of b times √H
  opened: float  # added to the bias of the gate that keeps the state: f of an LSTM, z of a GRU


def start_torch(net: Any, start: Start) -> None:
  """Draws all weights of a `torch.nn.LSTM`, `GRU` or `RNN` in place. Its second bias becomes 0, but for that of n in a GRU."""
  import torch

  units = net.hidden_size
  with torch.no_grad():
    for name, values in net.named_parameters():
      if name.startswith("weight_ih"):
        values.normal_(std=start.own / values.shape[1] ** 0.5)
      elif name.startswith("weight_hh"):
        for gate in values.split(units):
          if start.is_orthogonal:
            torch.nn.init.orthogonal_(gate)
          else:
            gate.normal_(std=start.recurrent / units**0.5)
      elif name.startswith("bias_ih"):
        values.normal_(std=start.bias / units**0.5)
        values[units : 2 * units] += start.opened  # i f g o, and r z n; an RNN has no such gate
      elif name.startswith("bias_hh"):
        values.zero_()
        if values.numel() == 3 * units:
          values[2 * units :].normal_(std=start.bias / units**0.5)  # inside of the reset


def start_keras(layer: Any, units: int, start: Start, seed: int = 0, **others: Any) -> Any:
  """Returns a `keras.layers.LSTM`, `GRU` or `SimpleRNN`, given as the class, with these initial weights."""
  rng, kind = np.random.default_rng(seed), layer.__name__

  def gate(shape: tuple[int, int]) -> np.ndarray:
    if not start.is_orthogonal:
      return rng.normal(0, start.recurrent / units**0.5, shape)
    q, r = np.linalg.qr(rng.normal(size=shape))
    return q * np.sign(np.diag(r))

  def recurrent_kernel(shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
    return np.concatenate([gate((units, units)) for _ in range(shape[1] // units)], axis=1)

  def bias(shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
    values = np.zeros(shape)
    first, *inner = values.reshape(-1, shape[-1])
    first += rng.normal(0, start.bias / units**0.5, first.shape)
    for row in inner:  # a GRU that resets after the product has one; its last part is inside of the reset
      row[2 * units :] = rng.normal(0, start.bias / units**0.5, units)
    place = {"LSTM": 1, "GRU": 0}.get(kind, 1)  # i f c o, and z r h; a SimpleRNN has no such gate
    first[place * units : (place + 1) * units] += start.opened
    return values

  return layer(
    units,
    kernel_initializer=lambda shape, dtype=None: rng.normal(0, start.own / shape[0] ** 0.5, shape),
    recurrent_initializer=recurrent_kernel,
    bias_initializer=bias,
    **({"unit_forget_bias": False} if kind == "LSTM" else {}),
    **others,
  )


def start_flax(params: Mapping[str, Any], key: jax.Array, start: Start) -> dict[str, dict[str, jax.Array]]:
  """Returns new `params` of a cell of `flax.linen`: `LSTMCell`, `OptimizedLSTMCell`, `GRUCell` or `SimpleCell`."""
  drawn = {}
  for number, (name, dense) in enumerate(sorted(params.items())):
    k_kernel, k_bias = jax.random.split(jax.random.fold_in(key, number))
    rows, units = dense["kernel"].shape
    if name.startswith("h") and start.is_orthogonal:
      kernel = jax.random.orthogonal(k_kernel, units)
    else:
      scale = start.recurrent if name.startswith("h") else start.own
      kernel = scale / rows**0.5 * jax.random.normal(k_kernel, (rows, units))
    drawn[name] = {"kernel": kernel}
    if "bias" in dense:
      drawn[name]["bias"] = start.bias / units**0.5 * jax.random.normal(k_bias, (units,))
      drawn[name]["bias"] += start.opened if name in ("hf", "iz") else 0.0
  return drawn


def memory(params: Mapping[str, Any], xs: jax.Array) -> float:
  """Returns the memory -1/rate of an LSTM of Flax, in steps."""
  net = import_weights("flax.linen.LSTMCell", params)
  return float(rl.memory_length(rl.growth_rate(rl.product_log_norms(rl.get_cell("lstm"), net, xs)).rate))


def main() -> tuple[float, float]:
  """Prints and returns the memory at the weights of Flax and at those of Keras."""
  from flax import linen as nn

  units, key = 128, jax.random.key(0)
  xs = jax.random.normal(jax.random.key(1), (200, units))
  cell = nn.OptimizedLSTMCell(units)
  params = cell.init(key, cell.initialize_carry(key, (units,)), jnp.zeros(units))["params"]
  keras = Start(own=0.632, recurrent=0.5, is_orthogonal=False, bias=0.0, opened=1.0)
  before, after = memory(params, xs), memory(start_flax(params, key, keras), xs)
  print(f"The memory is {before:.2f} steps as Flax starts, and {after:.2f} as Keras starts.")
  return before, after


if __name__ == "__main__":
  main()
