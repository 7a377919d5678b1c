"""Nets that the examples measure, trained by torch and Keras to repeat their input five steps later.

    python -m oracles.nets.trained

Each prints its loss, and what a net that always says 0 would have. The files are kept in `examples/nets`.
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras
from keras import layers as kl
import numpy as np
from safetensors.torch import save_file
import torch
from torch import nn

FOLDER = Path(__file__).parents[2] / "examples" / "nets"
UNITS, STEPS, LAG, BATCH, UPDATES = 12, 30, 5, 64, 1500


def batch(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns inputs `[B, T, 1]` and what the net should put out: the input of five steps before."""
  xs = rng.normal(0, 1, (count, STEPS, 1)).astype(np.float32)
  return xs, np.concatenate([np.zeros((count, LAG, 1), np.float32), xs[:, :-LAG]], axis=1)


class Net(nn.Module):
  """Two layers of an LSTM under a linear layer."""

  def __init__(self) -> None:
    super().__init__()
    self.rnn = nn.LSTM(1, UNITS, 2, batch_first=True)
    self.head = nn.Linear(UNITS, 1)

  def forward(self, xs: torch.Tensor) -> torch.Tensor:
    return self.head(self.rnn(xs)[0])


def by_torch() -> None:
  """Trains the net of torch, and saves its state dict."""
  torch.manual_seed(0)
  rng, net = np.random.default_rng(0), Net()
  optimiser = torch.optim.Adam(net.parameters(), 1e-2)
  for _ in range(UPDATES):
    xs, ys = map(torch.from_numpy, batch(rng, BATCH))
    loss = ((net(xs) - ys) ** 2).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
  save_file(net.state_dict(), FOLDER / "torch_two_layer_lstm.safetensors")
  print(f"torch {torch.__version__}: loss {float(loss):.4f}; always 0: {1 - LAG / STEPS:.4f}")


def by_keras() -> None:
  """Trains the net of Keras, and saves it whole."""
  keras.utils.set_random_seed(0)
  net = keras.Sequential([keras.Input((None, 1)), kl.GRU(UNITS, return_sequences=True), kl.Dense(1)])
  net.compile(keras.optimizers.Adam(1e-2), "mse")
  xs, ys = batch(np.random.default_rng(0), BATCH * UPDATES)
  losses = net.fit(xs, ys, batch_size=BATCH, verbose=0).history["loss"]
  plain = keras.Sequential(net.layers)  # without the state of the optimiser
  plain.build((None, None, 1))
  plain.save(FOLDER / "gru.keras", overwrite=True)
  loss = float(np.mean((np.asarray(net(xs[:1000])) - ys[:1000]) ** 2))
  print(f"keras {keras.__version__}: loss {loss:.4f}, on the way {losses[-1]:.4f}; always 0: {1 - LAG / STEPS:.4f}")


if __name__ == "__main__":
  FOLDER.mkdir(exist_ok=True)
  by_torch()
  by_keras()
