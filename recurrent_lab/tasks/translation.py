"""Translation: a sentence of one language into one of another, whose length and word order differ.

    P(target | source) = ∏_t P(w_t | w_1 … w_{t-1}, source)

The encoder reads the source and hands its last state to the decoder, which is asked for every word of the target given those
before it (teacher forcing) and for the token 0 after the last one. The same token is what the decoder is given first.

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

END = 0  # ends a sentence, fills what is left of its row, and is what a decoder is given first


class ParallelCorpus(NamedTuple):
  """Sentences of two languages, row by row translations of each other, as tokens.

  Attributes:
    source: `[N, S]` int32, words from 1 on, then 0.
    target: `[N, T]` int32, words from 1 on, then at least one 0.
    source_words: what each token stands for, that of 0 first.
    target_words: the same of the target language.
  """

  source: np.ndarray
  target: np.ndarray
  source_words: tuple[str, ...]
  target_words: tuple[str, ...]


def pair_batch(source: Int[Array, "B S"], target: Int[Array, "B T"]) -> Batch:
  """The batch that asks for every word of the targets and for their end, given what is before it."""
  source, target = source.T, target.T
  shifted = jnp.concatenate([jnp.full_like(target[:1], END), target[:-1]])
  is_asked = (shifted != END).at[0].set(True)
  return Batch(Pair(source, (source != END).astype(jnp.float32), shifted), target, is_asked.astype(jnp.float32))


def _checked(name: str, tokens: ArrayLike, vocabulary: int, ends: int) -> np.ndarray:
  """The tokens as int32, if every row has words, and then at least `ends` times END."""
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
  """The words of a target sentence and its end, T steps, from a source sentence of up to S words.

  The last `test_share` of the pairs are held out, in the order given. `sample` draws training pairs with replacement;
  `test` gives all held-out pairs once, in order, where as many or more are asked for, and else that many of them at random.
  Arrays cannot be compared cheaply, so two calls give two tasks.

  Baseline: the best predictor that knows the step t alone gives every word its frequency there among the n_t training targets
  that reach it, and pays Σ_t n_t H_t / Σ_t n_t with H_t the entropy of these. The score is the share of words, ends counted,
  that are not the most probable ones given the right words before them; solved below 1 %.

  Args:
    source: `[N, S]`, words from 1 on, every row filled up with 0.
    target: `[N, T]`, the same, with at least one 0 in every row.
    source_vocabulary: how many tokens there are, 0 among them.
    target_vocabulary: the same; the decoder puts out a logit for each.
    test_share: between 0 and 1.

  Raises:
    ValueError: if these shapes or values do not fit together, or one of the two parts is empty.
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
