"""Finds the function that given arrays compute, from one run of the layer that holds them."""

from collections.abc import Iterator, Mapping
import heapq
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from recurrent_lab.cell import Cell, Params
from recurrent_lab.interop.identification import tables
from recurrent_lab.interop.identification.arrangements import Arrangement, arrangements
from recurrent_lab.interop.identification.families import LETTERS, Run, Variant, orders_of, outputs, variants
from recurrent_lab.interop.identification.functions import of_lab, sentence
from recurrent_lab.interop.weights import flat

SCREENED = 16, 2  # steps and sequences on which all functions are tried
JUDGED = 256, 8  # steps and sequences on which the best are compared
FINALISTS = 60
ROUNDING = 16  # units in the last place of the largest sum of absolute values behind a pre-activation


class Reading(NamedTuple):
  """One way to read the arrays.

  Attributes:
    words: the function and the arrangement.
    error: the largest absolute difference of outputs.
    name: the name of the cell in `CELLS`, if it has one.
    cell: the cell, or None if the lab has none that computes this.
    params: the params of that cell as NumPy arrays, or None.
    missing: the function in words, if the lab has no cell for it.
  """

  words: str
  error: float
  name: str | None
  cell: Cell | None
  params: Params | None
  missing: str


class Identification(NamedTuple):
  """The answer of `identify`.

  Attributes:
    verdict: `match`, `ambiguous` or `no match`.
    best: the reading with the smallest error, if any reading fits the shapes.
    next: the best reading that computes another function.
    matches: all readings whose error is rounding. They compute different functions.
    tolerance: the largest error that counts as rounding.
    tables: the names in `LAYOUTS` that read the arrays as the best reading does. Names of the arrays may differ.
  """

  verdict: str
  best: Reading | None
  next: Reading | None
  matches: tuple[Reading, ...]
  tolerance: float
  tables: tuple[str, ...]

  @property
  def cell(self) -> Cell:
    """The lab's cell. Raises `ValueError` unless there is one match, and the lab has a cell for it."""
    return self._found().cell

  @property
  def params(self) -> Params:
    """The lab's params, under the conditions of `cell`."""
    return self._found().params

  def _found(self) -> Any:
    if self.verdict != "match" or self.best is None or self.best.cell is None:
      raise ValueError(str(self))
    return self.best

  def __str__(self) -> str:
    """Says what was found, in sentences."""
    if self.best is None:
      return (
        "No match: the shapes of the arrays fit no layer of these inputs and units. "
        "Peepholes, projections and several heads are not tried."
      )
    told = f"{self.best.words}: error {self.best.error:.1e}, where {self.tolerance:.1e} is rounding."
    rest = f" The next best is {self.next.words}: error {self.next.error:.1e}." if self.next else ""
    if self.verdict == "no match":
      return f"No match. The best is {told}{rest}"
    if self.verdict == "ambiguous":
      ways = "; ".join(f"{match.words} ({match.error:.1e})" for match in self.matches[:4])
      more = f" and {len(self.matches) - 4} more" if len(self.matches) > 4 else ""
      return (
        f"Ambiguous: {len(self.matches)} functions compute these outputs within rounding: {ways}{more}. "
        "A longer run, larger inputs or biases other than 0 may tell them apart."
      )
    lacking = f" The lab has no cell for a {self.best.missing}." if self.best.missing else ""
    like = f" Read so by {', '.join(self.tables)}." if self.tables else ""
    return f"Match: {told}{rest}{like}{lacking}"


