"""Language modelling: predict every next token of a text.

    P(w_1 … w_m) = ∏_t P(w_t | w_1 … w_{t-1}),      perplexity = exp(-1/m Σ_t ln P(w_t | …))

A text is one stream of tokens, with a special token between sentences. A batch consists of windows at random places of the
stream. The net starts each window in its initial state.

Reference: Mikolov et al., "Recurrent neural network based language model", Interspeech (2010).
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Int, Key
import numpy as np

from recurrent_lab.tasks.task import Batch, Sample, Task, check_at_least, count_from, cross_entropy


def _windows(stream: np.ndarray, window: int, noise: float = 0.0) -> Sample:
  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    first = jax.random.randint(key, (batch_size,), 0, len(stream) - window, jnp.int32)
    batch = next_tokens(jnp.asarray(stream)[first + jnp.arange(window + 1, dtype=jnp.int32)[:, None]])
    if not noise:
      return batch
    k_where, k_what = jax.random.split(jax.random.fold_in(key, 1))
    is_noise = jax.random.uniform(k_where, batch.inputs.shape, jnp.float32) < noise
    places = jax.random.randint(k_what, batch.inputs.shape, 0, len(stream), jnp.int32)
    return batch._replace(inputs=jnp.where(is_noise, jnp.asarray(stream)[places], batch.inputs))

  return sample


def next_tokens(tokens: Int[Array, "steps B"]) -> Batch:
  """Returns the batch that asks for every next token. T + 1 tokens in a row give T steps."""
  steps, batch_size = tokens.shape[0] - 1, tokens.shape[1]
  return Batch(tokens[:-1], tokens[1:], count_from(0, steps, batch_size))


def language(training: ArrayLike, held_out: ArrayLike, vocabulary: int, window: int, noise: float = 0.0) -> Task:
  """Asks for every next token of a text, in windows of T = `window` tokens.

  Every call returns a new task, because arrays cannot be compared cheaply.

  Baseline: the best constant prediction is the token frequencies of the training text. Its loss on that text is their entropy.
  Score: the loss itself, in nats per token. No score counts as solved, so `solved_below` is 0.

  Args:
    training: the tokens `[N]` of the training text, whole numbers from 0.
    held_out: the tokens `[M]` of the held-out text, for `test`.
    vocabulary: the number of different tokens. The net outputs one logit for each.
    window: T, the number of tokens to predict in a row.
    noise: the share of input tokens that are replaced in training by tokens from random places of the text. This keeps a net from
      memorizing the text (Xie et al., "Data noising as smoothing in neural network language models", ICLR 2017).

  Raises:
    ValueError: for tokens outside the vocabulary, a text of `window` tokens or fewer, or noise outside [0, 1).
  """
  check_at_least("window", window, 1)
  check_at_least("vocabulary", vocabulary, 2)
  if not 0 <= noise < 1:
    raise ValueError(f"noise is {noise}; it must be a share of at least 0 and below 1.")
  parts = {"training": np.asarray(training), "held_out": np.asarray(held_out)}
  for name, tokens in parts.items():
    if tokens.ndim != 1 or not np.issubdtype(tokens.dtype, np.integer) or len(tokens) <= window:
      raise ValueError(
        f"{name} is {tokens.dtype}{list(tokens.shape)}; it must be more than {window} whole numbers in a row."
      )
    if tokens.min() < 0 or tokens.max() >= vocabulary:
      raise ValueError(
        f"{name} has tokens from {tokens.min()} to {tokens.max()}; the vocabulary has 0 to {vocabulary - 1}."
      )
  stream, held_out_stream = (tokens.astype(np.int32) for tokens in parts.values())
  frequencies = np.bincount(stream) / len(stream)
  seen = frequencies[frequencies > 0]
  return Task(
    name="language",
    input_size=vocabulary,
    output_size=vocabulary,
    steps=window,
    sample=_windows(stream, window, noise),
    test=_windows(held_out_stream, window),
    loss=cross_entropy,
    baseline=float(-np.sum(seen * np.log(seen))),
    score=cross_entropy,
    solved_below=0.0,
  )
