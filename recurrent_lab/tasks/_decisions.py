"""Tasks of systems neuroscience: decisions about noisy evidence, about the evidence that a context asks for, and from memory.

    perceptual_decision    which sign has the mean of a noisy stimulus?
    context_integration    which sign has the mean of the one of two noisy stimuli that a cue names?
    delayed_comparison     is the second of two stimuli larger than the first, which came a delay before?

A stimulus of T steps is x_t = s d / √T + ξ_t with a sign s = ±1, a strength d out of `STRENGTHS` and white noise ξ_t ~ N(0, 1).
Its sum is all that an ideal observer needs, and T makes no difference to that observer: the sign of the sum is wrong with
probability Φ(-d), 4.5 % on average. An observer of the last half of the steps is wrong in 8.0 %, and of three quarters in 5.9 %.

References: Britten, Shadlen, Newsome & Movshon, "The analysis of visual motion", J. Neurosci. 12 (1992); Mante, Sussillo, Shenoy
& Newsome, "Context-dependent computation by recurrent dynamics in prefrontal cortex", Nature 503 (2013); Romo, Brody, Hernández &
Lemus, "Neuronal correlates of parametric working memory in the prefrontal cortex", Nature 399 (1999).
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import Batch, Sample, Task, answer_at_end, check_at_least, cross_entropy, error_rate

STRENGTHS = (1.0, 2.0, 4.0, 8.0)  # means of the sum of a stimulus, in standard deviations of that sum
IDEAL = sum(math.erfc(d / math.sqrt(2)) / 2 for d in STRENGTHS) / len(STRENGTHS)  # error of the ideal observer
SOLVED = 0.06  # the error of an observer of three quarters of the steps
LEAST_DIFFERENCE = 0.1  # between two stimuli that are compared


def _stimuli(
  key: Key[Array, ""], length: int, streams: int, batch_size: int
) -> tuple[Float[Array, "T B streams"], Int[Array, "B streams"]]:
  """Draws independent stimuli. Returns them and the labels of their signs, 1 for a positive mean."""
  k_sign, k_strength, k_noise = jax.random.split(key, 3)
  shape = (batch_size, streams)
  labels = jax.random.randint(k_sign, shape, 0, 2, jnp.int32)
  strengths = jnp.asarray(STRENGTHS, jnp.float32)[jax.random.randint(k_strength, shape, 0, len(STRENGTHS), jnp.int32)]
  noise = jax.random.normal(k_noise, (length, *shape), jnp.float32)
  return noise + (2 * labels - 1) * strengths / jnp.float32(math.sqrt(length)), labels


def _task(name: str, inputs: int, steps: int, sample: Sample, solved_below: float) -> Task:
  """Builds a task of two choices at the last step."""
  return Task(
    name=name,
    input_size=inputs,
    output_size=2,
    steps=steps,
    sample=sample,
    test=sample,
    loss=cross_entropy,
    baseline=math.log(2),
    score=error_rate,
    solved_below=solved_below,
  )


@variants
def perceptual_decision(length: int) -> Task:
  """Asks at the last of `length` steps whether the mean of a noisy stimulus is positive (class 1) or negative (class 0).

  Baseline: both signs are equally likely, so the loss is ln 2. Score: the share of wrong answers, 4.5 % for an ideal observer.
  Solved: below 6 %, for which three quarters of the evidence must be summed.

  Raises:
    ValueError: for a length below 1.
  """
  check_at_least("length", length, 1)

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    stimuli, labels = _stimuli(key, length, 1, batch_size)
    return answer_at_end(stimuli, labels[:, 0])

  return _task("perceptual_decision", 1, length, sample, SOLVED)


@variants
def context_integration(length: int) -> Task:
  """Asks at the last of `length` steps for the sign of one of two noisy stimuli, as `perceptual_decision` does.

  Inputs are the two stimuli, and the context, which is one-hot at every step and names the stimulus that counts. The other one
  is as strong, and independent.

  Baseline: both signs are equally likely, so the loss is ln 2. Score: the share of wrong answers, 4.5 % for an ideal observer.
  An observer without the context is wrong in at least a quarter of all cases. Solved: below 6 %.

  Raises:
    ValueError: for a length below 1.
  """
  check_at_least("length", length, 1)

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    k_stimuli, k_context = jax.random.split(key)
    stimuli, labels = _stimuli(k_stimuli, length, 2, batch_size)
    context = jax.random.randint(k_context, (batch_size,), 0, 2, jnp.int32)
    cue = jnp.broadcast_to(jax.nn.one_hot(context, 2, dtype=jnp.float32), (length, batch_size, 2))
    return answer_at_end(jnp.concatenate([stimuli, cue], axis=-1), labels[jnp.arange(batch_size), context])

  return _task("context_integration", 4, length, sample, SOLVED)


@variants
def delayed_comparison(delay: int) -> Task:
  """Asks whether the second of two stimuli is larger (class 1) or smaller (class 0) than the first, `delay` steps before.

  Each stimulus is one number, at the first and at the last step; between them the input is 0. Their mean is uniform on
  [0.25, 0.75], and their difference is ±u with u uniform on [0.1, 0.5].

  Baseline: both classes are equally likely, so the loss is ln 2. Score: the share of wrong answers. Solved: below 1 %.

  Raises:
    ValueError: for a delay below 1.
  """
  check_at_least("delay", delay, 1)

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    k_label, k_mean, k_difference = jax.random.split(key, 3)
    labels = jax.random.randint(k_label, (batch_size,), 0, 2, jnp.int32)
    mean = jax.random.uniform(k_mean, (batch_size,), jnp.float32, 0.25, 0.75)
    difference = (2 * labels - 1) * jax.random.uniform(k_difference, (batch_size,), jnp.float32, LEAST_DIFFERENCE, 0.5)
    inputs = jnp.zeros((delay + 1, batch_size, 1), jnp.float32)
    inputs = inputs.at[0, :, 0].set(mean - difference / 2).at[-1, :, 0].set(mean + difference / 2)
    return answer_at_end(inputs, labels)

  return _task("delayed_comparison", 1, delay + 1, sample, 0.01)
