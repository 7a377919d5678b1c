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


def steps(name: str, weights: Callable[[Mapping[str, Any]], Mapping[str, Any]], **options: Any) -> Any:
  """Returns the run of the cell `name`, whose weights `weights` makes from the lab's params by field."""
  import torch
  import torchrecurrent

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    given = weights(params)
    hidden = given["weight_hh"].shape[-1]
    cell = getattr(torchrecurrent, name)(xs.shape[-1], hidden, **options).double()
    zero = {key: torch.zeros_like(value) for key, value in cell.named_parameters()}
    state, found = torch.zeros(hidden, dtype=xs.dtype), []
    for x in xs:
      state = torch.func.functional_call(cell, {**zero, **given}, (x, state))
      found.append(state)
    return torch.stack(found)

  return by_torch(outputs)


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
    given = {**{key: torch.zeros_like(value) for key, value in cell.named_parameters()}, **given}
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


def with_bias(p: Mapping[str, Any]) -> Mapping[str, Any]:
  """Returns the weights of a cell whose only bias is that of its inputs."""
  return {"weight_ih": p["input_kernel"].T, "weight_hh": p["recurrent_kernel"].T, "bias_ih": p["bias"]}


def unicornn_weights(p: Mapping[str, Any]) -> Mapping[str, Any]:
  kernel, time_scale = p["recurrent_kernel"], p["time_scale"]
  return {"weight_ih": p["input_kernel"].T, "weight_hh": kernel, "weight_ch": time_scale, "bias_ih": p["bias"]}


ORACLES = (
  Oracle(
    "mgu",
    PACKAGE,
    "MGUCell",
    steps(
      "MGUCell",
      lambda p: {"weight_ih": p["input_kernel"].T, "weight_hh": p["recurrent_kernel"].T, "bias_ih": p["bias"]},
    ),
  ),
  Oracle(
    "antisymmetric_rnn",
    PACKAGE,
    "AntisymmetricRNNCell",
    steps("AntisymmetricRNNCell", with_bias, epsilon=0.1, gamma=0.01),
  ),
  Oracle(
    "gated_antisymmetric_rnn",
    PACKAGE,
    "GatedAntisymmetricRNNCell",
    steps("GatedAntisymmetricRNNCell", with_bias, epsilon=0.1, gamma=0.01),
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
      lambda p: {**with_bias(p), "weight_ch": p["velocity_kernel"].T},
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
