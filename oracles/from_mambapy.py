"""mambapy: the selective scan of Mamba in torch, without the convolution and the gate of its block."""

from collections.abc import Mapping
from typing import Any

from mambapy.mamba import MambaBlock, MambaConfig
import torch

from oracles.from_fla_core import IN_DOUBLE, InDouble
from oracles.oracle import Oracle, by_torch

PACKAGE = "mambapy"


def s6(params: Mapping[str, Any], xs: Any) -> Any:
  size, states = params["log_decay"].shape
  rank = params["step_kernel"].shape[0]
  config = MambaConfig(size, 1, dt_rank=rank, d_state=states, expand_factor=1, pscan=False)
  block = MambaBlock(config).double()
  given = {
    "x_proj.weight": params["selection_kernel"].T,
    "dt_proj.weight": params["step_kernel"].T,
    "dt_proj.bias": params["bias"],
    "A_log": params["log_decay"],
    "D": torch.zeros(size, dtype=xs.dtype),
  }
  block.forward = lambda u: block.ssm(u, None)  # type: ignore[method-assign]
  with InDouble():
    return torch.func.functional_call(block, given, ((xs @ params["input_kernel"])[None],))[0]


ORACLES = (
  Oracle(
    "s6",
    PACKAGE,
    "MambaBlock.ssm",
    by_torch(s6),
    (IN_DOUBLE, "Its skip connection D u is set to 0, for the lab has none."),
  ),
)