def identify(arrays: Mapping[str, Any], xs: Any, outputs: Any, *, tolerance: float | None = None) -> Identification:
  """Finds which recurrent cell computes `outputs` from `xs` with the weights in `arrays`, whose names may be anything.

  Tried are LSTM (also with f = 1, f = 1 - i or i = 1 - f), GRU, minimal gated unit and Elman network, with all orders of the
  gates. Resets come before or after the product, gates keep or write, and 1 may be added to the forget gate. Gates are sigmoids
  or hard sigmoids. Kernels are joint or apart, transposed or interleaved, with one or two biases, and layers may run backwards.
  Every step starts from the outputs that are given, and the first from 0.

  Args:
    arrays: all weights of one layer and direction, in nested dicts if you like.
    xs: inputs `[T, I]`, `[T, B, I]` or `[B, T, I]`. A few steps are enough; at most 256 are used.
    outputs: hidden states `[T, H]`, `[T, B, H]` or `[B, T, H]`.
    tolerance: the largest difference that counts as rounding. By default 16 units in the last place of the coarsest dtype,
      times the largest sum of absolute values behind a pre-activation.

  Returns:
    The verdict with the best reading and the next best. `str` of it says it in words.

  Raises:
    ValueError: for shapes that are not those of a run, or numbers that are not finite.
  """
  named = flat(arrays)
  _check(named, np.asarray(xs), np.asarray(outputs), tolerance)
  eps = max(_eps(array) for array in (*named.values(), np.asarray(xs), np.asarray(outputs)))
  finalists = _screen(named, list(_runs(np.asarray(xs, np.float64), np.asarray(outputs, np.float64))))
  judged: dict[Any, tuple[Reading, float]] = {}
  dtype = next(iter(named.values())).dtype
  for _, _, variant, arrangement, run in finalists:
    error = _error(variant, [variant.order], arrangement, run)[0]
    reading, key = _reading(variant, arrangement, run, error, dtype)
    if key not in judged or error < judged[key][0].error:
      judged[key] = reading, _rounding(arrangement, run, eps) if tolerance is None else tolerance
  ranked = sorted(judged.values(), key=lambda pair: pair[0].error)
  matches = tuple(reading for reading, limit in ranked if reading.error <= limit)
  best, limit = ranked[0] if ranked else (None, tolerance or 0.0)
  verdict = "no match" if not matches else "match" if len(matches) == 1 else "ambiguous"
  like = tables.alike(named, best.params) if verdict == "match" and best and best.params else ()
  return Identification(verdict, best, ranked[1][0] if len(ranked) > 1 else None, matches, limit, like)


def _check(arrays: Mapping[str, np.ndarray], xs: np.ndarray, outputs: np.ndarray, tolerance: float | None) -> None:
  if (
    xs.ndim not in (2, 3)
    or xs.ndim != outputs.ndim
    or xs.shape[:-1] != outputs.shape[:-1]
    or 0 in xs.shape + outputs.shape
  ):
    raise ValueError(
      f"xs must be [T, I], [T, B, I] or [B, T, I], and outputs the same with H; given are {xs.shape} and {outputs.shape}."
    )
  if not arrays:
    raise ValueError("arrays is empty; give it all weights of one layer.")
  for name, array in {**arrays, "xs": xs, "outputs": outputs}.items():
    if array.dtype.kind not in "fV" or not np.all(np.isfinite(array.astype(np.float64))):
      raise ValueError(f"{name} must hold finite floating numbers; its dtype is {array.dtype}.")
  if tolerance is not None and not 0 < tolerance < np.inf:
    raise ValueError(f"tolerance is {tolerance}; it must be a positive number.")


def _eps(array: np.ndarray) -> float:
  """Returns the spacing of numbers at 1. Numbers in float64 that float32 holds exactly were computed in float32."""
  if array.dtype == np.float64 and np.array_equal(array, array.astype(np.float32)):
    return float(np.finfo(np.float32).eps)
  return float(ml_dtypes.finfo(array.dtype).eps)


