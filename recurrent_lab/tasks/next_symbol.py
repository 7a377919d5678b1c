"""Prediction of the next symbol, where the last symbol repeats the first: a single prediction needs all the memory.

    s_0, s_1, ..., s_{T-1}, s_T = s_0          the net sees s_t at step t and is asked for s_{t+1}, t = 0 ... T-1

All T steps count in the loss. Only the last step counts in the score.

References: Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9 (1997), experiment 2a; Pascanu, Mikolov &
Bengio, "On the difficulty of training recurrent neural networks", ICML (2013), supplement.
"""

from collections.abc import Callable
import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Key

from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import Batch, Task, check_at_least, count_from, cross_entropy, error_rate, on_last_steps


def _predict_next(
  name: str,
  length: int,
  symbols: int,
  between: Callable[[Key[Array, ""], int], Int[Array, "rest B"]],
  baseline: float,
) -> Task:
  """Builds a task in which s_0 is symbol 0 or 1 with equal probability and `between` draws s_1 ... s_{T-1}."""

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    k_ends, k_between = jax.random.split(key)
    ends = jax.random.randint(k_ends, (1, batch_size), 0, 2, jnp.int32)
    sequence = jnp.concatenate([ends, between(k_between, batch_size), ends])
    return Batch(
      inputs=jax.nn.one_hot(sequence[:-1], symbols, dtype=jnp.float32),
      targets=sequence[1:],
      mask=count_from(0, length, batch_size),
    )

  return Task(
    name=name,
    input_size=symbols,
    output_size=symbols,
    steps=length,
    sample=sample,
    test=sample,
    loss=cross_entropy,
    baseline=baseline,
    score=on_last_steps(error_rate, 1),
    solved_below=0.01,
  )


@variants
def random_permutation(length: int, symbols: int = 100) -> Task:
  """The random permutation problem of Pascanu et al. (2013), T = `length`, K = `symbols`.

  s_0 = s_T is one of two symbols. All others are drawn independently from the remaining K - 2, so only s_T can be predicted.
  (In Pascanu's published code only the last step counts in the loss too.)

  Baseline: T - 1 symbols cost ln(K - 2) each and the last costs ln 2, so the loss is ((T - 1) ln(K - 2) + ln 2) / T. A perfect
  net avoids only the ln 2. Score: the share of wrong last symbols. Solved: below 1 %.

  Raises:
    ValueError: for a length below 2, or fewer than 3 symbols.
  """
  check_at_least("length", length, 2)
  check_at_least("symbols", symbols, 3)

  def between(key: Key[Array, ""], batch_size: int) -> Int[Array, "rest B"]:
    return jax.random.randint(key, (length - 1, batch_size), 2, symbols, jnp.int32)

  baseline = ((length - 1) * math.log(symbols - 2) + math.log(2)) / length
  return _predict_next("random_permutation", length, symbols, between, baseline)


@variants
def long_lag(length: int) -> Task:
  """The noise-free long time lag problem of Hochreiter & Schmidhuber (1997), experiment 2a, p = `length`.

  There are p + 1 symbols a_1 ... a_{p-1}, x, y and two equally likely sequences: (x, a_1, ..., a_{p-1}, x) and
  (y, a_1, ..., a_{p-1}, y). The inputs are the first p symbols, one-hot, so I = O = p + 1 grows with the lag.

  Baseline: a predictor that knows the step knows every symbol except the last, which costs ln 2, so the loss is ln 2 / p. Score:
  the share of wrong last symbols. Solved: below 1 %.

  Raises:
    ValueError: for a length below 2.
  """
  check_at_least("length", length, 2)

  def between(key: Key[Array, ""], batch_size: int) -> Int[Array, "rest B"]:
    del key
    return jnp.broadcast_to(jnp.arange(2, length + 1, dtype=jnp.int32)[:, None], (length - 1, batch_size))

  return _predict_next("long_lag", length, length + 1, between, baseline=math.log(2) / length)
