"""fla-core: the recurrences in plain torch beside its Triton kernels. They take q, k, v and gates of one head each.

The files are loaded alone, because the package imports Triton. They compute in float32 by calls to `float()`; `InDouble` makes
these calls give float64, so that the numbers can be compared to 1e-9.
"""

from collections.abc import Callable, Mapping
import functools
from importlib import metadata, util
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from oracles.oracle import Oracle, by_torch

PACKAGE = "fla-core"
EPSILON = 1e-6  # the value in its l2norm
IN_DOUBLE = "The function casts to float32; its casts are made to give float64 here."


class InDouble(TorchFunctionMode):
  """Makes `float()` and `torch.float32` mean float64."""

  def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Calls the function with float64 in place of float32."""
    del types
    if func is torch.Tensor.float:
      return args[0].double()
    swap = lambda a: torch.float64 if a is torch.float32 else a
    return func(*map(swap, args), **{name: swap(value) for name, value in (kwargs or {}).items()})


@functools.cache
def load(path: str) -> Any:
  """Returns the module at `fla/ops/{path}.py`, without the package around it."""
  file = metadata.distribution(PACKAGE).locate_file(f"fla/ops/{path}.py")
  spec = util.spec_from_file_location(f"fla_core_{path.replace('/', '_')}", str(file))
  assert spec is not None
  assert spec.loader is not None
  module = util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module


def unit(k: Any) -> Any:
  """Returns k / √(‖k‖² + ε), fla's `l2norm`."""
  return k * torch.rsqrt((k * k).sum(-1, keepdim=True) + EPSILON)


def run(recurrence: Callable[[Mapping[str, Any], Any], Any]) -> Any:
  """Returns the run of `(params, affine map of all inputs [T, width]) -> outputs [1, T, 1, H]` or `[1, 1, T, H]`."""

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    with InDouble():
      found = recurrence(params, xs @ params["input_kernel"] + params["bias"])
    return found.reshape(len(xs), -1)

  return by_torch(outputs)


def delta_net(params: Mapping[str, Any], a: Any) -> Any:
  q, k, v = a[:, :-1].chunk(3, dim=-1)
  function = load("delta_rule/naive").delta_rule_recurrence
  beta = torch.sigmoid(a[:, -1])
  return function((unit(q) * q.shape[-1] ** 0.5)[None, None], unit(k)[None, None], v[None, None], beta[None, None])[0]


def gated_delta_net(params: Mapping[str, Any], a: Any) -> Any:
  q, k, v = a[:, :-2].chunk(3, dim=-1)
  function = load("gated_delta_rule/naive").naive_recurrent_gated_delta_rule
  decay = -params["log_rate"].exp() * torch.nn.functional.softplus(a[:, -1:])
  of_heads = [part[None, :, None] for part in (unit(q), unit(k), v)]
  return function(*of_heads, torch.sigmoid(a[:, -2:-1])[None], decay[None], scale=1.0)[0]


def delta_product(params: Mapping[str, Any], a: Any) -> Any:
  q, k_1, k_2, v_1, v_2 = a[:, :-2].chunk(5, dim=-1)
  function = load("gated_delta_product/naive").naive_recurrent_gated_delta_product
  by_turns = lambda *parts: torch.stack(parts, dim=1).flatten(0, 1)[None, :, None]
  keys, values, beta = by_turns(unit(k_1), unit(k_2)), by_turns(v_1, v_2), 2 * torch.sigmoid(a[:, -2:])
  return function(unit(q)[None, :, None], keys, values, None, beta.reshape(1, -1, 1), 1.0, num_householder=2)[0]


def rwkv6(params: Mapping[str, Any], a: Any) -> Any:
  r, k, v, d = (part[None, None] for part in a.chunk(4, dim=-1))
  return load("rwkv6/recurrent_naive").naive_recurrent_rwkv6(r, k, v, -d.exp(), params["bonus"][None], scale=1.0)[0]


def rwkv7(params: Mapping[str, Any], a: Any) -> Any:
  r, k, v, d, c = a.chunk(5, dim=-1)
  rate, decay = torch.sigmoid(c), -(torch.tensor(-0.5, dtype=a.dtype).exp()) * torch.sigmoid(d)
  kappa, written = unit(k * params["removal"]), k * (1 + (rate - 1) * params["replacement"])
  function = load("generalized_delta_rule/dplr/naive").dplr_recurrence
  parts = (r * r.shape[-1] ** 0.5, written, v, -kappa, rate * kappa, decay)
  recurrent = function(*(part[None, None] for part in parts))[0]
  return recurrent[0, 0] + (r * params["bonus"] * written).sum(-1, keepdim=True) * v


def titans(params: Mapping[str, Any], a: Any) -> Any:
  """The package's M is -S of the lab, and its gradient is that of half the squared error."""
  del params
  q, k, v = (part[None, :, None] for part in a[:, :-3].chunk(3, dim=-1))
  alpha, eta, theta = (torch.sigmoid(part)[None] for part in a[:, -3:].split(1, dim=-1))
  function = load("momentum_delta_rule/naive").recurrent_momentum_delta_rule_ref
  log_alpha, log_mu, beta = (1 - alpha).log(), eta.log(), torch.ones_like(alpha)
  return function(unit(q), unit(k), v, log_alpha, log_mu, unit(k), beta, 2 * theta, scale=1.0)[0]


ORACLES = (
  Oracle("delta_net", PACKAGE, "delta_rule_recurrence", run(delta_net), (IN_DOUBLE,)),
  Oracle("gated_delta_net", PACKAGE, "naive_recurrent_gated_delta_rule", run(gated_delta_net), (IN_DOUBLE,)),
  Oracle("delta_product", PACKAGE, "naive_recurrent_gated_delta_product", run(delta_product), (IN_DOUBLE,)),
  Oracle("rwkv6", PACKAGE, "naive_recurrent_rwkv6", run(rwkv6), (IN_DOUBLE,)),
  Oracle(
    "rwkv7",
    PACKAGE,
    "dplr_recurrence",
    run(rwkv7),
    (IN_DOUBLE, "The function is the recurrence alone; the bonus is added to its output."),
  ),
  Oracle(
    "titans",
    PACKAGE,
    "recurrent_momentum_delta_rule_ref",
    run(titans),
    (
      IN_DOUBLE,
      "The linear memory with momentum is that of the momentum delta rule; `ops/titans` has a layer norm inside the loss.",
    ),
  ),
)
