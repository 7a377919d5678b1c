"""Nonlinearities with parameters, and clips. Equal parameters give equal objects, so cells that use them never retrace.

    hard_sigmoid       max(0, min(1, α a + β))     slope 1/6 in Keras, torch, JAX and Paddle; 0.2 in ONNX, Chainer and MXNet
    leaky_relu         a for a ≥ 0, else α a
    thresholded_relu   a for a > α, else 0
    elu                a for a ≥ 0, else α (e^a - 1)
    scaled_tanh        α tanh(β a)
    softplus           ln(1 + e^a)
    affine             α a + β
    clipped(φ, c)      φ(max(-c, min(c, a)))

The factories of cells take them wherever they take a name of `ACTIVATIONS`: `lstm(gate=hard_sigmoid(1 / 6, 0.5))`. At a kink the
slope is that of the flat side.
"""

import math

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array

from recurrent_lab.activations import Activation, get_activation, log_sech2, tanh
from recurrent_lab.cell import variants


@variants
def hard_sigmoid(alpha: float, beta: float) -> Activation:
  """Returns max(0, min(1, α a + β)). Raises `ValueError` for parameters that are not finite, as all functions here do."""
  _check_finite(alpha=alpha, beta=beta)

  def line(a: Array) -> Array:
    return jnp.asarray(alpha, a.dtype) * a + jnp.asarray(beta, a.dtype)

  def function(a: Array) -> Array:
    return lax.clamp(jnp.zeros((), a.dtype), line(a), jnp.ones((), a.dtype))

  def log_slope(a: Array) -> Array:
    value = line(a)
    return jnp.where((value > 0) & (value < 1), _log(alpha, a), -jnp.inf)

  return Activation(function, log_slope)


@variants
def leaky_relu(alpha: float) -> Activation:
  """Returns the identity for a ≥ 0, and α a below."""
  _check_finite(alpha=alpha)
  return Activation(
    lambda a: jnp.where(a >= 0, a, jnp.asarray(alpha, a.dtype) * a),
    lambda a: jnp.where(a >= 0, 0.0, _log(alpha, a)),
  )


@variants
def thresholded_relu(alpha: float) -> Activation:
  """Returns the identity for a > α, and 0 elsewhere. It jumps at α unless α = 0."""
  _check_finite(alpha=alpha)
  return Activation(
    lambda a: jnp.where(a > alpha, a, jnp.zeros_like(a)),
    lambda a: jnp.where(a > alpha, jnp.zeros_like(a), -jnp.inf),
  )


@variants
def elu(alpha: float) -> Activation:
  """Returns the identity for a ≥ 0, and α (e^a - 1) below (Clevert, Unterthiner & Hochreiter, 2016)."""
  _check_finite(alpha=alpha)
  return Activation(
    lambda a: jnp.where(a >= 0, a, jnp.asarray(alpha, a.dtype) * jnp.expm1(jnp.minimum(a, 0))),
    lambda a: jnp.where(a >= 0, 0.0, _log(alpha, a) + a),
  )


@variants
def scaled_tanh(alpha: float, beta: float) -> Activation:
  """Returns α tanh(β a)."""
  _check_finite(alpha=alpha, beta=beta)
  return Activation(
    lambda a: jnp.asarray(alpha, a.dtype) * tanh(jnp.asarray(beta, a.dtype) * a),
    lambda a: _log(alpha * beta, a) + log_sech2(jnp.asarray(beta, a.dtype) * a),
  )


@variants
def softplus() -> Activation:
  """Returns ln(1 + e^a), whose slope is σ(a)."""
  return Activation(jax.nn.softplus, jax.nn.log_sigmoid)


@variants
def affine(alpha: float, beta: float) -> Activation:
  """Returns α a + β."""
  _check_finite(alpha=alpha, beta=beta)
  return Activation(
    lambda a: jnp.asarray(alpha, a.dtype) * a + jnp.asarray(beta, a.dtype),
    lambda a: jnp.broadcast_to(_log(alpha, a), a.shape),
  )


@variants
def clipped(activation: str | Activation, limit: float) -> Activation:
  """Returns φ of the pre-activation clipped to [-limit, limit]. Its slope is 0 from the limit on.

  A cell whose gates and candidate are clipped is one with clipped pre-activations, such as `clip` of ONNX's recurrent operators.

  Raises:
    ValueError: for an unknown activation, or a limit that is not finite and above 0.
  """
  inner = get_activation(activation)
  if not 0 < limit < math.inf:
    raise ValueError(f"limit is {limit}; a clip needs a finite number above 0.")

  def clamp(a: Array) -> Array:
    return lax.clamp(jnp.asarray(-limit, a.dtype), a, jnp.asarray(limit, a.dtype))

  return Activation(
    lambda a: inner.function(clamp(a)),
    lambda a: jnp.where(jnp.abs(a) < jnp.asarray(limit, a.dtype), inner.log_slope(clamp(a)), -jnp.inf),
  )


def _check_finite(**parameters: float) -> None:
  for name, value in parameters.items():
    if not math.isfinite(value):
      raise ValueError(f"{name} is {value}; an activation needs a finite number.")


def _log(slope: float, a: Array) -> Array:
  """Returns ln |slope|, -inf for 0, in the dtype of the pre-activation."""
  return jnp.asarray(math.log(abs(slope)) if slope else -math.inf, a.dtype)
