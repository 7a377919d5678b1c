"""ncps: the liquid networks of their authors, in torch. Its LTC has conductance synapses: it is `ltc_conductance` of the lab."""

from collections.abc import Callable, Mapping
from typing import Any

from ncps.torch.cfc_cell import CfCCell
from ncps.torch.ltc_cell import LTCCell
from ncps.wirings import FullyConnected
import torch

from oracles.oracle import Oracle, by_torch

PACKAGE = "ncps"

# The names of the package for the fields of the lab's params.
LTC_NAMES = {
  "w": "recurrent_kernel",
  "sigma": "slope",
  "mu": "threshold",
  "erev": "reversal",
  "sensory_w": "input_kernel",
  "sensory_sigma": "input_slope",
  "sensory_mu": "input_threshold",
  "sensory_erev": "input_reversal",
  "cm": "capacitance",
  "gleak": "leak",
  "vleak": "leak_reversal",
}


def run(cell: Any, given: Mapping[str, Any], xs: Any, hidden: int, *time: Any) -> Any:
  """Returns the states of all steps of a cell with the given weights."""
  state, found = torch.zeros(1, hidden, dtype=xs.dtype), []
  for x in xs:
    state = torch.func.functional_call(cell, dict(given), (x[None], state, *time))[1]
    found.append(state[0])
  return torch.stack(found)


def ltc(params: Mapping[str, Any], xs: Any) -> Any:
  hidden = params["leak"].shape[0]
  cell = LTCCell(
    FullyConnected(hidden), xs.shape[-1], None, None, epsilon=0.0, implicit_param_constraints=True
  ).double()
  given = {name: params[field] for name, field in LTC_NAMES.items()}
  # The cell reads its weights from a table of its own, which `functional_call` does not reach.
  cell._params.update(given)
  return run(cell, {}, xs, hidden)


def cfc(heads: Callable[[Mapping[str, Any]], tuple[Any, Any, Mapping[str, Any]]], layers: int) -> Any:
  """Returns the run of a CfC. `heads(params)` returns the kernel and bias of f, g, k, and the weights of the backbone."""

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    hidden = params["recurrent_kernel"].shape[0]
    kernel, bias, backbone = heads(params)
    cell = CfCCell(xs.shape[-1], hidden, backbone_units=hidden, backbone_layers=layers).double()
    names = {"time_b": 0, "ff1": 1, "ff2": 2}
    given = {f"{name}.weight": kernel[:, i * hidden : (i + 1) * hidden].T for name, i in names.items()}
    given |= {f"{name}.bias": bias[i * hidden : (i + 1) * hidden] for name, i in names.items()}
    given |= {f"time_a.{part}": torch.zeros_like(given[f"time_b.{part}"]) for part in ("weight", "bias")}
    return run(cell, {**given, **backbone}, xs, hidden, 1.0)

  return by_torch(outputs)


def below(params: Mapping[str, Any]) -> Any:
  """Returns the kernel from x and h, side by side."""
  return torch.cat([params["input_kernel"], params["recurrent_kernel"]])


CFC_NOTES = (
  "The package's gate is σ(a t + c) with two affine maps a and c, the paper's σ(-f t) with one; at t = 1 they are one map.",
)

ORACLES = (
  Oracle(
    "ltc_conductance",
    PACKAGE,
    "LTCCell",
    by_torch(ltc),
    (
      "The package's LTC has conductance synapses; the equation of the paper is `ltc` of the lab.",
      "Positive weights are softplus here, the package's `implicit_param_constraints=True`; its default leaves them free.",
      "The package adds 1e-8 to the denominator; `epsilon` is 0 here.",
    ),
  ),
  Oracle("cfc", PACKAGE, "CfCCell", cfc(lambda p: (below(p), p["bias"], {}), 0), CFC_NOTES),
  Oracle(
    "cfc_backbone",
    PACKAGE,
    "CfCCell",
    cfc(
      lambda p: (
        p["head_kernel"],
        p["head_bias"],
        {"backbone.0.weight": below(p).T, "backbone.0.bias": p["bias"]},
      ),
      1,
    ),
    CFC_NOTES,
  ),
)
