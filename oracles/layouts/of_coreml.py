"""Core ML: the weights of the LSTM operator to which coremltools converts an LSTM of torch, with the outputs of torch.

The operator itself runs on macOS alone, so the order of its gates is what the converter writes. The converter does not use the
operators of the GRU and of the Elman network for torch, so their order is that of their documentation.
"""

import coremltools as ct
import torch

from oracles.layouts.of_torch import redrawn
from oracles.layouts.record import BATCH, HIDDEN, INPUTS, STEPS, record


class Outputs(torch.nn.Module):
  """An LSTM that returns its outputs alone."""

  def __init__(self):
    super().__init__()
    self.lstm = torch.nn.LSTM(INPUTS, HIDDEN)

  def forward(self, xs):
    return self.lstm(xs)[0]


def lstm(rng, xs):
  module = Outputs().eval()
  redrawn(rng, module)
  traced = torch.jit.trace(module, torch.zeros(STEPS, BATCH, INPUTS))
  program = ct.convert(
    traced,
    inputs=[ct.TensorType(name="xs", shape=(STEPS, BATCH, INPUTS))],
    convert_to="milinternal",
    compute_precision=ct.precision.FLOAT32,
  )
  (operator,) = program.functions["main"].find_ops(op_type="lstm")
  arrays = {name: operator.inputs[name].val for name in ("weight_ih", "weight_hh", "bias")}
  return arrays, module(torch.from_numpy(xs)).numpy()


if __name__ == "__main__":
  torch.set_grad_enabled(False)
  note = "The operator runs on macOS alone: these are the weights that the converter writes, and the outputs of torch."
  record("coremltools", ct.__version__, {"coremltools.mil.lstm": lstm}, {"coremltools.mil.lstm": [note]})
