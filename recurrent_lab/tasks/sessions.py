"""What will they look at next? Sessions in a shop, where the first click shows a taste that decides all later ones.

    taste (b_0, b_1, b_2, b_3),  b_d = 0 or 1        the first item is the page that a visitor of this taste comes in by
    item t = 1, 2, ...: variant v_t of department d = (t - 1) mod 4
    v_{t+1} = v_t + 1 + b_d  mod 4                   or, with chance ε = 0.1, any of the four: a click at random

All is equally likely at the start: the 16 tastes and the variant v_1. The last item alone leaves two candidates, as b_d is not
seen in it, and neither is it in the three before: each transition shows the taste in one department, and four departments take
turns. Beyond its first steps, then, who sees four items is no better off than who sees one; the fifth shows a transition in the
same department, which a click at random may have spoilt.

References: Hidasi, Karatzoglou, Baltrunas & Tikk, "Session-based recommendations with recurrent neural networks", ICLR (2016);
Rendle, Freudenthaler & Schmidt-Thieme, "Factorizing personalized Markov chains for next-basket recommendation", WWW (2010), for
the first-order Markov chain as the predictor to better.
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

_OTHER = NOISE / VARIANTS  # chance of any variant that the taste does not call for
_CALLED = 1 - NOISE + _OTHER  # and of the one that it does
# Errors of the best predictor that knows the whole session, so that only clicks at random surprise it,
BAYES_ERROR = 1 - _CALLED
# of the best one that knows the last item and the step, and picks one of two equally likely variants,
MARKOV_ERROR = 1 - (_CALLED + _OTHER) / 2
# and of the best one that knows the last five and the step: it repeats the move seen in this department, if one of the two.
FIVE_ITEMS_ERROR = 1 - (_CALLED**2 + _OTHER**2) - (VARIANTS - 2) * _OTHER * (_CALLED + _OTHER) / 2
# A twentieth of the way from the first to the second. Five items come within a tenth, three departments of four within a fourth.
SOLVED_BELOW = BAYES_ERROR + (MARKOV_ERROR - BAYES_ERROR) / 20


@variants
def next_item(length: int) -> Task:
  """The next item of a session, T = `length` times, from those before it (see the top of this file).

      item 0 is one of 16 entrances, number Σ_d b_d 2^d;      item t ≥ 1 has number 16 + 4 d + v_t

  A session has T + 1 items, the inputs are the first T of them, one-hot, and the targets the last T. Variant v_1 is drawn at
  random, so the first step does not count; all others count, in the loss and in the score.

  Baseline: the step tells the department and all its variants are equally likely, ln 4. The score is the share of next items that
  are not the most probable one: at best `BAYES_ERROR` = 0.075, from the last item alone `MARKOV_ERROR` = 0.525, from the last
  five `FIVE_ITEMS_ERROR` = 0.12 once the first is no longer among them. Solved below `SOLVED_BELOW` = 0.0975, which takes the
  taste in every department and, from a length of 9 on, more memory than five items.

  Raises:
    ValueError: for a length below 2.
  """
  check_at_least("length", length, 2)
  departments = np.arange(length, dtype=np.int32) % DEPARTMENTS
  left = np.roll(departments, 1)  # the department before; the first item has none, and its variant is drawn at random

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    k_items, k_noise = jax.random.split(key)
    drawn = jax.random.randint(k_items, (1 + length, batch_size), 0, TASTES, jnp.int32)
    taste, at_random = drawn[0], drawn[1:] % VARIANTS
    # A variant at random is a random number of variants further.
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
