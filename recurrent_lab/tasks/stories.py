"""Long-range recall: the end of a story asks for a name from its beginning.

    jane walked into the room . john walked in too . it was late in the day . jane said hi to ____

The words just before the gap exclude one name. The answer stands far back, at a distance set by the task's number. A full stop is
a word too.

Reference: Weston et al., "Towards AI-complete question answering: a set of prerequisite toy tasks", ICLR (2016), for stories with
a small vocabulary that ask for an earlier fact.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key
import numpy as np

from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import Batch, Task, answer_at_end, check_at_least, cross_entropy, error_rate

NAMES = ("jane", "john", "mary", "peter", "anna", "paul", "lucy", "simon")
FIRST = ("walked", "into", "the", "room", ".")  # what follows the first name
SECOND = ("walked", "in", "too", ".")
QUESTION = ("said", "hi", "to")
# All sentences have the same length, so a filler is a plain row of sentences.
FILLERS = tuple(
  tuple(sentence.split())
  for sentence in (
    "it was late in the day .",
    "the rain fell on the roof .",
    "a clock ticked on the wall .",
    "the lamp was dim and old .",
    "some music came from the street .",
    "the tea was hot and sweet .",
    "a dog slept under the table .",
    "the window was open a little .",
    "the fire was low and red .",
    "a train passed behind the house .",
    "the book lay on a chair .",
    "it was cold in the garden .",
  )
)
WORDS = tuple(dict.fromkeys((*NAMES, *FIRST, *SECOND, *QUESTION, *(word for filler in FILLERS for word in filler))))
CHANCE_ERROR = 1 - 1 / (len(NAMES) - 1)  # the error of a guess among the names that are not excluded


def name_lags(gap: int) -> tuple[int, int]:
  """Returns how many steps before the last one the first and the second name stand: (gap + 14, gap + 8)."""
  second = 1 + len(SECOND) + gap + len(QUESTION)
  return second + 1 + len(FIRST), second


@variants
def long_range_recall(gap: int) -> Task:
  """Asks for a name in a story of two people. `gap` words separate the sentences that name them from the question; T = gap + 15.

      A walked into the room . B walked in too . <gap words> A said hi to      answer: B
      A walked into the room . B walked in too . <gap words> B said hi to      answer: A

  A and B are two different names out of 8. All 56 pairs are equally likely, and so are the two questions. The gap is filled with
  sentences of 7 words, drawn independently from twelve; the first one loses words at its start to fit. Inputs are one-hot over
  `WORDS`. The net outputs a logit for every word, as a language model does, but only the last step counts. To print story b, use
  `" ".join(WORDS[i] for i in batch.inputs[:, b].argmax(-1))`.

  Baseline: all 8 names are equally likely, so the loss is ln 8. Score: the share of wrong answers. Solved: below 5 %. A net that
  remembers nothing from before the filler chooses among 7 names; its score is `CHANCE_ERROR` = 6/7.

  Raises:
    ValueError: for a gap below 1.
  """
  check_at_least("gap", gap, 1)
  tokens = lambda words: np.array([WORDS.index(word) for word in words], np.int32)
  first, second, question = map(tokens, (FIRST, SECOND, QUESTION))
  fillers = np.stack([tokens(filler) for filler in FILLERS])
  count = -(-gap // fillers.shape[1])

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    k_names, k_fillers = jax.random.split(key)
    low, high = np.array([[0, 1, 0], [len(NAMES), len(NAMES), 2]], np.int32)[..., None]
    a, further, is_first = jax.random.randint(k_names, (3, batch_size), low, high, jnp.int32)
    b = (a + further) % len(NAMES)
    chosen = jax.random.randint(k_fillers, (batch_size, count), 0, len(fillers), jnp.int32)
    filler = jnp.asarray(fillers)[chosen].reshape(batch_size, -1)[:, -gap:]

    same = lambda words: jnp.broadcast_to(words, (batch_size, len(words)))
    asked, answer = jnp.where(is_first == 1, a, b), jnp.where(is_first == 1, b, a)
    parts = a[:, None], same(first), b[:, None], same(second), filler, asked[:, None], same(question)
    story = jnp.concatenate(parts, axis=1).T
    return answer_at_end(jax.nn.one_hot(story, len(WORDS), dtype=jnp.float32), answer)

  return Task(
    name="long_range_recall",
    input_size=len(WORDS),
    output_size=len(WORDS),
    steps=1 + name_lags(gap)[0],
    sample=sample,
    test=sample,
    loss=cross_entropy,
    baseline=math.log(len(NAMES)),
    score=error_rate,
    solved_below=0.05,
  )
