"""Nets of Paddle, as safetensors files of their state dicts: layers, directions, and a projection whose names are shifted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from paddle import nn
from safetensors.paddle import save_file

from oracles.nets.net import INPUTS, Net, redrawn, weights


class Encoder(nn.Layer):
  """A recurrent module under a readout."""

  def __init__(self, rnn: Any, width: int, outputs: int):
    super().__init__()
    self.rnn = rnn
    self.head = nn.Linear(width, outputs)

  def forward(self, xs: Any) -> Any:
    return self.head(self.rnn(xs)[0])


def net(file: str, make: Callable[[], Any], **options: Any) -> Net:
  """Draws the weights of a module, and says how to save and run it."""
  module, rng = make(), np.random.default_rng(0)
  for parameter in module.parameters():
    parameter.set_value(redrawn(tuple(parameter.shape), rng))

  def run(xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    leaf = paddle.to_tensor(xs[None], stop_gradient=False)
    found = module(leaf)[0]
    (found * paddle.to_tensor(weights(tuple(found.shape)))).sum().backward()
    return found.numpy(), leaf.grad.numpy()[0]

  return Net(file, "paddlepaddle", lambda path: save(module, path), run, options)


def save(module: Any, path: Path) -> None:
  """Writes the state dict."""
  save_file(module.state_dict(), str(path))


NETS = (
  net("paddle_gru_two_directions.safetensors", lambda: Encoder(nn.GRU(INPUTS, 4, 2, direction="bidirect"), 8, 8)),
  net("paddle_projection.safetensors", lambda: Encoder(nn.LSTM(INPUTS, 5, 2, proj_size=2), 2, 2)),
)
