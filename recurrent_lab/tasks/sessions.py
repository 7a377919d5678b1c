"""Prediction of the next item in a shop session, whose first item reveals a taste that governs all later ones.

    taste (b_0, b_1, b_2, b_3),  b_d = 0 or 1        item 0 is the entrance page of visitors with this taste
    item t = 1, 2, ...: variant v_t of department d = (t - 1) mod 4
    v_{t+1} = v_t + 1 + b_d  mod 4                   or, with probability ε = 0.1, any of the four at random

The 16 tastes are equally likely, and so are the four variants v_1. The last item does not show b_d, so it leaves two candidates
for the next item. The three items before it do not show b_d either: each transition reveals the taste in one department, and
the four departments take turns. After the first steps, the last four items therefore tell a predictor no more than the last item
does. The fifth item back reveals the last transition in the same department, unless that was a random click.

References: Hidasi, Karatzoglou, Baltrunas & Tikk, "Session-based recommendations with recurrent neural networks", ICLR (2016);
Rendle, Freudenthaler & Schmidt-Thieme, "Factorizing personalized Markov chains for next-basket recommendation", WWW (2010), for
the first-order Markov chain as the predictor to beat.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key
import numpy as np

from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import Batch, Task, check_at_least, count_from, cross_entropy, error_rate

DEPARTMENTS = 4
VARIANTS = 4
NOISE = 0.1  # ε
TASTES = 2**DEPARTMENTS
ITEMS = TASTES + DEPARTMENTS * VARIANTS

_OTHER = NOISE / VARIANTS  # probability of each variant that the taste does not select
_CALLED = 1 - NOISE + _OTHER  # probability of the variant that the taste selects
# The error of the best predictor that knows the whole session: only random clicks surprise it.
BAYES_ERROR = 1 - _CALLED
# The error of the best predictor that knows the last item and the step: it picks one of two equally likely variants.
MARKOV_ERROR = 1 - (_CALLED + _OTHER) / 2
# The error of the best predictor that knows the last five items and the step. It repeats the last move in this department, if
# that was one of the two moves that a taste can select.
FIVE_ITEMS_ERROR = 1 - (_CALLED**2 + _OTHER**2) - (VARIANTS - 2) * _OTHER * (_CALLED + _OTHER) / 2
# A twentieth of the way from the Bayes error to the Markov error. Memory of five items comes within a tenth of the way, and
# knowing the taste in three departments of four within a fourth.
SOLVED_BELOW = BAYES_ERROR + (MARKOV_ERROR - BAYES_ERROR) / 20


@variants
def next_item(length: int) -> Task:
  """Asks T = `length` times for the next item of a session; the top of this file defines the sessions.

      item 0 is one of 16 entrances, number Σ_d b_d 2^d;      item t ≥ 1 has number 16 + 4 d + v_t

  A session has T + 1 items. The inputs are the first T items, one-hot, and the targets are the last T. Variant v_1 is random, so
  the first step does not count. All other steps count in the loss and in the score.

  Baseline: the step gives the department, and all its variants are equally likely, so the loss is ln 4. Score: the share of
  steps at which the item with the largest logit is not the next one. The best possible score is `BAYES_ERROR` = 0.075. The last
  item alone gives `MARKOV_ERROR` = 0.525. The last five items give `FIVE_ITEMS_ERROR` = 0.12, once item 0 is not among them.
  Solved: below `SOLVED_BELOW` = 0.0975, which needs the taste in every department and, from length 9 on, a memory of more than
  five items.

  Raises:
    ValueError: for a length below 2.
  """
  check_at_least("length", length, 2)
  departments = np.arange(length, dtype=np.int32) % DEPARTMENTS
  left = np.roll(departments, 1)  # the department before; unused for the first item, whose variant is random

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    k_items, k_noise = jax.random.split(key)
    drawn = jax.random.randint(k_items, (1 + length, batch_size), 0, TASTES, jnp.int32)
    taste, at_random = drawn[0], drawn[1:] % VARIANTS
    # A random variant is a random number of variants further.
    is_random = jax.random.bernoulli(k_noise, np.float32(NOISE), (length, batch_size)).at[0].set(True)
    preference = (taste >> left[:, None]) & 1
    moves = jnp.where(is_random, at_random, 1 + preference)
    v = jnp.cumsum(moves, axis=0, dtype=jnp.int32) % VARIANTS
    session = jnp.concatenate([taste[None], TASTES + VARIANTS * departments[:, None] + v])
    return Batch(
      inputs=jax.nn.one_hot(session[:-1], ITEMS, dtype=jnp.float32),
      targets=session[1:],
      mask=count_from(1, length, batch_size),
    )

  return Task(
    name="next_item",
    input_size=ITEMS,
    output_size=ITEMS,
    steps=length,
    sample=sample,
    test=sample,
    loss=cross_entropy,
    baseline=math.log(VARIANTS),
    score=error_rate,
    solved_below=SOLVED_BELOW,
  )
