"""The optimisers of optax, by name."""

from collections.abc import Callable, Mapping
from typing import Any

import optax

from recurrent_lab._checks import check_choice
from recurrent_lab.training.clips import from_large_gradients


def _from_large_gradients(make: Callable[..., optax.GradientTransformation]) -> Callable[..., Any]:
  """Protects the direction of gradients whose square overflows, which optax 0.2.8 loses."""
  return lambda learning_rate: from_large_gradients(make(learning_rate))


#: The optimisers of optax that need only a learning rate, by name: learning rate -> optax transformation.
OPTIMIZERS: Mapping[str, Callable[..., optax.GradientTransformation]] = {
  "adabelief": optax.adabelief,
  "adadelta": optax.adadelta,
  "adafactor": optax.adafactor,
  "adagrad": optax.adagrad,
  "adam": optax.adam,
  "adamax": optax.adamax,
  "adamaxw": optax.adamaxw,
  "adamw": optax.adamw,
  "adan": optax.adan,
  "amsgrad": optax.amsgrad,
  "fromage": _from_large_gradients(optax.fromage),  # uses only the direction of the gradient
  "lamb": optax.lamb,
  "lars": _from_large_gradients(optax.lars),  # uses only the direction of the gradient
  "lion": optax.lion,
  "novograd": optax.novograd,
  "optimistic_adam_v2": optax.optimistic_adam_v2,
  "optimistic_gradient_descent": optax.optimistic_gradient_descent,
  "radam": optax.radam,
  "rmsprop": optax.rmsprop,
  "rprop": optax.rprop,
  "sgd": optax.sgd,
  "sign_sgd": optax.sign_sgd,
  "signum": optax.signum,
  "sm3": optax.sm3,
  "yogi": optax.yogi,
}


def optimizer(name: str, learning_rate: float, decay_over: int | None = None) -> optax.GradientTransformation:
  """Returns the optax optimiser of that name.

  Its learning rate is constant, or decays to 0 along half a cosine over `decay_over` updates.

  Raises:
    ValueError: for an unknown name, a learning rate that is not above 0, or a decay over no updates.
  """
  check_choice("Optimiser", name, OPTIMIZERS)
  if not 0 < learning_rate < float("inf"):
    raise ValueError(f"The learning rate is {learning_rate}; it must be finite and above 0.")
  if decay_over is None:
    return OPTIMIZERS[name](learning_rate)
  if decay_over < 1:
    raise ValueError(f"The learning rate is to decay over {decay_over} updates; it needs at least 1.")
  schedule: Any = optax.cosine_decay_schedule(learning_rate, decay_over)
  return OPTIMIZERS[name](schedule)
