"""The activations of ONNX's recurrent operators, by name, and the lab's that compute the same."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from recurrent_lab import parametric
from recurrent_lab.activations import ACTIVATIONS, Activation
from recurrent_lab.cell import made_by

Choice = str | Activation


class Named(NamedTuple):
  """An activation of ONNX.

  Attributes:
    make: `(alpha, beta) -> activation of the lab`, with as many arguments as the activation has.
    defaults: alpha and beta where a node gives none. None where it must.
  """

  make: Callable[..., Choice]
  defaults: tuple[float | None, ...] = ()


#: The activations that the recurrent operators may name. Missing parameters take the defaults of the operators of the same name,
#: except for ThresholdedRelu, whose alpha is then 0 in onnxruntime and 1 in the text of its operator.
TABLE: Mapping[str, Named] = {
  "Relu": Named(lambda: "relu"),
  "Tanh": Named(lambda: "tanh"),
  "Sigmoid": Named(lambda: "sigmoid"),
  "Softsign": Named(lambda: "softsign"),
  "Softplus": Named(parametric.softplus),
  "LeakyRelu": Named(parametric.leaky_relu, (0.01,)),
  "ThresholdedRelu": Named(parametric.thresholded_relu, (0.0,)),
  "Elu": Named(parametric.elu, (1.0,)),
  "HardSigmoid": Named(parametric.hard_sigmoid, (0.2, 0.5)),
  "ScaledTanh": Named(parametric.scaled_tanh, (None, None)),
  "Affine": Named(parametric.affine, (None, None)),
}
DISAGREE = "ThresholdedRelu has no alpha: onnxruntime takes 0, which is used here, and the text of its operator says 1"

LEFT = "more alphas or betas than activations that take one: as in onnxruntime, the first ones are used in order"


def from_names(
  node: str, names: list[str], alphas: list[float], betas: list[float]
) -> tuple[tuple[Choice, ...], tuple[str, ...]]:
  """Returns the activations of a node, and notes where runtimes disagree on them.

  Lists of parameters are packed: the first activation that takes an alpha gets the first one.

  Raises:
    ValueError: for an unknown activation, or a missing parameter that has no default.
  """
  remaining = iter(alphas), iter(betas)
  found, notes = [], []
  for name in names:
    if name not in TABLE:
      raise ValueError(f"{node} has the activation {name!r}; the lab knows {', '.join(TABLE)}.")
    given = [next(numbers, None) for numbers, _ in zip(remaining, TABLE[name].defaults, strict=False)]
    values = [d if n is None else shortest(n) for n, d in zip(given, TABLE[name].defaults, strict=True)]
    if None in values:
      raise ValueError(
        f"{node} has {name} without an alpha or a beta, on whose values runtimes disagree; write them down."
      )
    if name == "ThresholdedRelu" and None in given:
      notes.append(DISAGREE)
    found.append(TABLE[name].make(*values))
  if any(next(left, None) is not None for left in remaining):
    notes.append(LEFT)
  return tuple(found), tuple(dict.fromkeys(notes))


def shortest(number: float) -> float:
  """Returns the shortest decimal that rounds to this number in float32. Files hold 0.2 as 0.20000000298."""
  return float(str(np.float32(number)))


def to_name(choice: Choice) -> tuple[str, tuple[float, ...]]:
  """Returns the name and the parameters of an activation of the lab in ONNX.

  Raises:
    ValueError: for an activation that ONNX does not have.
  """
  plain: dict[Any, tuple[str, tuple[float, ...]]] = {
    "tanh": ("Tanh", ()),
    "sigmoid": ("Sigmoid", ()),
    "relu": ("Relu", ()),
    "softsign": ("Softsign", ()),
    "leaky_relu": ("LeakyRelu", (0.01,)),
    "identity": ("Affine", (1.0, 0.0)),
  }
  key = next((name for name, one in ACTIVATIONS.items() if one is choice), choice)
  if isinstance(key, str) and key in plain:
    return plain[key]
  made = made_by(choice)
  for name, named in TABLE.items():
    if made is not None and made.factory is named.make:
      return name, tuple(made.arguments.values())
  raise ValueError(f"ONNX has no activation that computes {key if isinstance(key, str) else 'the one of this cell'}.")
