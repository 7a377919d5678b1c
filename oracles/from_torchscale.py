"""torchscale: retention of its authors, one step at a time."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torchscale.component.multiscale_retention import MultiScaleRetention, theta_shift

from oracles.oracle import Oracle, by_torch

PACKAGE = "torchscale"


def retnet(params: Mapping[str, Any], xs: Any) -> Any:
  q, k, v = (xs @ params["input_kernel"] + params["bias"]).chunk(3, dim=-1)
  size = q.shape[-1]
  angle = (10000.0 ** (-torch.arange(0, size, 2, dtype=xs.dtype) / size)).repeat_interleave(2)
  layer, decay = SimpleNamespace(num_heads=1, head_dim=size), torch.tensor([31 / 32], dtype=xs.dtype)
  state: dict[str, Any] = {}
  found = []
  for time in range(len(xs)):
    sin, cos = torch.sin(time * angle), torch.cos(time * angle)
    turned = [theta_shift(part[time].reshape(1, 1, 1, -1), sin, cos) for part in (q, size**-0.5 * k)]
    output = MultiScaleRetention.recurrent_forward(layer, *turned, v[time].reshape(1, 1, -1), decay, state)
    found.append((output * state["scale"].sqrt()).reshape(-1))
  return torch.stack(found)


ORACLES = (
  Oracle(
    "retnet_rotary",
    PACKAGE,
    "MultiScaleRetention.recurrent_forward",
    by_torch(retnet),
    (
      "It divides the state by √Σγ^n over the steps, which its group norm hides; the outputs are multiplied by it again here.",
      "Its layer turns by 10000^-u with u from 0 to 1 inclusive, the paper by 10000^(-2j/K) with j below K/2, as here.",
    ),
  ),
)
