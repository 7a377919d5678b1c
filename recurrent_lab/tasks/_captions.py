"""One to many: spell the name of what an image shows.

    P(name | image) = ∏_t P(letter_t | letter_1 … letter_{t-1}, image)

The net sees the image once, at step 0. At later steps it sees the previous letter. In training this is the right letter (teacher
forcing). In free running, `sequence.one_to_many` starts from `image_row` and feeds back `letter_row` of the letter the net chose.

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

END = 0  # the symbol that ends a name and fills the rest of its row


def alphabet(names: Sequence[str]) -> tuple[str, ...]:
  """Returns the symbols: "" for `END`, then the letters of all names in order."""
  return ("", *sorted(set("".join(names))))


def spell(names: Sequence[str]) -> Int[np.ndarray, "K T"]:
  """Encodes names as numbers of `alphabet(names)`, one name per row, each followed by at least one `END`.

  T is the length of the longest name + 1.
  """
  symbols = alphabet(names)
  rows = np.full((len(names), max(map(len, names)) + 1), END, np.int32)
  for row, name in zip(rows, names, strict=True):
    row[: len(name)] = [symbols.index(letter) for letter in name]
  return rows


def image_row(image: Float[Array, "*batch P"], symbols: int) -> Float[Array, "*batch I"]:
  """Returns the input that shows an image and no letter; I = P + `symbols`."""
  return jnp.concatenate([image, jnp.zeros((*image.shape[:-1], symbols), image.dtype)], axis=-1)


def letter_row(letter: Int[Array, "*batch"], pixels: int, symbols: int) -> Float[Array, "*batch I"]:
  """Returns the input that shows a letter, one-hot in the columns after those of the image."""
  return jax.nn.one_hot(pixels + letter, pixels + symbols, dtype=jnp.float32)


def captions(images: ArrayLike, labels: ArrayLike, names: Sequence[str], test_share: float = 0.2) -> Task:
  """Asks for the letters of the name of what an image shows, and then `END`.

      input:   the image,  letter_1,  letter_2,  …        I = P + V columns, V = `len(alphabet(names))`
      target:  letter_1,   letter_2,  letter_3,  …, END   T = the longest name + 1; nothing counts after the first END

  The last `test_share` of the examples are held out, so shuffle examples that are sorted by label. `sample` draws training images
  with replacement. `test` draws held-out images without replacement; it returns all of them, in order, if the batch is at least
  as large. Every call returns a new task, because arrays cannot be compared cheaply.

  Baseline: a predictor that knows only the step t predicts the letter frequencies at that step. Its loss is
  Σ_t n_t H_t / Σ_t n_t, where n_t training names reach step t and H_t is the entropy of their letters there. Score: the share of
  wrong letters, including END, given the right previous letters. Solved: below 3 %, because most letters follow from the previous
  ones.

  Args:
    images: `[N, P]`, one image per row.
    labels: `[N]`, each the index of a name.
    names: the names; label i has name i.
    test_share: the share of held-out examples, between 0 and 1.

  Raises:
    ValueError: if these shapes or values do not fit together, a name is empty, or the training or the held-out part is empty.
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