def _runs(xs: np.ndarray, outputs: np.ndarray) -> Iterator[tuple[str, Run]]:
  """Yields the run with time as its first and, in a batch, as its second axis, forwards and backwards."""
  axes = [("", 0)] if xs.ndim == 2 else [("time first", 0), ("batch first", 1)]
  for words, time in axes:
    steps, states = (np.moveaxis(a if a.ndim == 3 else a[:, None], time, 0) for a in (xs, outputs))
    for backwards in (False, True) if len(steps) > 1 else (False,):
      way = slice(None, None, -1) if backwards else slice(None)
      x, y = steps[way][: JUDGED[0], : JUDGED[1]], states[way][: JUDGED[0], : JUDGED[1]]
      run = Run(x, y, np.concatenate([np.zeros_like(y[:1]), y[:-1]]))
      yield ", ".join(filter(None, (words, "backwards" if backwards else ""))), run


def _screen(arrays: Mapping[str, np.ndarray], runs: list[tuple[str, Run]]) -> list[Any]:
  """Returns the best functions on the first steps: `(-error, count, variant, arrangement, run)`."""
  inputs, hidden = runs[0][1].xs.shape[-1], runs[0][1].outputs.shape[-1]
  best: list[Any] = []
  count = 0
  for arrangement in _distinct(arrays, inputs, hidden):
    for words, run in runs:
      short = Run(*(part[: SCREENED[0], : SCREENED[1]] for part in run))
      at = arrangement._replace(words="; ".join(filter(None, (arrangement.words, words))))
      for family in (name for name, letters in LETTERS.items() if len(letters) == len(at.input_kernel)):
        orders = orders_of(family)
        for variant in variants(family):
          errors = _error(variant, orders, at, short)
          for error, order in sorted(zip(errors, orders, strict=True))[:6]:
            count += 1
            entry = (-error, -count, variant._replace(order=order), at, run)
            (heapq.heappush if len(best) < FINALISTS else heapq.heappushpop)(best, entry)
  return sorted(best, key=lambda entry: entry[:2], reverse=True)


def _distinct(arrays: Mapping[str, np.ndarray], inputs: int, hidden: int) -> Iterator[Arrangement]:
  """Yields each arrangement once, those of tables with these names first."""
  seen = set()
  for found in (*tables.by_name(arrays), *arrangements(arrays, inputs, hidden)):
    if found.input_kernel.shape[1:] != (inputs, hidden):
      continue
    key = b"".join(
      np.ascontiguousarray(a).tobytes() for a in (found.input_kernel, found.recurrent_kernel, *found.biases[:3])
    )
    if key not in seen:
      seen.add(key)
      yield found


def _error(variant: Variant, orders: list[str], arrangement: Arrangement, run: Run) -> list[float]:
  """Returns the largest absolute difference of outputs for each order."""
  with np.errstate(all="ignore"):
    found = np.abs(outputs(variant, orders, arrangement, run) - run.outputs).max(axis=(1, 2, 3))
  return [float(error) for error in np.where(np.isfinite(found), found, np.inf)]


def _rounding(arrangement: Arrangement, run: Run, eps: float) -> float:
  """Returns the largest error that rounding explains."""
  of_kernel = lambda inputs, kernel: np.einsum("tbi,kih->ktbh", np.abs(inputs), np.abs(kernel), optimize=True)
  sums = of_kernel(run.xs, arrangement.input_kernel) + of_kernel(run.before, arrangement.recurrent_kernel)
  largest = float((sums + np.abs(arrangement.biases.total)[:, None, None]).max())
  return ROUNDING * eps * max(1.0, largest)


def _reading(variant: Variant, arrangement: Arrangement, run: Run, error: float, dtype: Any) -> tuple[Reading, Any]:
  """Returns the reading, and a key that is the same for readings that compute the same function."""
  lab = of_lab(variant, arrangement, dtype)
  words = "; ".join(filter(None, (sentence(variant), arrangement.words)))
  numbers = tuple((np.asarray(array, np.float32) + 0).tobytes() for array in lab.numbers)  # -0 + 0 is 0
  function = variant._replace(order="", shift=0, update="" if variant.family == "gru" else variant.update)
  return Reading(words, error, lab.name, lab.cell, lab.params, lab.missing), (function, numbers, id(run))
