"""Translation of sentences into another language, with another length and word order.

    P(target | source) = ∏_t P(w_t | w_1 … w_{t-1}, source)

The encoder reads the source, and its last state is the first state of the decoder. The decoder predicts every word of the target
given the right words before it (teacher forcing), and the token 0 after the last word. Its first input is the token 0 too.

References: Sutskever, Vinyals & Le, "Sequence to sequence learning with neural networks", NeurIPS (2014); Williams & Zipser,
"A learning algorithm for continually running fully recurrent neural networks", Neural Computation 1 (1989), for teacher forcing.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Int
import numpy as np

from recurrent_lab.tasks.task import (
  Batch,
  Pair,
  Task,
  check_at_least,
  cross_entropy,
  each_once,
  entropy_by_step,
  error_rate,
  with_replacement,
)

END = 0  # ends a sentence, fills the rest of its row, and is the first input of the decoder


class ParallelCorpus(NamedTuple):
  """Sentences of two languages as tokens. Row i of the target is the translation of row i of the source.

  Attributes:
    source: `[N, S]` int32, words numbered from 1, then 0.
    target: `[N, T]` int32, words numbered from 1, then at least one 0.
    source_words: the word of each token of the source language, starting with token 0.
    target_words: the word of each token of the target language, starting with token 0.
  """

  source: np.ndarray
  target: np.ndarray
  source_words: tuple[str, ...]
  target_words: tuple[str, ...]


def pair_batch(source: Int[Array, "B S"], target: Int[Array, "B T"]) -> Batch:
  """Returns the batch that asks for every word of the targets, and for their end, given the words before."""
  source, target = source.T, target.T
  shifted = jnp.concatenate([jnp.full_like(target[:1], END), target[:-1]])
  is_asked = (shifted != END).at[0].set(True)
  return Batch(Pair(source, (source != END).astype(jnp.float32), shifted), target, is_asked.astype(jnp.float32))


def _checked(name: str, tokens: ArrayLike, vocabulary: int, ends: int) -> np.ndarray:
  """Returns the tokens as int32. Raises `ValueError` unless every row is words followed by at least `ends` times END."""
  check_at_least(f"{name}_vocabulary", vocabulary, 2)
  array = np.asarray(tokens)
  if array.ndim != 2 or not np.issubdtype(array.dtype, np.integer):
    raise ValueError(f"{name} is {array.dtype}{list(array.shape)}; it must be whole numbers, a sentence a row.")
  if array.size and not 0 <= array.min() <= array.max() < vocabulary:
    raise ValueError(
      f"{name} has tokens from {array.min()} to {array.max()}; its vocabulary has 0 to {vocabulary - 1}."
    )
  is_word = array != END
  lengths = is_word.sum(axis=1)
  is_wrong = (lengths < 1) | (lengths > array.shape[1] - ends) | (is_word[:, 1:] > is_word[:, :-1]).any(axis=1)
  if is_wrong.any():
    raise ValueError(
      f"Row {int(np.argmax(is_wrong))} of {name} is not a sentence; it must be at least one word from 1 on, followed by "
      f"{'zeros alone, at least one' if ends else 'zeros alone'}."
    )
  return array.astype(np.int32)


def translation(
  source: ArrayLike, target: ArrayLike, source_vocabulary: int, target_vocabulary: int, test_share: float = 0.05
) -> Task:
  """Asks for the words of a target sentence and its end, in T steps, given a source sentence of up to S words.

  The last `test_share` of the pairs are held out. `sample` draws training pairs with replacement. `test` draws held-out pairs
  without replacement; it returns all of them, in order, if the batch is at least as large. Every call returns a new task,
  because arrays cannot be compared cheaply.

  Baseline: a predictor that knows only the step t predicts the word frequencies at that step. Its loss is Σ_t n_t H_t / Σ_t n_t,
  where n_t training targets reach step t and H_t is the entropy of their words there. Score: the share of wrong words, including
  the end, given the right words before them. Solved: below 1 %.

  Args:
    source: `[N, S]`, words numbered from 1; the rest of every row is 0.
    target: `[N, T]`, words numbered from 1; the rest of every row is 0, and every row has at least one 0.
    source_vocabulary: the number of tokens of the source language, including 0.
    target_vocabulary: the number of tokens of the target language, including 0. The decoder outputs a logit for each.
    test_share: the share of held-out pairs, between 0 and 1.

  Raises:
    ValueError: if these shapes or values do not fit together, or the training or the held-out part is empty.
  """
  source, target = _checked("source", source, source_vocabulary, 0), _checked("target", target, target_vocabulary, 1)
  count = len(source)
  if len(target) != count:
    raise ValueError(f"There are {count} sources and {len(target)} targets; they must be pairs.")
  training = count - round(test_share * count)
  if not 0 < training < count:
    raise ValueError(f"test_share is {test_share}; of {count} pairs it must leave some in either part.")
  is_reached = np.pad(target[:, :-1] != END, ((0, 0), (1, 0)), constant_values=True)

  def chosen(rows: Int[Array, "B"]) -> Batch:
    return pair_batch(jnp.asarray(source)[rows], jnp.asarray(target)[rows])

  return Task(
    name="translation",
    input_size=target_vocabulary,
    output_size=target_vocabulary,
    steps=target.shape[1],
    sample=with_replacement(np.arange(training), chosen),
    test=each_once(np.arange(training, count), chosen),
    loss=cross_entropy,
    baseline=entropy_by_step(target[:training].T, is_reached[:training].T),
    score=error_rate,
    solved_below=0.01,
    source_size=source_vocabulary,
  )
