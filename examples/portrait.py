"""Measures a cell of your own with every instrument. The cell is three functions; a fourth reports what can saturate.

    python -m examples.portrait

The cell is a leaky integrator, s' = s + α (tanh(s W + x U) - s). The script prints the Jacobian products and the adjoints by lag,
the Lyapunov spectrum with its certificate, and the saturation of the tanh.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array
import numpy as np

import recurrent_lab as rl

UNITS, STEPS, ALPHA = 8, 100, 0.2
TANH = rl.ACTIVATIONS["tanh"]  # with a slope that survives saturation

affine = lambda params, s, x: s @ params["W"] + x @ params["U"]
leaky = rl.Cell(
  init=lambda key, inputs, units: {
    "W": 1.5 * jax.random.normal(key, (units, units)) / units**0.5,
    "U": jnp.eye(inputs, units),
  },
  initial_state=lambda params, batch_shape=(): jnp.zeros((*batch_shape, UNITS)),
  step=lambda params, s, x: (new := s + ALPHA * (TANH.function(affine(params, s, x)) - s), new),
  probe=lambda params, s, x: {"tanh": TANH.activity(affine(params, s, x))},
)


class Portrait(NamedTuple):
  products: Array  # [T], ln ‖∏ J‖ by lag, nats
  growth: rl.Growth
  adjoints: Array  # [T], ln ‖∂L/∂S_{T-lag}‖, nats
  spectrum: rl.LyapunovSpectrum
  tanh: rl.Saturation


@jax.jit
def portrait(key: Array) -> Portrait:
  k_params, k_inputs = jax.random.split(key)
  params, xs = leaky.init(k_params, 3, UNITS), jax.random.normal(k_inputs, (STEPS, 3))
  products = rl.product_log_norms(leaky, params, xs)
  return Portrait(
    products=products,
    growth=rl.growth_rate(products),
    adjoints=rl.adjoint_log_norms(lambda outputs: jnp.sum(outputs[-1] ** 2), leaky, params, xs)[-2::-1],
    spectrum=rl.lyapunov_spectrum(leaky, params, xs, burn_in=STEPS // 10),
    tanh=rl.saturation(rl.activities(leaky, params, xs)["tanh"]),
  )


def main() -> Portrait:
  found = jax.tree.map(np.asarray, portrait(jax.random.key(0)))
  print("lag   ln ‖∏ J‖   ln ‖∂L/∂S_T-lag‖")
  for lag in (1, 2, 5, 10, 20, 50, 100):
    print(f"{lag:3d}   {found.products[lag - 1]:8.2f}   {found.adjoints[lag - 1]:8.2f}")
  rate, exponents = found.growth.rate, found.spectrum.exponents
  print(f"growth {rate:.4f} nats per step, so a memory of {-1 / rate:.1f} steps")
  print(f"λ from {exponents[0]:.4f} to {exponents[-1]:.4f}, certificate {found.spectrum.residual:.0e}")
  print(f"mean tanh' {found.tanh.mean_slope:.2f}; {100 * found.tanh.share_high:.0f} % of the units saturated")
  return found


if __name__ == "__main__":
  main()
