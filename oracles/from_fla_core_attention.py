"""fla-core: the recurrences of linear attention with and without decay, in plain torch."""

from collections.abc import Mapping
from typing import Any

import torch

from oracles.from_fla_core import IN_DOUBLE, PACKAGE, InDouble, load, run
from oracles.oracle import Oracle, by_torch


def heads(*parts: Any) -> list[Any]:
  """Returns arrays `[T, K]` with axes for one sequence and one head, `[1, T, 1, K]`."""
  return [part[None, :, None] for part in parts]


def hgrn_real(params: Mapping[str, Any], a: Any) -> Any:
  del params
  forget, c, g = a.chunk(3, dim=-1)
  written = torch.sigmoid(-forget) * torch.nn.functional.silu(c)
  function = load("hgrn/naive").naive_recurrent_hgrn
  return function(written[None], torch.nn.functional.logsigmoid(forget)[None])[0][0] * torch.sigmoid(g)


def retnet(params: Mapping[str, Any], a: Any) -> Any:
  del params
  return load("retention/naive").naive_retention(*(part[None, None] for part in a.chunk(3, dim=-1)))


def linear_attention(params: Mapping[str, Any], a: Any) -> Any:
  del params
  q, k, v = a.chunk(3, dim=-1)
  positive = lambda a: torch.nn.functional.elu(a) + 1
  return load("linear_attn/naive").naive_recurrent_linear_attn(*heads(positive(q), positive(k), v), normalize=True)[0]


def hgrn2(params: Mapping[str, Any], a: Any) -> Any:
  del params
  q, forget, v = a.chunk(3, dim=-1)
  q = torch.sigmoid(q) * q.shape[-1] ** 0.5
  function = load("gla/naive").naive_recurrent_gla
  return function(*heads(q, torch.sigmoid(-forget), v, torch.nn.functional.logsigmoid(forget)))[0]


def gla(params: Mapping[str, Any], xs: Any) -> Any:
  hidden = params["gate_kernel"].shape[-1]
  a, low = (xs @ params["input_kernel"]).tensor_split([3 * hidden], dim=-1)
  q, k, v = (a + params["bias"][: 3 * hidden]).chunk(3, dim=-1)
  decay = torch.nn.functional.logsigmoid(low @ params["gate_kernel"] + params["bias"][3 * hidden :]) / 16
  with InDouble():
    return load("gla/naive").naive_recurrent_gla(*heads(q, k, v, decay))[0][0, :, 0]


ORACLES = (
  Oracle("hgrn_real", PACKAGE, "naive_recurrent_hgrn", run(hgrn_real), (IN_DOUBLE,)),
  Oracle(
    "retnet",
    PACKAGE,
    "naive_retention",
    run(retnet),
    (
      IN_DOUBLE,
      "It computes the attention of all steps at once, and does not turn keys and queries by their position.",
    ),
  ),
  Oracle(
    "linear_attention",
    PACKAGE,
    "naive_recurrent_linear_attn(normalize=True)",
    run(linear_attention),
    (IN_DOUBLE, "It adds 1e-10 to the normaliser."),
  ),
  Oracle("gla", PACKAGE, "naive_recurrent_gla", by_torch(gla), (IN_DOUBLE,)),
  Oracle(
    "hgrn2",
    PACKAGE,
    "naive_recurrent_gla",
    run(hgrn2),
    (IN_DOUBLE, "It divides queries by √K, which HGRN2 does not; they are multiplied by it first."),
  ),
)
