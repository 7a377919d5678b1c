"""minGRU-pytorch: the minimal GRU and LSTM in log space. Their linear maps have no bias, so it comes from an input of 1."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from oracles.oracle import Oracle, by_torch

PACKAGE = "minGRU-pytorch"


def layer(name: str, order: Sequence[int]) -> Any:
  """Returns the run of the layer `name`, whose gates have the order `order` of the lab's."""
  import torch

  kind = getattr(import_module(f"minGRU_pytorch.{name}"), name)

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    hidden = params["bias"].shape[0] // len(order)
    kernel = torch.cat([params["input_kernel"], params["bias"][None]])
    gates = kernel.chunk(len(order), dim=-1)
    weight = torch.cat([gates[i] for i in order], dim=-1).T
    module = kind(hidden, proj_out=False).double()
    (field,) = dict(module.named_parameters())
    inputs = torch.cat([xs, torch.ones_like(xs[:, :1])], dim=-1)[None]
    return torch.func.functional_call(module, {field: weight}, (inputs,))[0]

  return by_torch(outputs)


NOTE = "The linear map has no bias; the lab's bias is the weight of an input of 1."

ORACLES = (
  Oracle("min_gru", PACKAGE, "minGRU", layer("minGRU", (1, 0)), (NOTE,)),
  Oracle(
    "min_lstm",
    PACKAGE,
    "minLSTM",
    layer("minLSTM", (2, 0, 1)),
    (NOTE, "Given a previous state, its parallel form passes it through g again; only runs from 0 are compared."),
  ),
)
