"""One to many: from an image to the letters of its name.

    P(name | image) = ∏_t P(letter_t | letter_1 … letter_{t-1}, image)

The net sees the image once, at step 0, and then the letters so far, the right ones in training (teacher forcing), its own when
it writes freely: `sequence.one_to_many` from `image_row`, with `letter_row` of what it chose fed back.

References: Vinyals, Toshev, Bengio & Erhan, "Show and tell: a neural image caption generator", CVPR (2015); Williams & Zipser,
"A learning algorithm for continually running fully recurrent neural networks", Neural Computation 1 (1989), for teacher forcing.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int
import numpy as np

from recurrent_lab.tasks.task import (
  Batch,
  Task,
  cross_entropy,
  each_once,
  entropy_by_step,
  error_rate,
  with_replacement,
)

END = 0  # the symbol that ends a name, and fills what is left of its row


def alphabet(names: Sequence[str]) -> tuple[str, ...]:
  """The symbols: "" for `END`, and the letters of the names in order."""
  return ("", *sorted(set("".join(names))))


def spell(names: Sequence[str]) -> Int[np.ndarray, "K T"]:
  """The names in numbers of `alphabet(names)`, one a row, with at least one `END` after each: T = the longest + 1."""
  symbols = alphabet(names)
  rows = np.full((len(names), max(map(len, names)) + 1), END, np.int32)
  for row, name in zip(rows, names, strict=True):
    row[: len(name)] = [symbols.index(letter) for letter in name]
  return rows


def image_row(image: Float[Array, "*batch P"], symbols: int) -> Float[Array, "*batch I"]:
  """The input that shows an image and no letter."""
  return jnp.concatenate([image, jnp.zeros((*image.shape[:-1], symbols), image.dtype)], axis=-1)


def letter_row(letter: Int[Array, "*batch"], pixels: int, symbols: int) -> Float[Array, "*batch I"]:
  """The input that shows a letter, one-hot in the columns after those of the image."""
  return jax.nn.one_hot(pixels + letter, pixels + symbols, dtype=jnp.float32)


def captions(images: ArrayLike, labels: ArrayLike, names: Sequence[str], test_share: float = 0.2) -> Task:
  """The letters of the name of what an image shows, and then `END`.

      seen:    the image,  letter_1,  letter_2,  …        I = P + V columns, V = `len(alphabet(names))`
      wanted:  letter_1,   letter_2,  letter_3,  …, END   T = the longest name + 1; nothing counts after the first END

  The last `test_share` of the examples are held out, in the order given: examples sorted by label must be shuffled first.
  `sample` draws training images with replacement; `test` gives all held-out ones once, in order, where as many or more are asked
  for, and else that many of them at random. Arrays cannot be compared cheaply, so two calls give two tasks.

  Baseline: who knows the step t alone gives every letter its frequency there among the n_t training names that reach it, and pays
  Σ_t n_t H_t / Σ_t n_t with H_t the entropy of these. The score is the share of wrong letters, END counted, given the right ones
  before them; solved below 3 %, since most letters follow from those before.

  Args:
    images: `[N, P]`, one image a row.
    labels: `[N]`, each the number of a name.
    names: the name of every label.
    test_share: between 0 and 1.

  Raises:
    ValueError: if these shapes or values do not fit together, a name is empty, or one of the two parts is empty.
  """
  images, labels = np.asarray(images, np.float32), np.asarray(labels)
  if images.ndim != 2 or labels.shape != images.shape[:1]:
    raise ValueError(f"images have shape {images.shape} and labels {labels.shape}; they must be [N, P] and [N].")
  if not names or not all(names):
    raise ValueError(f"names are {list(names)}; there must be some, each of at least one letter.")
  if not np.issubdtype(labels.dtype, np.integer) or np.any((labels < 0) | (labels >= len(names))):
    raise ValueError(f"labels must be whole numbers from 0 to {len(names) - 1}, those of the names.")
  training = len(labels) - round(test_share * len(labels))
  if not 0 < training < len(labels):
    raise ValueError(f"test_share is {test_share}; of {len(labels)} examples it must leave some in either part.")

  symbols = len(alphabet(names))
  written = spell(names)[labels].T  # [T, N]
  counts = np.cumprod(np.vstack([np.ones_like(written[:1]), written[:-1] != END]), axis=0).astype(np.float32)

  def batch(chosen: Int[Array, "B"]) -> Batch:
    targets = jnp.asarray(written)[:, chosen]
    image = image_row(jnp.asarray(images)[chosen], symbols)
    letters = letter_row(targets[:-1], images.shape[1], symbols)
    return Batch(jnp.concatenate([image[None], letters]), targets, jnp.asarray(counts)[:, chosen])

  return Task(
    name="captions",
    input_size=images.shape[1] + symbols,
    output_size=symbols,
    steps=len(written),
    sample=with_replacement(np.arange(training), batch),
    test=each_once(np.arange(training, len(labels)), batch),
    loss=cross_entropy,
    baseline=entropy_by_step(written[:, :training], counts[:, :training]),
    score=error_rate,
    solved_below=0.03,
  )
