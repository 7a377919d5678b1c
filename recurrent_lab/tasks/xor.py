"""The delayed XOR: the target depends on two past inputs, and each of them alone carries no information.

Reference: Engelken, "Gradient flossing: improving gradient descent through dynamic control of Jacobians", NeurIPS (2023).
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import Batch, Task, check_at_least, count_from, cross_entropy, error_rate


@variants
def delayed_xor(delay: int, length: int) -> Task:
  """The delayed temporal XOR task of Engelken (2023), d = `delay`, for `length` steps.

      x_t is 0 or 1 with equal probability,   y_t = |x_{t - d/2} - x_{t - d}|

  as two classes. Only steps t >= d count; steps are numbered from 0.

  Baseline: y_t is 0 or 1 with equal probability at every step, so the loss is ln 2. Score: the share of wrong answers. Solved:
  below 1 %.

  Raises:
    ValueError: unless the delay is even and at least 2, and the length exceeds it.
  """
  check_at_least("delay", delay, 2)
  if delay % 2:
    raise ValueError(f"delay is {delay}; it must be even, as one of the two inputs lies delay / 2 steps back.")
  check_at_least("length", length, delay + 1)
  half = delay // 2

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    bits = jax.random.randint(key, (length, batch_size), 0, 2, jnp.int32)
    answers = jnp.abs(bits[half:-half] - bits[:-delay])
    return Batch(
      inputs=bits[..., None].astype(jnp.float32),
      targets=jnp.zeros_like(bits).at[delay:].set(answers),
      mask=count_from(delay, length, batch_size),
    )

  return Task(
    name="delayed_xor",
    input_size=1,
    output_size=2,
    steps=length,
    sample=sample,
    test=sample,
    loss=cross_entropy,
    baseline=math.log(2),
    score=error_rate,
    solved_below=0.01,
  )
