"""torchrecurrent: cells of torch. Its kernels are `(out, in)` with the gates one below the other."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oracles.oracle import Oracle, by_torch

PACKAGE = "torchrecurrent"


def stacked(tensor: Any, order: Sequence[int]) -> Any:
  """Returns the last axis, which holds `len(order)` gates side by side, with its gates in another order."""
  import torch

  gates = tensor.chunk(len(order), dim=-1)
  return torch.cat([gates[i] for i in order], dim=-1)


def zeros_of(cell: Any) -> dict[str, Any]:
  """Returns zeros for all weights and biases of a cell of the package. Its other parameters keep their values."""
  import torch

  is_weight = lambda name: name.startswith(("weight", "bias"))
  return {name: torch.zeros_like(value) for name, value in cell.named_parameters() if is_weight(name)}


def pairs(
  name: str,
  weights: Callable[[Mapping[str, Any]], Mapping[str, Any]],
  advance: Callable[[Any, Any, Any, Any], tuple[Any, Any]] = lambda call, x, h, c: call(x, (h, c)),
  **options: Any,
) -> Any:
  """Returns the run of the cell `name`, whose state is (h, c). `advance` gives the new state from `call(x, (h, c))`."""
  import torch
  import torchrecurrent

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    given = weights(params)
    hidden = given["weight_hh"].shape[-1]
    cell = getattr(torchrecurrent, name)(xs.shape[-1], hidden, **options).double()
    given = {**zeros_of(cell), **given}
    call = lambda *inputs: torch.func.functional_call(cell, given, inputs)
    h = c = torch.zeros(hidden, dtype=xs.dtype)
    found = []
    for x in xs:
      h, c = advance(call, x, h, c)
      found.append(h)
    return torch.stack(found)

  return by_torch(outputs)


def lem_weights(p: Mapping[str, Any]) -> Mapping[str, Any]:
  order = (1, 0, 2, 3)  # the package has the step of h before the step of c
  of_c, of_h = p["recurrent_kernel"].tensor_split([3 * p["recurrent_kernel"].shape[0]], dim=1)
  return {
    "weight_ih": stacked(p["input_kernel"], order).T,
    "bias_ih": stacked(p["bias"], order),
    "weight_hh": stacked(of_c, order[:3]).T,
    "weight_ch": of_h.T,
  }


def lem_step(call: Any, x: Any, h: Any, c: Any) -> tuple[Any, Any]:
  """Returns the new c, and the new h that the cell makes from it."""
  new = call(x, (h, c))[1]
  return call(x, (h, new))[0], new


def unicornn_weights(p: Mapping[str, Any]) -> Mapping[str, Any]:
  kernel, time_scale = p["recurrent_kernel"], p["time_scale"]
  return {"weight_ih": p["input_kernel"].T, "weight_hh": kernel, "weight_ch": time_scale, "bias_ih": p["bias"]}


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


def scrn_weights(params: Mapping[str, Any]) -> Mapping[str, Any]:
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
    given = {**zeros_of(cell), **given}
    state, found = torch.zeros(hidden, dtype=xs.dtype), []
    for x in enter(params, xs):
      made = torch.func.functional_call(cell, given, (x, state))
      output, state = made if isinstance(made, tuple) else (made, made)  # the intersection RNN has an output of its own
      found.append(output)
    return torch.stack(found)

  return by_torch(outputs)


ORACLES = (
  Oracle("mgu", PACKAGE, "MGUCell", steps("MGUCell", plain)),
  Oracle("janet", PACKAGE, "JANETCell", pairs("JANETCell", plain)),
  Oracle("minimal_rnn", PACKAGE, "MinimalRNNCell", steps("MinimalRNNCell", _minimal)),
  Oracle("ugrnn", PACKAGE, "UGRNNCell", steps("UGRNNCell", plain)),
  Oracle("cfn", PACKAGE, "CFNCell", steps("CFNCell", plain), ("The candidate has a bias, which the paper has not.",)),
  Oracle("ran", PACKAGE, "RANCell", pairs("RANCell", _ran)),
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
    pairs("MultiplicativeLSTMCell", _multiplicative),
    ("Has biases in m, which the paper has not; they are 0 here.",),
  ),
  Oracle(
    "scrn_output",
    PACKAGE,
    "SCRNCell",
    pairs("SCRNCell", scrn_weights, alpha=0.95),
    ("Recurs on its output, the paper on its hidden units; `scrn` is the paper's.",),
  ),
  Oracle("nas", PACKAGE, "NASCell", pairs("NASCell", plain), ("Multiplies other parts than its documentation says.",)),
  Oracle(
    "antisymmetric_rnn",
    PACKAGE,
    "AntisymmetricRNNCell",
    steps("AntisymmetricRNNCell", plain, epsilon=0.1, gamma=0.01),
  ),
  Oracle(
    "gated_antisymmetric_rnn",
    PACKAGE,
    "GatedAntisymmetricRNNCell",
    steps("GatedAntisymmetricRNNCell", plain, epsilon=0.1, gamma=0.01),
  ),
  Oracle(
    "lem",
    PACKAGE,
    "LEMCell",
    pairs("LEMCell", lem_weights, lem_step),
    (
      "The package documents that h sees the new c, as in the paper, but its h sees the old c. The cell runs twice per step here:"
      " its second run starts from the new c.",
    ),
  ),
  Oracle(
    "cornn",
    PACKAGE,
    "coRNNCell",
    pairs(
      "coRNNCell",
      lambda p: {**plain(p), "weight_ch": p["velocity_kernel"].T},
      dt=0.042,
      gamma=2.7,
      epsilon=4.7,
    ),
    ("The package documents implicit damping, and computes explicit damping. The lab has both.",),
  ),
  Oracle(
    "unicornn",
    PACKAGE,
    "UnICORNNCell",
    pairs("UnICORNNCell", unicornn_weights, recurrent_bias=True, dt=0.1, alpha=1.0),
    ("The package documents σ as a sigmoid; its σ is tanh, as in the paper.",),
  ),
)
