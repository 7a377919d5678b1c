"""Gradient dynamics of a net in training: what the product, the adjoint and the gates do on a fixed probe batch."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

import recurrent_lab as rl
from recurrent_lab.scaled import log_norm
from recurrent_lab.tasks import Batch, Pair, Task
from recurrent_lab.training import lookup

DIMS = {
  "largest_exponent": (),
  "product_growth": (),
  "log_adjoint": ("lag",),
  "log_gradient": ("gradient_lag",),
  "gate_value": ("gate",),
  "gate_slope": ("gate",),
}


def gradient_dynamics(cell: rl.Cell, task: Task, params: rl.WithReadoutParams, batch: Batch) -> dict[str, Array]:
  """Averages over the examples of a batch.

  Returns:
    largest_exponent: λ₁ after a tenth of the steps, nats per step.
    product_growth: slope of ln ‖∏ J‖_F by lag, nats per step; NaN for a single step.
    log_adjoint [T+1]: ln ‖∂L/∂S_{T-l}‖ by lag l = 0 … T, nats, L the loss of the example.
    log_gradient [T]: ln ‖what step T - l contributes to ∂L/∂params‖ by lag l = 0 … T - 1, nats.
    gate_value, gate_slope [gates]: mean of every nonlinearity and of its log-slope, in the order of the cell's probe.
  """
  if isinstance(batch.inputs, Pair):
    # Two nets, and sentences that end at different steps, so that no lag means the same for all: `experiments.translation`
    # measures the gradient by the distance from the end of each source instead.
    steps, gates = len(batch.targets), len(gate_names(cell, params.cell, task.input_size))
    shapes = {"log_adjoint": (steps + 1,), "log_gradient": (steps,), "gate_value": (gates,), "gate_slope": (gates,)}
    return {name: jnp.full(shapes.get(name, ()), jnp.nan) for name in DIMS}

  def one(example: Batch) -> dict[str, Array]:
    def loss(outputs: Array) -> Array:
      return task.loss(rl.readout(params.readout, outputs)[:, None], jax.tree.map(lambda a: a[:, None], example))

    net, xs = lookup(params.cell, example.inputs)
    activities = rl.activities(cell, net, xs) if cell.probe is not None else {}
    summands = rl.gradient_by_lag(loss, cell, net, xs)
    if xs is not example.inputs:  # a token's row of the input kernel is what it puts in
      gradient = jax.grad(lambda xs: loss(rl.unroll(cell, net, xs)[1]))(xs)
      first, *rest = [summands] if hasattr(summands, "_fields") else summands  # the lowest layer of a stack
      summands = [first._replace(input_kernel=gradient), *rest]
    products = rl.product_log_norms(cell, net, xs, norm="frobenius")
    return {
      "largest_exponent": rl.lyapunov_spectrum(cell, net, xs, k=1, burn_in=len(xs) // 10).exponents[0],
      "product_growth": rl.growth_rate(products).rate if len(xs) > 1 else jnp.array(jnp.nan),
      "log_adjoint": rl.adjoint_log_norms(loss, cell, net, xs)[::-1],
      "log_gradient": log_norm(summands, batch_ndim=1)[::-1],
      "gate_value": jnp.array([jnp.mean(a.value) for a in activities.values()]),
      "gate_slope": jnp.array([jnp.mean(a.log_slope) for a in activities.values()]),
    }

  # One example after the other: the summands of the gradient are T times as large as the parameters.
  examples = jax.tree.map(lambda a: jnp.moveaxis(a, 1, 0), batch)
  return jax.tree.map(partial(jnp.mean, axis=0), jax.lax.map(one, examples))


def gate_names(cell: rl.Cell, params: Any, input_size: int) -> list[str]:
  """The nonlinearities of a cell (of two nets, of the decoder) in the order of its probe, without running it."""
  if cell.probe is None:
    return []
  xs = jax.ShapeDtypeStruct((1, input_size), jnp.float32)
  return list(jax.eval_shape(partial(rl.activities, cell), getattr(params, "decoder", params), xs))
