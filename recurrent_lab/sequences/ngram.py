"""N-gram language models with interpolated modified Kneser–Ney smoothing, the baseline for recurrent language models.

Let w be a token after the k-1 tokens h, and let h' be the last k-2 of these. Then

    P_k(w | h) = (c_k(hw) - D_k(c_k(hw))) / c_k(h•) + λ_k(h) P_{k-1}(w | h'),      P_0(w) = 1/V,      c_k(h•) = Σ_w c_k(hw)
    λ_k(h)     = Σ_w D_k(c_k(hw)) / c_k(h•) = (D_1 N_1(h•) + D_2 N_2(h•) + D_3+ N_3+(h•)) / c_k(h•)
    D_k(c)     = 0, D_1, D_2, D_3+ for c = 0, 1, 2, ≥ 3,      D_i = i - (i+1) Y n_{i+1}/n_i,      Y = n_1 / (n_1 + 2 n_2)

and P_k(w | h) = P_{k-1}(w | h') if nothing ever followed h. N_i(h•) is the number of tokens w with c_k(hw) = i, and n_i is the
number of k-grams with c_k = i. In a model of order n, c_n counts how often an n-gram occurs. For k < n, c_k counts how many
different left neighbours a k-gram has, because P_k matters most after longer contexts that have not seen w.

Rows are independent. P_k also predicts the k-th token of a row, which has only k-1 tokens before it. For this purpose occurrences
matter, so the beginning of every row counts as a unique left neighbour. For k < n:

    c_k(g) = number of tokens v with vg in a row + number of rows that begin with g.

The last token of a row of m < n tokens thus gets the probability of a model of order m, and every token that was seen counts in
every order. There is no token for the beginning or the end of a sentence. Add your own if it should be a context or a prediction.

Reference: Chen & Goodman, "An empirical study of smoothing techniques for language modeling", Harvard TR-10-98 (1998), eq. 26.
"""

from typing import NamedTuple

from jaxtyping import Float, Int
import numpy as np
from numpy.typing import ArrayLike

from recurrent_lab.tasks.task import check_at_least

# A key above those of all k-grams.
NO_KEY = np.iinfo(np.int64).max


class NGram(NamedTuple):
  """A fitted model. Entry k-1 of each tuple belongs to order k.

  M_k different k-grams were seen. They are numbered from 0 in the order of their keys. The number M_k stands for every k-gram
  that was not seen. The empty 0-gram has number 0, so M_0 = 1.

  Attributes:
    vocabulary: V.
    discounts: D_1, D_2, D_3+ of every order.
    keys: V · (number of the first k-1 tokens) + last token, increasing; then `NO_KEY`.
    gains: (c_k(hw) - D_k(c_k(hw))) / c_k(h•), indexed by the number of hw; then 0.
    weights: λ_k(h), indexed by the number of h; 1 if nothing followed h.
  """

  vocabulary: int
  discounts: Float[np.ndarray, "order 3"]
  keys: tuple[Int[np.ndarray, "M_k+1"], ...]
  gains: tuple[Float[np.ndarray, "M_k+1"], ...]
  weights: tuple[Float[np.ndarray, "M_{k-1}+1"], ...]


def _checked(tokens: ArrayLike, vocabulary: int) -> Int[np.ndarray, "..."]:
  """Checks tokens and returns them as 64-bit integers, which hold all keys: these stay below (N + 2) V."""
  array = np.asarray(tokens)
  if array.size == 0 or array.ndim == 0 or not np.issubdtype(array.dtype, np.integer):
    raise ValueError(f"tokens is {array.dtype}{list(array.shape)}; it must be rows of one or more whole numbers.")
  if array.min() < 0 or array.max() >= vocabulary:
    raise ValueError(f"there are tokens from {array.min()} to {array.max()}; the vocabulary has 0 to {vocabulary - 1}.")
  return array.astype(np.int64)


def _estimated_discounts(counts: Int[np.ndarray, "M"]) -> Float[np.ndarray, "3"]:
  """Estimates D_1, D_2, D_3+ from n_1 … n_4. Uses i/2 if D_i is not between 0 and i, as when n_i or n_{i+1} is 0."""
  n = np.bincount(np.minimum(counts, 5), minlength=6)[1:5]
  i = np.arange(1, 4)
  with np.errstate(divide="ignore", invalid="ignore"):
    estimate = i - (i + 1) * (n[0] / (n[0] + 2 * n[1])) * (n[1:] / n[:-1])
  return np.where((estimate > 0) & (estimate < i), estimate, i / 2)


