"""The adding problem and the multiplication problem: keep two numbers out of many, and combine them at the end.

    x_t = (u_t, m_t),   u_t uniform on [0, 1],   m_t = 1 at two steps a < T/2 <= b, drawn uniformly, one from each half, else 0
    adding:          y_T = u_a + u_b
    multiplication:  y_T = u_a u_b

This is the form of Le et al. and Arjovsky et al. The original problems (Hochreiter & Schmidhuber, experiments 4 and 5) draw the
length from [T, 1.1 T], mark one of the first ten pairs and one of the first T/2, and set the marker to -1 at both ends. Their
adding problem draws numbers from [-1, 1] and asks for 0.5 + (u_a + u_b) / 4. Pascanu et al. also draw the length from
[T, 1.1 T]; they mark one pair in [0, T/10) and one in [T/10, T/2), and ask for half the sum.

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
  """Asks for the sum of the two marked numbers at the last of `length` steps.

  Baseline: the best constant is the mean, 1. Its squared error is the variance of the sum of two independent uniform numbers,
  2 / 12 = 1/6. Solved: a mean squared error below 0.01, which is 6 % of the baseline.

  Raises:
    ValueError: for a length below 2.
  """
  return _combine_two("adding", length, lambda marked: marked[0] + marked[1], baseline=1 / 6, solved_below=0.01)


@variants
def multiplication(length: int) -> Task:
  """Asks for the product of the two marked numbers at the last of `length` steps.

  Baseline: the best constant is the mean, 1/4. Its squared error is the variance E u² E u² - (E u)⁴ = 1/9 - 1/16 = 7/144. Solved:
  a mean squared error below 0.0029, which is 6 % of the baseline, as in `adding`.

  Raises:
    ValueError: for a length below 2.
  """
  variance = 7 / 144
  return _combine_two(
    "multiplication", length, lambda marked: marked[0] * marked[1], baseline=variance, solved_below=0.06 * variance
  )
