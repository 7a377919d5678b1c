"""torch and torchrecurrent: cells with two biases."""

from importlib import metadata

import torch
import torchrecurrent

from oracles.layouts.record import BATCH, HIDDEN, INPUTS, draw, record, scan


def redrawn(rng, module):
  """Redraws the parameters of a module, and returns them by name."""
  arrays = {key: draw(rng, tuple(tensor.shape)) for key, tensor in module.state_dict().items()}
  module.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
  return arrays


def layer(name):
  def run(rng, xs):
    module = getattr(torch.nn, name)(INPUTS, HIDDEN)
    arrays = redrawn(rng, module)
    return arrays, module(torch.from_numpy(xs))[0].numpy()

  return run


def cell(name, states):
  def run(rng, xs):
    module = getattr(torchrecurrent, name)(INPUTS, HIDDEN)
    arrays = redrawn(rng, module)
    zeros = torch.zeros(BATCH, HIDDEN)

    def step(state, x):
      new = module(torch.from_numpy(x), state)
      return new, new[0] if states == 2 else new

    return arrays, scan(step, (zeros, zeros) if states == 2 else zeros, xs)

  return run


if __name__ == "__main__":
  torch.set_grad_enabled(False)
  record("torch", torch.__version__, {f"torch.nn.{name}": layer(name) for name in ("RNN", "LSTM", "GRU")})
  record(
    "torchrecurrent",
    metadata.version("torchrecurrent"),
    {
      "torchrecurrent.OriginalLSTMCell": cell("OriginalLSTMCell", 2),
      "torchrecurrent.PeepholeLSTMCell": cell("PeepholeLSTMCell", 2),
      "torchrecurrent.MGUCell": cell("MGUCell", 1),
    },
  )
