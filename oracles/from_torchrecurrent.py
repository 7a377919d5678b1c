"""torchrecurrent: cells of torch. Its kernels are `(out, in)` with the gates one below the other."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oracles.oracle import Oracle, by_torch

PACKAGE = "torchrecurrent"
PAIRS = ("JANETCell", "RANCell", "MultiplicativeLSTMCell", "SCRNCell", "NASCell")  # cells whose state is (h, c)


def stacked(tensor: Any, order: Sequence[int]) -> Any:
  """Returns the last axis, which holds `len(order)` gates side by side, with its gates in another order."""
  import torch

  gates = tensor.chunk(len(order), dim=-1)
  return torch.cat([gates[i] for i in order], dim=-1)


def plain(params: Mapping[str, Any]) -> Mapping[str, Any]:
  """Returns the weights of a cell whose gates stand in the same order."""
  return {"weight_ih": params["input_kernel"].T, "weight_hh": params["recurrent_kernel"].T, "bias_ih": params["bias"]}


def _ran(params: Mapping[str, Any]) -> Mapping[str, Any]:
  return plain(params) | {"weight_ih": stacked(params["input_kernel"], (2, 0, 1)).T}


def _minimal(params: Mapping[str, Any]) -> Mapping[str, Any]:
  b_z, b_u = params["bias"].chunk(2)
  kernels = {
    "weight_ih": params["input_kernel"].T,
    "weight_hh": params["recurrent_kernel"].T,
    "weight_mm": params["latent_kernel"].T,
  }
  return {**kernels, "bias_ih": b_z, "bias_hh": b_u}


def _fast_rnn(params: Mapping[str, Any]) -> Mapping[str, Any]:
  return plain(params) | {"alpha": params["candidate_weight"], "beta": params["state_weight"]}


def _fast_grnn(params: Mapping[str, Any]) -> Mapping[str, Any]:
  return plain(params) | {"zeta": params["gate_weight"], "nu": params["candidate_weight"]}


def _brc(params: Mapping[str, Any]) -> Mapping[str, Any]:
  return {"weight_ih": params["input_kernel"].T, "weight_hh": params["recurrent_kernel"], "bias_ih": params["bias"]}


def _multiplicative(params: Mapping[str, Any]) -> Mapping[str, Any]:
  import torch

  bias = torch.cat([torch.zeros_like(params["bias"].chunk(4)[0]), params["bias"]])
  return plain(params) | {"weight_mh": params["multiplicative_kernel"].T, "bias_ih": bias}


def _scrn(params: Mapping[str, Any]) -> Mapping[str, Any]:
  import torch

  kernels = {
    "weight_ih": params["input_kernel"].T,
    "weight_hh": torch.cat([params["recurrent_kernel"].T, params["output_kernel"].T]),
    "weight_ch": params["context_kernel"].T,
  }
  # The package keeps α in float32.
  return {**kernels, "bias_ch": params["bias"], "alpha": torch.tensor(0.95, dtype=torch.float64)}


def _mut1(params: Mapping[str, Any]) -> Mapping[str, Any]:
  """The bias of n stands outside of the inner tanh."""
  import torch

  b_z, b_r, b_n = params["bias"].chunk(3)
  zero = torch.zeros_like(b_n)
  return plain(params) | {"bias_ih": torch.cat([b_z, b_r, zero]), "bias_hh": torch.cat([zero, b_n])}


def steps(
  name: str,
  weights: Callable[[Mapping[str, Any]], Mapping[str, Any]],
  enter: Callable[[Mapping[str, Any], Any], Any] = lambda params, xs: xs,
  **options: Any,
) -> Any:
  """Returns the run of a cell of the package.

  Args:
    name: its class.
    weights: makes its weights from the lab's params by field; those that are left out are 0.
    enter: `(params, xs) -> inputs` of the cell.
    **options: those of its constructor.
  """
  import torch
  import torchrecurrent

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    given = weights(params)
    kernel = given["weight_hh"]
    hidden = kernel.shape[-1] if kernel.ndim == 2 else len(kernel) // 2  # the bistable cell has two vectors
    cell = getattr(torchrecurrent, name)(enter(params, xs).shape[-1], hidden, **options).double()
    zero = {
      key: torch.zeros_like(value) for key, value in cell.named_parameters() if key.startswith(("weight", "bias"))
    }
    is_pair = name in PAIRS
    state, found = torch.zeros(hidden, dtype=xs.dtype), []
    state = (state, state) if is_pair else state
    for x in enter(params, xs):
      made = torch.func.functional_call(cell, {**zero, **given}, (x, state))
      # The intersection RNN returns (output, state); cells with two states return (h, c).
      state = made if is_pair else made[-1] if isinstance(made, tuple) else made
      found.append(made[0] if isinstance(made, tuple) else made)
    return torch.stack(found)

  return by_torch(outputs)


ORACLES = (
  Oracle("mgu", PACKAGE, "MGUCell", steps("MGUCell", plain)),
  Oracle("janet", PACKAGE, "JANETCell", steps("JANETCell", plain)),
  Oracle("minimal_rnn", PACKAGE, "MinimalRNNCell", steps("MinimalRNNCell", _minimal)),
  Oracle("ugrnn", PACKAGE, "UGRNNCell", steps("UGRNNCell", plain)),
  Oracle("cfn", PACKAGE, "CFNCell", steps("CFNCell", plain), ("The candidate has a bias, which the paper has not.",)),
  Oracle("ran", PACKAGE, "RANCell", steps("RANCell", _ran)),
  Oracle("li_gru", PACKAGE, "LiGRUCell", steps("LiGRUCell", plain), ("Without the batch normalisation of the paper.",)),
  Oracle("star", PACKAGE, "STARCell", steps("STARCell", plain)),
  Oracle(
    "intersection_rnn",
    PACKAGE,
    "IntersectionRNNCell",
    steps(
      "IntersectionRNNCell",
      lambda p: plain(p) | {"weight_ih": p["gate_kernel"].T},
      lambda p, xs: xs @ p["input_kernel"],
    ),
    ("Inputs must have the size of the state; the lab projects them first.",),
  ),
  Oracle(
    "mut1",
    PACKAGE,
    "MUT1Cell",
    steps("MUT1Cell", _mut1),
    ("Has tanh(W x + b) where the paper has tanh(x); the lab has the same kernel there.",),
  ),
  Oracle(
    "mut2",
    PACKAGE,
    "MUT2Cell",
    steps("MUT2Cell", plain),
    ("Has W x in the gate r where the paper has x; the lab has the same kernel there.",),
  ),
  Oracle("mut3", PACKAGE, "MUT3Cell", steps("MUT3Cell", plain)),
  Oracle(
    "fast_rnn",
    PACKAGE,
    "FastRNNCell",
    steps("FastRNNCell", _fast_rnn),
    ("Starts from α = 3 and β = -3, the authors' code from -3 and 3, as the lab.",),
  ),
  Oracle(
    "fast_grnn",
    PACKAGE,
    "FastGRNNCell",
    steps("FastGRNNCell", _fast_grnn, nonlinearity="sigmoid"),
    ("`nonlinearity` acts on the gate and is tanh by default; here it is sigmoid.",),
  ),
  Oracle("brc", PACKAGE, "BRCell", steps("BRCell", _brc)),
  Oracle("nbrc", PACKAGE, "NBRCell", steps("NBRCell", plain)),
  Oracle(
    "multiplicative_lstm",
    PACKAGE,
    "MultiplicativeLSTMCell",
    steps("MultiplicativeLSTMCell", _multiplicative),
    ("Has biases in m, which the paper has not; they are 0 here.",),
  ),
  Oracle(
    "scrn_output",
    PACKAGE,
    "SCRNCell",
    steps("SCRNCell", _scrn, alpha=0.95),
    ("Recurs on its output, the paper on its hidden units; `scrn` is the paper's.",),
  ),
  Oracle("nas", PACKAGE, "NASCell", steps("NASCell", plain), ("Multiplies other parts than its documentation says.",)),
)
