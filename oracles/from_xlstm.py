"""xlstm: the pure torch steps of the sLSTM and of the mLSTM."""

from collections.abc import Mapping
from typing import Any

import torch
from xlstm.blocks.mlstm.backends import recurrent_step_stabilized_simple
from xlstm.blocks.slstm.src.vanilla import slstm_forward, slstm_pointwise_function_registry

from oracles.oracle import Oracle, by_torch

PACKAGE = "xlstm"


def slstm(params: Mapping[str, Any], xs: Any) -> Any:
  size = params["recurrent_kernel"].shape[0]
  states = torch.zeros(4, 1, size, dtype=xs.dtype)
  kernel, pointwise = params["recurrent_kernel"].T[None], slstm_pointwise_function_registry["slstm"]
  # States and gates are written into zeros, so that gradients flow through the states of all steps.
  return slstm_forward((xs @ params["input_kernel"])[:, None], states, kernel, params["bias"], pointwise)[0][0, 1:, 0]


def mlstm(params: Mapping[str, Any], xs: Any) -> Any:
  size = (params["bias"].shape[0] - 2) // 4
  a = xs @ params["input_kernel"]
  bias_of_keys = params["bias"][size : 2 * size]
  c, n, m = (torch.zeros(1, 1, *own, dtype=xs.dtype) for own in ((size, size), (size, 1), (1, 1)))
  found = []
  for now in a:
    q, k, v, o, i, f = (now + params["bias"]).split([size] * 4 + [1, 1])
    k = now[size : 2 * size] + size**0.5 * bias_of_keys  # the step divides keys by √K, with their bias
    q, k, v, i, f = (part.clone()[None, None, None] for part in (q, k, v, i, f))
    h, (c, n, m) = recurrent_step_stabilized_simple(c, n, m, q, k, v, i, f, eps=0.0)
    found.append(torch.sigmoid(o) * h.flatten())
  return torch.stack(found)


ORACLES = (
  Oracle(
    "slstm",
    PACKAGE,
    "slstm_forward",
    by_torch(slstm),
    (
      "While the normalizers of a whole batch are 0, the package sets m = a_i instead of the maximum; outputs are the same.",
    ),
  ),
  Oracle(
    "mlstm",
    PACKAGE,
    "recurrent_step_stabilized_simple",
    by_torch(mlstm),
    (
      "The package divides keys by √K after adding their bias, the paper before.",
      "The package adds 1e-6 to the denominator; the paper and the lab do not, and `eps` is 0 here.",
    ),
  ),
)
