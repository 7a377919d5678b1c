"""torchrecurrent: cells that it computes with parts of its own, but not under a name that works as it is."""

from collections.abc import Mapping
from typing import Any
from unittest import mock

import torch
import torchrecurrent

from oracles.from_torchrecurrent import PACKAGE, scrn_weights, zeros_of
from oracles.oracle import Oracle, by_torch

DEPTH = 3  # the default of the lab's `recurrent_highway`

# The module asks for a base class that the package has not. Its cell does not use it.
with mock.patch.object(torchrecurrent.base, "BaseRecurrentLayer", torch.nn.Module, create=True):
  from torchrecurrent.cells import rhn_cell


def highway(params: Mapping[str, Any], xs: Any) -> Any:
  """Runs the package's cell with units that are made without their constructor, which calls a method that it has not."""
  hidden = params["recurrent_kernel"].shape[0]
  unused = lambda part: torch.cat([part, torch.zeros_like(part[..., :hidden])], dim=-1)  # the carry gate
  kernels, biases = params["recurrent_kernel"].chunk(DEPTH, dim=-1), params["bias"].chunk(DEPTH)
  kernels = [torch.cat([params["input_kernel"], kernels[0]]), *kernels[1:]]
  cell = rhn_cell.RHNCell.__new__(rhn_cell.RHNCell)
  torch.nn.Module.__init__(cell)
  cell.hidden_size, cell.depth, cell.couple_carry, cell.units = hidden, DEPTH, True, []
  for kernel, bias in zip(kernels, biases, strict=True):
    unit = rhn_cell.RHNCellUnit.__new__(rhn_cell.RHNCellUnit)
    torch.nn.Module.__init__(unit)
    unit.weight, unit.bias = unused(kernel).T, unused(bias)
    cell.units.append(unit)
  state, found = torch.zeros(1, hidden, dtype=xs.dtype), []
  for x in xs:
    state = cell(x[None], state)
    found.append(state[0])
  return torch.stack(found)


def scrn(params: Mapping[str, Any], xs: Any) -> Any:
  """Runs the package's cell twice per step: for the output, and with other output weights for the hidden units that recur."""
  hidden = params["recurrent_kernel"].shape[0]
  blind = params["context_kernel"] * torch.cat([torch.ones(hidden), torch.zeros(hidden)]).to(xs.dtype)
  b_h = params["bias"].chunk(2)[0]
  of_hidden = {
    **params,
    "context_kernel": blind,
    "output_kernel": torch.eye(hidden, dtype=xs.dtype) / 2,
    "bias": torch.cat([b_h, torch.zeros_like(b_h)]),
  }
  cell = torchrecurrent.SCRNCell(xs.shape[-1], hidden, alpha=0.95).double()
  weights = [{**zeros_of(cell), **scrn_weights(given)} for given in (params, of_hidden)]
  fed_back = context = torch.zeros(hidden, dtype=xs.dtype)
  found = []
  for x in xs:
    (output, new), (squashed, _) = (
      torch.func.functional_call(cell, given, (x, (fed_back, context))) for given in weights
    )
    fed_back, context = 2 * torch.atanh(squashed), new
    found.append(output)
  return torch.stack(found)


ORACLES = (
  Oracle(
    "recurrent_highway",
    PACKAGE,
    "rhn_cell.RHNCell",
    by_torch(highway),
    ("Its module cannot be imported, and its constructor fails; what is missing is put in its place here.",),
  ),
  Oracle(
    "scrn",
    PACKAGE,
    "SCRNCell",
    by_torch(scrn),
    (
      "Recurs on its output, the paper on its hidden units. The cell runs twice per step here: with U = 1/2 and no V, its output"
      " is the tanh of half the hidden units, which then recur.",
    ),
  ),
)
