"""Tagging in context: every word gets a tag, and an earlier word decides between the two meanings of an ambiguous one.

    i     like   eating  apple            shares  of     the    apple
    other other  other   thing            other   other  other  company

A net without memory cannot tell the two apples apart. The tag is due at the step of its word, and a net that reads in one
direction does not know what follows ("the apple is a great company"). The deciding word therefore always stands earlier.

References: Elman, "Finding structure in time", Cognitive Science 14 (1990), for meaning from context; Lample et al., "Neural
architectures for named entity recognition", NAACL (2016), for one tag per word.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import Batch, Task, check_at_least, count_from, cross_entropy, error_rate

TAGS = ("other", "thing", "company")
AMBIGUOUS = ("apple", "orange", "shell", "amazon", "blackberry", "jaguar", "oracle", "target")
# Both kinds of cue have the same number of words.
THING_CUES = ("eating", "picking", "painting", "watching", "finding", "drawing")
COMPANY_CUES = ("shares", "sued", "hired", "profits", "investors", "merged")
NEUTRAL = ("i", "we", "they", "like", "the", "a", "my", "this", "great", "old", "new", "really", "today", "and", "of")
WORDS = (*AMBIGUOUS, *THING_CUES, *COMPANY_CUES, *NEUTRAL)


def _ambiguous_error_rate(outputs: Float[Array, "T B O"], batch: Batch) -> Float[Array, ""]:
  """Returns the `error_rate` on the words whose tag is not 0, which are the ambiguous ones."""
  return error_rate(outputs, batch._replace(mask=batch.mask * (batch.targets != 0)))


@variants
def tagging(length: int) -> Task:
  """Asks for a tag for each word of a sentence of T = `length` words: 0 other, 1 thing, 2 company.

      w_p is ambiguous, w_c with c < p a cue, all other words are neutral;      tag of w_p: that of the cue, else 0

  p is uniform on 1 ... T - 1 and c is uniform on 0 ... p - 1; words are numbered from 0. Both tags are equally likely. Each
  word is drawn uniformly from its kind, independently of the others, so the sentences have no grammar. With length 1 a sentence
  is the ambiguous word alone (p = 0) without a cue, and every net errs in half of the cases. Inputs are one-hot over `WORDS`.

  Baseline: word 0 is never ambiguous. Every other word is ambiguous with probability q = 1/(T - 1), and its tag then costs
  another ln 2. All T words count:

      ((T - 1) (-q ln q - (1 - q) ln(1 - q)) + ln 2) / T,      ln 2 for T = 1

  Score: the share of wrong tags among the ambiguous words; guessing gives ½. Solved: below 5 %.

  Raises:
    ValueError: for a length below 1.
  """
  check_at_least("length", length, 1)
  neutral = WORDS.index(NEUTRAL[0])
  # The ranges of the words of a neutral sentence; then those of p, of the ambiguous word, of its tag and of the tag's cue.
  low = np.array([*[neutral] * length, min(1, length - 1), 0, 1, 0], np.int32)[:, None]
  high = np.array([*[len(WORDS)] * length, length, len(AMBIGUOUS), 3, len(THING_CUES)], np.int32)[:, None]

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    k_words, k_cue = jax.random.split(key)
    each = jnp.arange(batch_size)
    drawn = jax.random.randint(k_words, (length + 4, batch_size), low, high, jnp.int32)
    words, (where, ambiguous, tag, cue) = drawn[:length], drawn[length:]
    if length > 1:
      earlier = jax.random.randint(k_cue, (batch_size,), 0, where, jnp.int32)
      words = words.at[earlier, each].set(len(AMBIGUOUS) + len(THING_CUES) * (tag - 1) + cue)
    words = words.at[where, each].set(ambiguous)
    return Batch(
      inputs=jax.nn.one_hot(words, len(WORDS), dtype=jnp.float32),
      targets=jnp.zeros_like(words).at[where, each].set(tag),
      mask=count_from(0, length, batch_size),
    )

  return Task(
    name="tagging",
    input_size=len(WORDS),
    output_size=len(TAGS),
    steps=length,
    sample=sample,
    test=sample,
    loss=cross_entropy,
    baseline=_baseline(length),
    score=_ambiguous_error_rate,
    solved_below=0.05,
  )


def _baseline(length: int) -> float:
  if length <= 2:  # the step determines which word is ambiguous
    return math.log(2) / length
  q = 1 / (length - 1)
  is_ambiguous = -q * math.log(q) - (1 - q) * math.log1p(-q)
  return ((length - 1) * is_ambiguous + math.log(2)) / length
