"""fla-core: its element-wise linear recurrence, for cells whose gates and candidates are given to it."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.functional import logsigmoid, silu

from oracles.from_fla_core import IN_DOUBLE, PACKAGE, InDouble, load, run
from oracles.oracle import Oracle, by_torch

GATES_GIVEN = "The function is the recurrence h = e^g ⊗ h + x alone; gates and candidates are computed here."


def recur(written: Any, log_kept: Any) -> Any:
  """Returns h `[T, H]` of h_t = e^g ⊗ h_{t-1} + x_t."""
  return load("hgrn/naive").naive_recurrent_hgrn(written[None], log_kept[None])[0][0]


def qrnn_f(params: Mapping[str, Any], a: Any) -> Any:
  del params
  z, forget = a.chunk(2, dim=-1)
  return recur(torch.sigmoid(-forget) * torch.tanh(z), logsigmoid(forget))


def qrnn_ifo(params: Mapping[str, Any], a: Any) -> Any:
  del params
  z, forget, output, write = a.chunk(4, dim=-1)
  return torch.sigmoid(output) * recur(torch.sigmoid(write) * torch.tanh(z), logsigmoid(forget))


def hgrn(params: Mapping[str, Any], xs: Any) -> Any:
  """In a frame that turns by θ per step, the recurrence of the real and of the imaginary part is that of the real form."""
  a = xs @ params["input_kernel"] + params["bias"]
  forget, real, imag, gates = a.tensor_split([part * params["angle"].shape[0] for part in (1, 2, 3)], dim=-1)
  turn = torch.polar(torch.ones_like(forget), torch.arange(len(xs))[:, None] * params["angle"])
  written = torch.sigmoid(-forget) * torch.complex(silu(real), silu(imag)) / turn
  with InDouble():
    h = turn * torch.complex(*(recur(part, logsigmoid(forget)) for part in (written.real, written.imag)))
  return (torch.sigmoid(gates) * torch.cat([h.real, h.imag], dim=-1)) @ params["output_kernel"]


ORACLES = (
  Oracle("qrnn_f", PACKAGE, "naive_recurrent_hgrn", run(qrnn_f), (IN_DOUBLE, GATES_GIVEN)),
  Oracle("qrnn_ifo", PACKAGE, "naive_recurrent_hgrn", run(qrnn_ifo), (IN_DOUBLE, GATES_GIVEN)),
  Oracle(
    "hgrn",
    PACKAGE,
    "naive_recurrent_hgrn",
    by_torch(hgrn),
    (
      IN_DOUBLE,
      "It is the real form. Written in a frame that turns by θ per step, both parts of the complex form are that recurrence.",
    ),
  ),
)
