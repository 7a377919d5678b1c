"""The adding and the multiplication problem: keep two numbers out of many, and combine them at the end.

    x_t = (u_t, m_t),   u_t uniform on [0, 1],   m_t = 1 at two steps a < T/2 <= b, drawn uniformly from either half, else 0
    adding:          y_T = u_a + u_b
    multiplication:  y_T = u_a u_b

This is the form of Le et al. and Arjovsky et al. Hochreiter & Schmidhuber (experiments 4 and 5) draw the length from [T, 1.1 T],
mark within the first ten and the first T/2 pairs, set -1 in the marker channel at both ends, and for adding draw from [-1, 1]
and want 0.5 + (u_a + u_b) / 4. Pascanu et al. draw the length likewise, mark in [0, T/10) and [T/10, T/2), and want half the sum.

References: Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9 (1997); Pascanu, Mikolov & Bengio, "On the
difficulty of training recurrent neural networks", ICML (2013); Le, Jaitly & Hinton, "A simple way to initialize recurrent
networks of rectified linear units" (2015); Arjovsky, Shah & Bengio, "Unitary evolution recurrent neural networks", ICML (2016).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import Batch, Task, answer_at_end, check_at_least, mean_squared_error


def _combine_two(
  name: str, length: int, combine: Callable[[Float[Array, "2 B"]], Array], baseline: float, solved_below: float
) -> Task:
  check_at_least("length", length, 2)
  half = length // 2
  from_steps, to_steps = np.array([[0], [half]], np.int32), np.array([[half], [length]], np.int32)

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    k_numbers, k_steps = jax.random.split(key)
    numbers = jax.random.uniform(k_numbers, (length, batch_size), jnp.float32)
    steps = jax.random.randint(k_steps, (2, batch_size), from_steps, to_steps, jnp.int32)
    marked = (steps, jnp.arange(batch_size))
    marks = jnp.zeros_like(numbers).at[marked].set(1.0)
    return answer_at_end(jnp.stack([numbers, marks], axis=-1), combine(numbers[marked])[:, None])

  return Task(
    name=name,
    input_size=2,
    output_size=1,
    steps=length,
    sample=sample,
    test=sample,
    loss=mean_squared_error,
    baseline=baseline,
    score=mean_squared_error,
    solved_below=solved_below,
  )


@variants
def adding(length: int) -> Task:
  """The sum of the two marked numbers at the last of `length` steps.

  Baseline: the mean, 1, errs by the variance of the sum of two independent uniform numbers, 2 / 12 = 1/6. Solved when the mean
  squared error is below 0.01, 6 % of that.

  Raises:
    ValueError: for a length below 2.
  """
  return _combine_two("adding", length, lambda marked: marked[0] + marked[1], baseline=1 / 6, solved_below=0.01)


@variants
def multiplication(length: int) -> Task:
  """The product of the two marked numbers at the last of `length` steps.

  Baseline: the mean, 1/4, errs by the variance E u² E u² - (E u)⁴ = 1/9 - 1/16 = 7/144. Solved when the mean squared error is
  below 6 % of that, 0.0029, the same share as in `adding`.

  Raises:
    ValueError: for a length below 2.
  """
  variance = 7 / 144
  return _combine_two(
    "multiplication", length, lambda marked: marked[0] * marked[1], baseline=variance, solved_below=0.06 * variance
  )
