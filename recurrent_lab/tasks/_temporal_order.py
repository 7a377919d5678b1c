"""The temporal order problem: classify a sequence by the order of its two or three relevant symbols.

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

# Number of relevant symbols -> where each may stand: in the T/10 steps that start at this many tenths of T.
_TENTHS = {2: (1, 4), 3: (1, 3, 6)}


@variants
def temporal_order(length: int, symbols: int = 2) -> Task:
  """Asks for the class of a sequence of T = `length` one-hot symbols at its last step (Pascanu et al., 2013, supplement).

  Two or three relevant symbols (`symbols`) are drawn from {A, B}, and all others from the distractors {c, d, e, f}. Two relevant
  symbols stand at steps uniform on [T/10, 2T/10) and [4T/10, 5T/10). Three stand on [T/10, 2T/10), [3T/10, 4T/10) and
  [6T/10, 7T/10). Steps are numbered from 0, and T/10 is rounded down. The classes are the orders AA, AB, BA, BB, or AAA ... BBB.
  (In Pascanu's published code the second of two symbols stands in [5T/10, 6T/10). Hochreiter & Schmidhuber add symbols for start
  and end, and draw the length from 100 to 110.)

  Baseline: all 2^symbols orders are equally likely, so the loss is symbols · ln 2: ln 4 or ln 8. Score: the share of sequences in
  the wrong class. Solved: below 1 %.

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
    # The class is the order as a binary number; the first symbol is the highest digit.
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
