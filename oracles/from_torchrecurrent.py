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


def with_bias(p: Mapping[str, Any]) -> Mapping[str, Any]:
  """Returns the weights of a cell whose only bias is that of its inputs."""
  return {"weight_ih": p["input_kernel"].T, "weight_hh": p["recurrent_kernel"].T, "bias_ih": p["bias"]}


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
)
