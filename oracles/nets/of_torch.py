"""Nets of torch, as safetensors files of their state dicts: layers, directions and projections, and cells in a list."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import save_file
import torch
from torch import nn

from oracles.nets.net import INPUTS, Net, redrawn, weights


class Encoder(nn.Module):
  """A recurrent module under a readout, within another module, as models usually are."""

  def __init__(self, rnn: nn.Module, width: int, outputs: int):
    super().__init__()
    self.encoder = nn.ModuleDict({"rnn": rnn})
    self.head = nn.Linear(width, outputs)

  def forward(self, xs: Any) -> Any:
    return self.head(self.encoder["rnn"](xs)[0])


class Cells(nn.Module):
  """Cells in a list, each of which reads the outputs of the one below."""

  def __init__(self, *cells: nn.Module):
    super().__init__()
    self.cells = nn.ModuleList(cells)

  def forward(self, xs: Any) -> Any:
    states: list[Any] = [None] * len(self.cells)
    found = []
    for x in xs:
      for i, cell in enumerate(self.cells):
        states[i] = cell(x, states[i])
        x = states[i][0] if isinstance(states[i], tuple) else states[i]
      found.append(x)
    return torch.stack(found)


class Alone(nn.Module):
  """A recurrent module without a readout, behind the prefix of a parallel wrapper."""

  def __init__(self, rnn: nn.Module):
    super().__init__()
    self.module = rnn

  def forward(self, xs: Any) -> Any:
    return self.module(xs)[0]


def net(file: str, make: Callable[[], nn.Module], **options: Any) -> Net:
  """Draws the weights of a module, and says how to save and run it."""
  module, rng = make(), np.random.default_rng(0)
  module.load_state_dict(
    {name: torch.tensor(redrawn(tuple(array.shape), rng)) for name, array in module.state_dict().items()}
  )

  def run(xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    leaf = torch.tensor(xs, requires_grad=True)
    found = module(leaf)
    (found * torch.tensor(weights(tuple(found.shape)))).sum().backward()
    return found.detach().numpy(), np.asarray(leaf.grad)

  def save(path: Path) -> None:
    if file.endswith(".onnx"):
      example = torch.zeros(2, 1, INPUTS)
      torch.onnx.export(module, (example,), path, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "steps"}})
    else:
      save_file(module.state_dict(), path)

  return Net(file, "torch", save, run, options)


NETS = (
  net("torch_lstm.safetensors", lambda: Encoder(nn.LSTM(INPUTS, 5, 2), 5, 2)),
  net("torch_lstm.onnx", lambda: Encoder(nn.LSTM(INPUTS, 5, 2), 5, 2)),
  net("torch_gru_two_directions.safetensors", lambda: Encoder(nn.GRU(INPUTS, 4, 2, bidirectional=True), 8, 2)),
  net("torch_projection.safetensors", lambda: Encoder(nn.LSTM(INPUTS, 6, 2, proj_size=2), 2, 3)),
  net(
    "torch_projection_two_directions.safetensors",
    lambda: Alone(nn.LSTM(INPUTS, 5, 2, proj_size=2, bidirectional=True)),
  ),
  net("torch_rnn.safetensors", lambda: Alone(nn.RNN(INPUTS, 4, nonlinearity="relu", bias=False)), activation="relu"),
  net("torch_lstm_cells.safetensors", lambda: Cells(nn.LSTMCell(INPUTS, 4), nn.LSTMCell(4, 5))),
  net("torch_gru_cells.safetensors", lambda: Cells(nn.GRUCell(INPUTS, 4), nn.GRUCell(4, 4))),
  net("torch_rnn_cells.safetensors", lambda: Cells(nn.RNNCell(INPUTS, 4), nn.RNNCell(4, 3))),
)
