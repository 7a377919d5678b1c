"""torch: its recurrent cells with a parametrization of the recurrent kernel."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.utils.parametrizations import orthogonal

from oracles.oracle import Oracle, by_torch

PACKAGE = "torch"


def orthogonal_rnn(orthogonal_map: str) -> Any:
  """Returns the run of an `RNNCell` with an orthogonal recurrent kernel."""

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    inputs, hidden = params["input_kernel"].shape
    cell = orthogonal(torch.nn.RNNCell(inputs, hidden).double(), "weight_hh", orthogonal_map, use_trivialization=False)
    # The package maps the lower triangle X to the kernel of X - Xᵀ, which is the transpose of the kernel of the lab.
    free = params["recurrent_kernel"]
    given = {
      "weight_ih": params["input_kernel"].T,
      "bias_ih": params["bias"],
      "bias_hh": torch.zeros_like(params["bias"]),
      "parametrizations.weight_hh.original": (free.T - free).tril(),
    }
    state, found = torch.zeros(hidden, dtype=xs.dtype), []
    for x in xs:
      state = torch.func.functional_call(cell, given, (x, state))
      found.append(state)
    return torch.stack(found)

  return by_torch(outputs)


ORACLES = (
  Oracle("orthogonal_rnn", PACKAGE, "parametrizations.orthogonal(RNNCell)", orthogonal_rnn("matrix_exp")),
  Oracle("orthogonal_rnn_cayley", PACKAGE, "parametrizations.orthogonal(RNNCell)", orthogonal_rnn("cayley")),
)
