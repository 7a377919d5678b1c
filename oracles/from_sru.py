"""sru: the simple recurrent unit. Its recurrence in plain torch runs here; it compiles its kernels when it is imported."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from oracles.oracle import Arrays, Oracle, by_torch

PACKAGE = "sru"


def interleaved(columns: Any, blocks: int) -> Any:
  """Returns columns with the blocks of one unit side by side, from columns with the units of one block side by side."""
  return columns.unflatten(-1, (blocks, -1)).transpose(-1, -2).flatten(-2)


def sru() -> Callable[[Arrays, np.ndarray], tuple[np.ndarray, Arrays]]:
  from sru import SRUCell
  import torch

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    cell = SRUCell(xs.shape[-1], params["bias"].shape[0] // 2, rescale=False).double()
    given = {
      "weight": interleaved(params["input_kernel"], 4),
      "weight_c": params["recurrent_kernel"],
      "bias": params["bias"],
    }
    return torch.func.functional_call(cell, given, (xs[:, None],))[0][:, 0]

  return by_torch(outputs)


def qrnn() -> Callable[[Arrays, np.ndarray], tuple[np.ndarray, Arrays]]:
  """Gives the first version of the recurrence, whose gates do not see c, the gates and the candidate of the lab."""
  from sru import SRUCell
  import torch

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    hidden = params["bias"].shape[0] // 3
    z, f, o = (xs[:, None] @ params["input_kernel"] + params["bias"]).chunk(3, dim=-1)
    gates = torch.nn.Identity()
    gates.forward = lambda _: interleaved(torch.cat([z.tanh(), f, o], dim=-1), 3).flatten(0, 1)
    cell = SRUCell(xs.shape[-1], hidden, custom_m=gates, v1=True, has_skip_term=False).double()
    return cell(xs[:, None])[0][:, 0]

  return by_torch(outputs)


ORACLES = (
  Oracle(
    "sru",
    PACKAGE,
    "SRUCell",
    sru(),
    (
      "The factor α of the highway is in its columns of the weights, as its `rescale` does at the start for unequal sizes.",
    ),
  ),
  Oracle(
    "qrnn",
    PACKAGE,
    "SRUCell(v1=True, has_skip_term=False)",
    qrnn(),
    ("It runs fo-pooling; gates and candidate come from its argument `custom_m`, with the tanh of the paper.",),
  ),
)
