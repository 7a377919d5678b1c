"""Remember and repeat: a pattern after a pause, or a stream with a delay.

References: Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9 (1997); Martens & Sutskever, "Learning
recurrent neural networks with Hessian-free optimization", ICML (2011); Pascanu, Mikolov & Bengio, "On the difficulty of training
recurrent neural networks", ICML (2013); Arjovsky, Shah & Bengio, "Unitary evolution recurrent neural networks", ICML (2016);
Engelken, "Gradient flossing: improving gradient descent through dynamic control of Jacobians", NeurIPS (2023).
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import (
  Batch,
  Task,
  check_at_least,
  count_from,
  cross_entropy,
  error_rate,
  mean_squared_error,
  on_last_steps,
)


def _recall(name: str, lag: int, symbols: int, width: int, cue: int) -> Task:
  """Builds a task: a pattern of `width` symbols, `lag` further steps, `width` steps to repeat it, and a cue at step `cue`."""
  check_at_least("lag", lag, 1)
  steps = lag + 2 * width
  blank, signal = symbols, symbols + 1

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    pattern = jax.random.randint(key, (width, batch_size), 0, symbols, jnp.int32)
    blanks = jnp.full((steps, batch_size), blank, jnp.int32)
    seen = blanks.at[:width].set(pattern).at[cue].set(signal)
    return Batch(
      inputs=jax.nn.one_hot(seen, symbols + 2, dtype=jnp.float32),
      targets=blanks.at[-width:].set(pattern),
      mask=count_from(0, steps, batch_size),
    )

  return Task(
    name=name,
    input_size=symbols + 2,
    output_size=symbols + 1,
    steps=steps,
    sample=sample,
    test=sample,
    loss=cross_entropy,
    baseline=width * math.log(symbols) / steps,
    score=on_last_steps(error_rate, width),
    solved_below=0.01,
  )


@variants
def copy_memory(lag: int, symbols: int = 8, width: int = 10) -> Task:
  """The copying memory problem of Arjovsky et al. (2016), T = `lag`, with K = `symbols` and S = `width`.

      input:   S random symbols,  T - 1 blanks,  the delimiter,  S blanks
      target:  T + S blanks,  then the S symbols

  Inputs are one-hot over K symbols, the blank and the delimiter. Targets have no delimiter. All T + 2S steps count in the loss.

  Baseline: the blanks are certain, and each of the last S symbols costs ln K, so the loss is S ln K / (T + 2S). This is
  10 ln 8 / (T + 20) in the paper. Score: the share of wrong symbols among the last S. Solved: below 1 %.

  Raises:
    ValueError: for a lag or width below 1, or fewer than 2 symbols.
  """
  check_at_least("symbols", symbols, 2)
  check_at_least("width", width, 1)
  return _recall("copy_memory", lag, symbols, width, cue=width + lag - 1)


@variants
def noiseless_memorization(lag: int, bits: int = 5) -> Task:
  """The noiseless memorization problem of Martens & Sutskever (2011), T = `lag`, n = `bits`.

      input:   n random bits,  T times a constant,  the cue,  n - 1 times the constant
      target:  n + T times a constant,  then the n bits

  Inputs are one-hot over the bits 0 and 1, the constant and the cue. The cue comes at the step of the first bit to repeat.
  Targets have no cue. All T + 2n steps count in the loss. (The "20-bit" version of the paper has 10 symbols out of 5 instead of
  bits.)

  Baseline: the constant is certain, and each of the last n bits costs ln 2, so the loss is n ln 2 / (T + 2n). Score: the share of
  wrong bits among the last n. Solved: below 1 %.

  Raises:
    ValueError: for a lag or number of bits below 1.
  """
  check_at_least("bits", bits, 1)
  return _recall("noiseless_memorization", lag, symbols=2, width=bits, cue=bits + lag)


@variants
def delayed_copy(delay: int, length: int) -> Task:
  """The delayed copy task of Engelken (2023): repeat a stream of numbers `delay` steps later, for `length` steps.

      x_t uniform on [0, 1],   y_t = x_{t - delay}

  Only steps t >= delay count; steps are numbered from 0. (Engelken's published code draws bits instead of numbers.)

  Baseline: the best constant is the mean, 1/2, whose squared error is the variance of a uniform number, 1/12. Solved: a mean
  squared error below 0.005, which is 6 % of the baseline.

  Raises:
    ValueError: for a delay below 1 or a length that does not exceed the delay.
  """
  check_at_least("delay", delay, 1)
  check_at_least("length", length, delay + 1)

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    inputs = jax.random.uniform(key, (length, batch_size, 1), jnp.float32)
    targets = jnp.zeros_like(inputs).at[delay:].set(inputs[:-delay])
    return Batch(inputs, targets, count_from(delay, length, batch_size))

  return Task(
    name="delayed_copy",
    input_size=1,
    output_size=1,
    steps=length,
    sample=sample,
    test=sample,
    loss=mean_squared_error,
    baseline=1 / 12,
    score=mean_squared_error,
    solved_below=0.06 / 12,
  )
