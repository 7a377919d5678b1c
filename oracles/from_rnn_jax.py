"""rnn-jax: cells of Equinox. Its kernels are `(out, in)`; its states are tuples.

The files of its cells are loaded alone, because one of them needs Python 3.12.
"""

from collections.abc import Callable, Mapping
from importlib import import_module, util
import sys
from types import ModuleType
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from oracles.oracle import Oracle, by_jax

PACKAGE = "rnn-jax"
BETA, GAMMA = 0.75, 0.001  # the defaults of the lab's `lipschitz_rnn`


def load(*names: str) -> tuple[Any, ...]:
  """Returns the modules `rnn_jax.cells.{name}`, with empty packages around them."""
  spec = util.find_spec("rnn_jax")
  if spec is None or spec.submodule_search_locations is None:
    raise ModuleNotFoundError("No module named 'rnn_jax'", name="rnn_jax")
  for package, folder in (("rnn_jax", ""), ("rnn_jax.cells", "/cells")):
    sys.modules[package] = ModuleType(package)
    sys.modules[package].__path__ = [place + folder for place in spec.submodule_search_locations]
  return tuple(import_module(f"rnn_jax.cells.{name}") for name in names)


lipschitz, vanilla = load("lipschitz", "vanilla")


def with_weights(cell: Any, weights: Mapping[str, Any]) -> Any:
  """Returns the module with the given values of its fields."""
  names = list(weights)
  return eqx.tree_at(lambda cell: [getattr(cell, name) for name in names], cell, [weights[name] for name in names])


def leaky_rnn(params: Mapping[str, Any], xs: Any) -> Any:
  inputs, hidden = params["input_kernel"].shape
  cell = with_weights(
    vanilla.LeakyElmanCell(inputs, hidden, nonlinearity=jnp.tanh, leak_rate=0.2, key=jax.random.key(0)),
    {"w_ih": params["input_kernel"].T, "w_hh": params["recurrent_kernel"].T, "b": params["bias"]},
  )
  return outputs(lambda x, state: cell(x, state), (jnp.zeros(hidden),), xs)


def lipschitz_rnn(params: Mapping[str, Any], xs: Any) -> Any:
  inputs, hidden = params["input_kernel"].shape
  # -γ I joins the symmetric part (1 - β) (M + Mᵀ).
  free = lambda kernel: kernel.T - GAMMA / (2 * (1 - BETA)) * jnp.eye(hidden)
  cell = with_weights(
    lipschitz.LipschitzRNNCell(inputs, hidden, BETA, 0.0, BETA, 0.0, 0.1, 1.0, key=jax.random.key(0)),
    {
      "W_in": params["input_kernel"].T,
      "M_w": free(params["recurrent_kernel"]),
      "M_a": free(params["linear_kernel"]),
      "b": params["bias"],
    },
  )
  # The first call makes the pre-activations of this step, the second call uses them.
  step = lambda x, state: cell(x, (state[0], cell(x, state)[0][1]))
  return outputs(step, (jnp.zeros(hidden), jnp.zeros(hidden)), xs)


def outputs(step: Callable[[Any, Any], tuple[Any, Any]], state: Any, xs: Any) -> Any:
  """Returns the outputs `[T, H]` of a step `(x, state) -> (state, output)`."""
  found = []
  for x in xs:
    state, output = step(x, state)
    found.append(output)
  return jnp.stack(found)


ORACLES = (
  Oracle("leaky_rnn", PACKAGE, "LeakyElmanCell", by_jax(leaky_rnn)),
  Oracle(
    "lipschitz_rnn",
    PACKAGE,
    "LipschitzRNNCell",
    by_jax(lipschitz_rnn),
    (
      "The package subtracts γ, where the paper has γ h. Its γ is 0 here, and its kernels have the -γ I of the paper.",
      "Its Euler step uses the pre-activations of the step before. The cell runs twice per step here, so that it uses its own.",
    ),
  ),
)
