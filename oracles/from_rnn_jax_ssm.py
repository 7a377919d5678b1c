"""rnn-jax: its two state space layers, in Equinox."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp

from oracles.oracle import Oracle, by_jax

PACKAGE = "rnn-jax"


def layer(path: str, weights: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Any:
  """Returns the run of the layer at `module.class`, whose arrays by field `weights` makes from the lab's params by field."""
  import equinox as eqx

  module, name = path.split(".")
  kind = getattr(import_module(f"rnn_jax.ssm.{module}"), name)

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    size = params["log_decay"].shape[0]
    b_real, b_imag = jnp.split(params["input_kernel"], 2, axis=1)
    c_real, c_imag = jnp.split(params["output_kernel"], 2)
    arrays = {
      "W_in": (b_real + 1j * b_imag).T,
      "W_out": (c_real - 1j * c_imag).T,
      "W_skip": jnp.zeros((size, xs.shape[1])),
      **weights(params),
    }
    built = kind(xs.shape[1], size, nonlinearity=lambda a: a, key=jax.random.key(0))
    for field, value in arrays.items():
      built = eqx.tree_at(lambda built, field=field: getattr(built, field), built, value)
    return built(xs)

  return by_jax(outputs)


def lru(p: Mapping[str, Any]) -> Mapping[str, Any]:
  return {"nu_log": p["log_decay"], "theta_log": p["log_angle"], "gamma_log": p["log_scale"]}


def s5(p: Mapping[str, Any]) -> Mapping[str, Any]:
  c_real, c_imag = jnp.split(p["output_kernel"], 2)
  read = 2 * (c_real - 1j * c_imag).T
  return {"Delta": jnp.exp(p["log_step"]), "Lambda": -jnp.exp(p["log_decay"]) + 1j * p["frequency"], "W_out": read}


SKIP = "The layer's skip connection is set to 0 and its nonlinearity to the identity."

ORACLES = (
  Oracle("lru", PACKAGE, "LinearRecurrentUnit", layer("lru.LinearRecurrentUnit", lru), (SKIP,)),
  Oracle(
    "s5",
    PACKAGE,
    "SimplifiedStateSpaceLayer",
    layer("s5.SimplifiedStateSpaceLayer", s5),
    (
      SKIP,
      "It draws one step Δ for all units, and carries B into the eigenvectors by the transpose of V, not by its inverse; "
      "the lab's initialisation is the paper's.",
      "It has all eigenvalues and no factor 2; its W_out is set to 2 C.",
    ),
  ),
)
