"""neuralrnn: piecewise-linear networks in torch."""

from collections.abc import Callable, Mapping
from typing import Any

from neuralrnn.models.plrnn.configuration_plrnn import ALRNNConfig, ShallowPLRNNConfig
from neuralrnn.models.plrnn.modeling_plrnn import ALRNNModel, ShallowPLRNNModel
import torch

from oracles.oracle import Oracle, by_torch

PACKAGE = "neuralrnn"


class Recurrence(torch.nn.Module):
  """Calls `recurrence` of a model, so that `functional_call` can give the weights."""

  def __init__(self, model: Any) -> None:
    """Keeps the model."""
    super().__init__()
    self.model = model

  def forward(self, x: Any, state: Any) -> Any:
    """Returns the new state."""
    return self.model.recurrence(x, state)


def run(make: Callable[[int, int, Mapping[str, Any]], Any], weights: Callable[[Mapping[str, Any]], Any]) -> Any:
  """Returns the run of the model `make(inputs, units, params)`."""

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    hidden = params["decay"].shape[0]
    cell = Recurrence(make(xs.shape[-1], hidden, params)).double()
    given = {f"model.{name}": value for name, value in weights(params).items()}
    state, found = torch.zeros(1, hidden, dtype=xs.dtype), []
    for x in xs:
      state = torch.func.functional_call(cell, given, (x[None], state))
      found.append(state[0])
    return torch.stack(found)

  return by_torch(outputs)


def almost_linear(inputs: int, hidden: int, params: Mapping[str, Any]) -> Any:
  del params
  return ALRNNModel(ALRNNConfig(n_linear=0, latent_dim=hidden, input_dim=inputs))


def shallow(inputs: int, hidden: int, params: Mapping[str, Any]) -> Any:
  width = params["inner_bias"].shape[0]
  return ShallowPLRNNModel(ShallowPLRNNConfig(latent_dim=hidden, hidden_dim=width, input_dim=inputs))


ORACLES = (
  Oracle(
    "plrnn",
    PACKAGE,
    "ALRNNModel",
    run(
      almost_linear,
      lambda p: {
        "A": p["decay"],
        "W": (p["recurrent_kernel"] * (1 - torch.eye(len(p["decay"]), dtype=torch.float64))).T,
        "h": p["bias"],
        "C": p["input_kernel"].T,
      },
    ),
    (
      "The package's kernel has a diagonal, as in the almost-linear RNN; it is set to 0 here, as in the PLRNN of the paper.",
    ),
  ),
  Oracle(
    "plrnn_shallow",
    PACKAGE,
    "ShallowPLRNNModel",
    run(
      shallow,
      lambda p: {
        "A": p["decay"],
        "W1": p["return_kernel"].T,
        "W2": p["recurrent_kernel"].T,
        "h1": p["bias"],
        "h2": p["inner_bias"],
        "C": p["input_kernel"].T,
      },
    ),
  ),
)
