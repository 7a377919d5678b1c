"""The temporal order problem: in which order did the two (or three) symbols that matter come?

References: Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9 (1997), experiment 6; Pascanu, Mikolov &
Bengio, "On the difficulty of training recurrent neural networks", ICML (2013), supplement.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key
import numpy as np

from recurrent_lab._checks import check_choice
from recurrent_lab.cell import variants
from recurrent_lab.tasks.task import Batch, Task, answer_at_end, check_at_least, cross_entropy, error_rate

# Symbols that matter -> where each may stand: one of the T/10 steps from this many tenths of T on.
_TENTHS = {2: (1, 4), 3: (1, 3, 6)}


@variants
def temporal_order(length: int, symbols: int = 2) -> Task:
  """A sequence of T = `length` one-hot symbols, to be classified at its last step, as in the supplement of Pascanu et al. (2013).

  `symbols` of them are drawn from {A, B}, and all others from four distractors {c, d, e, f}. With 2, the steps of the two are
  uniform on [T/10, 2T/10) and [4T/10, 5T/10), steps numbered from 0 and T/10 rounded down; with 3, on [T/10, 2T/10),
  [3T/10, 4T/10) and [6T/10, 7T/10). The classes are the orders AA, AB, BA, BB, or AAA ... BBB. (Pascanu's published code has the
  second of two in [5T/10, 6T/10). Hochreiter & Schmidhuber add symbols for start and end, and draw the length from 100 to 110.)

  Baseline: all 2^symbols orders are equally likely, so symbols · ln 2, that is ln 4 or ln 8. The score is the share of sequences
  in the wrong class; solved below 1 %.

  Raises:
    ValueError: for a length below 10, or a number of symbols other than 2 or 3.
  """
  check_choice("Number of symbols", symbols, _TENTHS)
  check_at_least("length", length, 10)
  starts = np.array([[tenths * length // 10] for tenths in _TENTHS[symbols]], np.int32)

  def sample(key: Key[Array, ""], batch_size: int) -> Batch:
    k_distractors, k_steps, k_symbols = jax.random.split(key, 3)
    distractors = jax.random.randint(k_distractors, (length, batch_size), 2, 6, jnp.int32)
    steps = jax.random.randint(k_steps, (symbols, batch_size), starts, starts + length // 10, jnp.int32)
    relevant = jax.random.randint(k_symbols, (symbols, batch_size), 0, 2, jnp.int32)
    sequence = distractors.at[steps, jnp.arange(batch_size)].set(relevant)
    # The order read as a binary number: the first symbol is its highest digit.
    digits = 2 ** jnp.arange(symbols - 1, -1, -1, dtype=jnp.int32)
    return answer_at_end(jax.nn.one_hot(sequence, 6, dtype=jnp.float32), digits @ relevant)

  return Task(
    name="temporal_order" if symbols == 2 else "temporal_order_3",
    input_size=6,
    output_size=2**symbols,
    steps=length,
    sample=sample,
    test=sample,
    loss=cross_entropy,
    baseline=symbols * math.log(2),
    score=error_rate,
    solved_below=0.01,
  )
