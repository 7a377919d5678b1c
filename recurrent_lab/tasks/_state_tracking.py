"""State tracking: the target is the product of all inputs so far, in a small group.

    parity                 y_t = x_1 ⊕ … ⊕ x_t                  bits, the group of two elements
    permutation_product    y_t = x_t ∘ … ∘ x_1                  x_t any of the six permutations of three things
    swap_product           y_t = x_t ∘ … ∘ x_1                  x_t one of the three that swap two things

All steps count, so one length trains all shorter ones: the first n outputs are those of a sequence of n steps. The permutations
of three things do not commute, and the swaps generate them all.

References: Grazzi et al., "Unlocking state-tracking in linear RNNs through negative eigenvalues", ICLR (2025), for parity and for
products of swaps; Merrill, Petty & Sabharwal, "The illusion of state in state-space models", ICML (2024), for products of
permutations.
"""

import itertools
import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Key
import numpy as np

from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import Batch, Task, check_at_least, count_from, cross_entropy, error_rate

#: The permutations (p(0), p(1), p(2)) in lexicographic order. Their places in this list are the class labels; the identity is 0.
PERMUTATIONS = tuple(itertools.permutations(range(3)))
#: The labels of those that swap two things and leave the third.
SWAPS = tuple(i for i, p in enumerate(PERMUTATIONS) if sum(p[k] == k for k in range(3)) == 1)
#: `COMPOSED[a, b]` is the label of a ∘ b, which applies b first.
COMPOSED = np.array(
  [[PERMUTATIONS.index(tuple(a[k] for k in b)) for b in PERMUTATIONS] for a in PERMUTATIONS], np.int32
)


def _product(name: str, length: int, moves: tuple[int, ...], composed: Int[np.ndarray, "G G"], baseline: float) -> Task:
  """Builds a task in a group with the table `composed`, whose inputs are drawn from the elements `moves`, one-hot."""
  check_at_least("length", length, 2)

  def multiply(product: Int[Array, "B"], element: Int[Array, "B"]) -> tuple[Array, Array]:
    new = jnp.asarray(composed)[element, product]
    return new, new

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    drawn = jax.random.randint(key, (length, batch_size), 0, len(moves), jnp.int32)
    return Batch(
      inputs=jax.nn.one_hot(drawn, len(moves), dtype=jnp.float32),
      targets=jax.lax.scan(multiply, jnp.zeros(batch_size, jnp.int32), jnp.asarray(moves, jnp.int32)[drawn])[1],
      mask=count_from(0, length, batch_size),
    )

  return Task(
    name=name,
    input_size=len(moves),
    output_size=len(composed),
    steps=length,
    sample=sample,
    test=sample,
    loss=cross_entropy,
    baseline=baseline,
    score=error_rate,
    solved_below=0.01,
  )


@variants
def parity(length: int) -> Task:
  """The running parity of `length` random bits, as two classes. The bits are one-hot.

  Baseline: the parity is 0 or 1 with equal probability at every step, so the loss is ln 2. Score: the share of wrong answers.
  Solved: below 1 %.

  Raises:
    ValueError: for a length below 2.
  """
  return _product("parity", length, (0, 1), np.array([[0, 1], [1, 0]], np.int32), math.log(2))


@variants
def permutation_product(length: int) -> Task:
  """The running product of `length` random permutations of three things, as six classes.

  Baseline: every product is equally likely at every step, so the loss is ln 6. Score: the share of wrong answers. Solved: below
  1 %.

  Raises:
    ValueError: for a length below 2.
  """
  return _product("permutation_product", length, tuple(range(6)), COMPOSED, math.log(6))


@variants
def swap_product(length: int) -> Task:
  """The running product of `length` random swaps of two of three things, as six classes.

  Baseline: after an even number of swaps the product is one of the three even permutations, else one of the three swaps, each
  equally likely. The loss of a predictor that knows the step is ln 3. Score: the share of wrong answers. Solved: below 1 %.

  Raises:
    ValueError: for a length below 2.
  """
  return _product("swap_product", length, SWAPS, COMPOSED, math.log(3))