def fit(tokens: ArrayLike, vocabulary: int, order: int, discounts: ArrayLike | None = None) -> NGram:
  """Fits a model to a text. Sorting dominates the cost: O(order · N ln N) time, O(order · N) memory.

  Args:
    tokens: whole numbers from 0: one text `[N]`, or independent rows `[S, N]`.
    vocabulary: V, the number of different tokens.
    order: n, at least 1. Each token is predicted from the n-1 tokens before it.
    discounts: D_1, D_2, D_3+ of every order, `[order, 3]`. By default they are estimated and lie strictly between 0 and the
      count, so every probability is positive; D_i is i/2 if there are too few counts. Three equal discounts give Kneser–Ney
      smoothing with a single discount. With discounts of 0, some tokens may have probability 0.

  Raises:
    ValueError: for a vocabulary or an order below 1, tokens that are empty, not whole numbers or outside the vocabulary, or
      discounts with another shape or outside 0 ≤ D_i ≤ i.
  """
  check_at_least("order", order, 1)
  check_at_least("vocabulary", vocabulary, 1)
  rows = np.atleast_2d(_checked(tokens, vocabulary))
  if rows.ndim > 2:
    raise ValueError(f"tokens is {list(rows.shape)}; it must be one text [N] or rows [S, N].")
  if discounts is not None:
    given = np.asarray(discounts, float)
    if given.shape != (order, 3) or not np.all((given >= 0) & (given <= [1, 2, 3])):
      raise ValueError(f"discounts is {discounts}; it must be [{order}, 3] numbers with 0 ≤ D_i ≤ i.")

  keys: list[np.ndarray] = []
  counts: list[np.ndarray] = []
  numbers = np.zeros((len(rows), rows.shape[1] + 1), np.int64)  # the number of the k-gram that starts at each place
  for k in range(1, order + 1):
    key = numbers[:, :-1] * vocabulary + rows[:, k - 1 :]
    unique, first, inverse, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    if k > 1:  # the k-grams are known now, so the (k-1)-grams can be counted by their left neighbours
      size = len(counts[-1])
      inner = np.bincount(numbers[:, 1:].ravel()[first], minlength=size)
      counts[-1] = inner + np.bincount(numbers[:, :1].ravel(), minlength=size)
    keys.append(np.append(unique, NO_KEY))
    counts.append(count)
    numbers = inverse.reshape(key.shape)

  used = np.stack([_estimated_discounts(c) for c in counts]) if discounts is None else given
  gains, weights = [], []
  for k in range(order):
    context = keys[k][:-1] // vocabulary
    discount = used[k][np.minimum(counts[k], 3) - 1]  # every count is at least 1
    size = len(keys[k - 1]) if k else 2
    total = np.bincount(context, counts[k], minlength=size)
    removed = np.bincount(context, discount, minlength=size)
    gains.append(np.append((counts[k] - discount) / total[context], 0.0))
    weights.append(np.divide(removed, total, out=np.ones(size), where=total > 0))
  return NGram(vocabulary, used, tuple(keys), tuple(gains), tuple(weights))


def _numbers(model: NGram, tokens: Int[np.ndarray, "*rows T"]) -> list[Int[np.ndarray, "..."]]:
  """Returns the number of the k-gram that starts at each place, `[..., T-k+1]` (or `[..., 0]`), for k = 0 … order."""
  numbers = [np.zeros((*tokens.shape[:-1], tokens.shape[-1] + 1), np.int64)]
  for k, keys in enumerate(model.keys, 1):
    # If h was not seen, its number is M_{k-1}, and the key of hw is above all keys that were seen.
    key = numbers[-1][..., :-1] * model.vocabulary + tokens[..., k - 1 :]
    place = np.searchsorted(keys, key)
    numbers.append(np.where(keys[place] == key, place, len(keys) - 1))
  return numbers


def log_probabilities(model: NGram, tokens: ArrayLike) -> Float[np.ndarray, "*rows T"]:
  """Returns ln P of every token in nats, given the order-1 tokens before it in its row, or as many as there are.

  Args:
    model: a model from `fit`.
    tokens: `[..., T]`. The first token of a row has no context and gets P_1.

  Returns:
    `[..., T]`.

  Raises:
    ValueError: for tokens that are empty, not whole numbers, or outside the vocabulary.
  """
  tokens = _checked(tokens, model.vocabulary)
  numbers = _numbers(model, tokens)
  p = np.full(tokens.shape, 1 / model.vocabulary)
  for k, (gains, weights) in enumerate(zip(model.gains, model.weights, strict=True)):
    p[..., k:] = gains[numbers[k + 1]] + weights[numbers[k][..., :-1]] * p[..., k:]
  with np.errstate(divide="ignore"):
    return np.log(p)


def next_log_probabilities(model: NGram, context: ArrayLike) -> Float[np.ndarray, "V"]:
  """Returns ln P of every token of the vocabulary after a context, in nats, `[V]`.

  Args:
    model: a model from `fit`.
    context: `[T]`, the tokens before. Only the last order-1 matter; there may be fewer or none.

  Raises:
    ValueError: for a context that is not `[T]`, or tokens that are not whole numbers or are outside the vocabulary.
  """
  tokens = np.asarray(context)
  if tokens.ndim != 1:
    raise ValueError(f"context is {list(tokens.shape)}; it must be one row of tokens.")
  tokens = _checked(tokens, model.vocabulary) if tokens.size else tokens.astype(np.int64)
  tokens = tokens[max(0, len(tokens) - len(model.keys) + 1) :]
  numbers = _numbers(model, tokens)
  p = np.full(model.vocabulary, 1 / model.vocabulary)
  for k in range(len(tokens) + 1):
    h = numbers[k][-1]
    start, stop = np.searchsorted(model.keys[k], [h * model.vocabulary, (h + 1) * model.vocabulary])
    p *= model.weights[k][h]
    p[model.keys[k][start:stop] - h * model.vocabulary] += model.gains[k][start:stop]
  with np.errstate(divide="ignore"):
    return np.log(p)


def perplexity(log_probabilities: ArrayLike) -> float:
  """Returns exp(-mean ln P), the number of equally likely tokens with the same uncertainty. It is inf if any P is 0.

  Raises:
    ValueError: if `log_probabilities` is empty.
  """
  array = np.asarray(log_probabilities)
  if array.size == 0:
    raise ValueError("log_probabilities is empty; the perplexity is that of one or more tokens.")
  return float(np.exp(-np.mean(array)))
