"""recurrentgemma: the RG-LRU in torch. Its input is the u of the lab, because it has a unit for each input."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from unittest import mock

from recurrentgemma.torch import layers
import torch

from oracles.oracle import Oracle, by_torch

PACKAGE = "recurrentgemma"


def rg_lru(params: Mapping[str, Any], xs: Any) -> Any:
  u = xs @ params["input_kernel"]
  size = u.shape[-1]
  module = layers.RGLRU(size, num_heads=1).double()
  (w_r, w_i), (b_r, b_i) = params["gate_kernel"].chunk(2, dim=-1), params["bias"].chunk(2)
  given = {"a_param": params["decay"], "a_gate.w": w_r[None], "a_gate.b": b_r[None]}
  given |= {"input_gate.w": w_i[None], "input_gate.b": b_i[None]}
  positions = torch.arange(1, 1 + len(u))[None]  # position 0 resets the state
  in_double = partial(layers.rnn_scan, acc_dtype=torch.float64)
  with mock.patch.object(layers, "rnn_scan", in_double):
    return torch.func.functional_call(module, given, (u[None], positions))[0][0]


ORACLES = (
  Oracle(
    "rg_lru",
    PACKAGE,
    "RGLRU",
    by_torch(rg_lru),
    (
      "At position 0 it leaves out the factor √(1 - a²), which the paper has at every step; positions start at 1 here.",
      "It draws exp(-softplus(Λ)) on [0.9, 0.999], so a at r = 1 is the 8th power; the paper and the lab draw a itself there.",
      "Its slopes of the square root are bounded by 1000.",
      "Its scan accumulates in float32 by default; its argument `acc_dtype` is float64 here.",
    ),
  ),
)
