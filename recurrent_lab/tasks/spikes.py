"""Timing of spikes: measure how much longer than the shortest pause the last pause was.

References: Gers & Schmidhuber, "Recurrent nets that time and count", IJCNN (2000); Gers, Schraudolph & Schmidhuber, "Learning
precise timing with LSTM recurrent networks", JMLR 3 (2002).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import Batch, Task, check_at_least, mean_squared_error


def _missed(outputs: Float[Array, "T *batch 1"], batch: Batch) -> Float[Array, ""]:
  """Returns the share of spikes whose delay is wrong by more than 0.49, the criterion of Gers & Schmidhuber. NaN is wrong."""
  right = jnp.abs(outputs - batch.targets)[..., 0] <= 0.49
  return jnp.mean(~right, where=batch.mask > 0)


@variants
def spike_timing(shortest: int, delays: int = 2, spikes: int = 10) -> Task:
  """The task of measuring spike delays (MSD) of Gers & Schmidhuber (2000): answer each spike with its delay.

      T(0) = 0,   T(n) = T(n-1) + F + I(n),   I(n) uniform on {0, ..., R-1},   n = 1 ... N
      x_t = 1 at the spikes, else 0;   y_{T(n)} = I(n)

  with F = `shortest`, R = `delays`, N = `spikes`. Only the N steps T(1) … T(N) count. A sequence has N (F + R - 1) + 1 steps,
  enough for N longest pauses, so no spike comes too late; it is silent after spike N. (In the paper the delay of the first
  spike is measured from the start of the sequence, and a stream has 100 spikes.)

  Baseline: the best constant is the mean delay, whose squared error is the variance of I, (R² - 1) / 12. Unlike in the other
  tasks, the step alone allows a slightly better prediction, because an early spike has a short delay. Score: the share of spikes
  whose delay is wrong by more than 0.49. Solved: below 1 %.

  Raises:
    ValueError: for a shortest pause or number of spikes below 1, or fewer than 2 delays.
  """
  check_at_least("shortest", shortest, 1)
  check_at_least("delays", delays, 2)
  check_at_least("spikes", spikes, 1)
  steps = spikes * (shortest + delays - 1) + 1

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    wanted = jax.random.randint(key, (spikes, batch_size), 0, delays, jnp.int32)
    times = jnp.cumsum(shortest + wanted, axis=0, dtype=jnp.int32)
    at_spikes = (times, jnp.arange(batch_size))
    mask = jnp.zeros((steps, batch_size), jnp.float32).at[at_spikes].set(1.0)
    targets = jnp.zeros((steps, batch_size), jnp.float32).at[at_spikes].set(wanted.astype(jnp.float32))
    return Batch(inputs=mask.at[0].set(1.0)[..., None], targets=targets[..., None], mask=mask)

  return Task(
    name="spike_timing",
    input_size=1,
    output_size=1,
    steps=steps,
    sample=sample,
    test=sample,
    loss=mean_squared_error,
    baseline=(delays**2 - 1) / 12,
    score=_missed,
    solved_below=0.01,
  )
