"""Reuses a cell of the lab in ten lines: `lax.scan` repeats its step, and `grad` and `vmap` work as usual.

    python -m examples.reuse_a_cell

Prints how much the first and the last of 50 inputs influence the last output, for three forget-gate biases at once.
"""

from functools import partial

import jax
from jaxtyping import Array
import numpy as np

import recurrent_lab as rl

LSTM = rl.get_cell("lstm")
BIASES = np.array([0.0, 2.0, 4.0], np.float32)


def last_output(xs: Array, forget_bias: Array) -> Array:
  """Returns the sum of the last output of a random LSTM."""
  params = LSTM.init(jax.random.key(1), xs.shape[1], 16, forget_bias=forget_bias)
  _, outputs = jax.lax.scan(partial(LSTM.step, params), LSTM.initial_state(params), xs)
  return outputs[-1].sum()


def main() -> np.ndarray:
  xs = jax.random.normal(jax.random.key(0), (50, 3))
  gradients = jax.jit(jax.vmap(jax.grad(last_output), in_axes=(None, 0)))(xs, BIASES)  # [bias, T, I]
  norms = np.linalg.norm(gradients, axis=-1)
  for bias, norm in zip(BIASES, norms, strict=True):
    print(f"forget bias {bias:.0f}: |∂o_T/∂x_T| = {norm[-1]:.2g}, |∂o_T/∂x_1| = {norm[0]:.2g}")
  return norms


if __name__ == "__main__":
  main()
