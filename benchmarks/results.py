"""The measured files, and the numbers derived from them: ratios, means, exponents and distances to the machine's limit."""

from collections.abc import Iterator, Mapping, Sequence
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import limits
from benchmarks.command import SCHEMA
from benchmarks.estimates import Estimate, estimate
from benchmarks.products import BARE, BARE_ONE_BY_ONE
from benchmarks.spectra import DENSE
from benchmarks.timing import BenchmarkError

Result = Mapping[str, Any]


def load(folder: Path) -> list[Result]:
  """Returns all results of a folder, sorted by file name.

  Raises:
    BenchmarkError: if the folder holds no results, or a result has another schema.
  """
  paths = sorted(folder.glob("*.json"))
  if not paths:
    raise BenchmarkError(f"{folder} holds no results; make bench measures them.")
  results = [json.loads(path.read_text()) for path in paths]
  for path, result in zip(paths, results, strict=True):
    if result.get("schema") != SCHEMA:
      raise BenchmarkError(f"{path} has schema {result.get('schema')!r}; this code reads {SCHEMA}. Measure it again.")
  return results


def timed(result: Result, *kinds: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
  """Yields the name and the result of every timed contender of these kinds, or of all kinds if none is given."""
  for name, one in result["contenders"].items():
    if "median" in one and (not kinds or one["kind"] in kinds):
      yield name, one


def best(result: Result, *kinds: str) -> str | None:
  """Name of the contender of these kinds with the smallest median time, or None."""
  return min(timed(result, *kinds), key=lambda item: item[1]["median"], default=(None,))[0]


def seconds(result: Result, name: str) -> Estimate | None:
  """Time of a contender in seconds, over all runs; None if it was not timed."""
  one = result["contenders"].get(name, {})
  return Estimate(one["median"], one["low"], one["high"]) if "median" in one else None


def ratio(result: Result, one: str | None, other: str | None) -> Estimate | None:
  """Time of `one` / time of `other`, over rounds; None if one of them was not timed."""
  times = [result["contenders"].get(name, {}) for name in (one, other) if name]
  if len(times) < 2 or not all("median" in t for t in times):
    return None
  by_round = [np.array([np.median(runs) for runs in t["rounds"]]) for t in times]
  return estimate(by_round[0] / by_round[1])


def to_best(result: Result, *kinds: str) -> Estimate | None:
  """Time of the lab / time of the fastest contender of these kinds."""
  return ratio(result, best(result, "lab"), best(result, *kinds))


def to_bare(result: Result) -> Estimate | None:
  """Time of the faster bare products / time of the lab: the share of their rate that the lab reaches."""
  times = {name: one["median"] for name, one in timed(result, "limit") if name in (BARE, BARE_ONE_BY_ONE)}
  return ratio(result, min(times, key=times.__getitem__, default=None), best(result, "lab"))


def first_block(result: Result) -> Estimate | None:
  """Time now / time before until the first stored block, over the rounds after the first; None if nothing was stored."""
  now, before = (result["contenders"][name]["facts"]["first_block_seconds"][1:] for name in ("now", "before"))
  if None in (*now, *before):
    return None
  return estimate(np.array(now, float) / np.array(before, float))


def points_per_second(result: Result, name: str) -> float:
  """Points / median time of a command."""
  return result["contenders"][name]["facts"]["points"] / result["contenders"][name]["median"]


def exponent_differences(result: Result) -> tuple[float, float]:
  """Returns the mean difference of the lab's exponents to those of a dense QR at every step, and that of the smallest one.

  Both are NaN if one of the two was not timed.
  """
  spectra = [result["contenders"].get(name, {}).get("facts", {}).get("exponents") for name in ("lab", DENSE)]
  if None in spectra:
    return float("nan"), float("nan")
  difference = np.abs(np.subtract(*spectra))
  return float(difference.mean()), float(difference[-1])


def geometric_mean(values: Sequence[float]) -> float:
  """exp(mean(ln x)), or NaN for an empty sequence."""
  return float(np.exp(np.mean(np.log(values)))) if values else float("nan")


class Bound(NamedTuple):
  """The machine's limit on a contender."""

  ratio: float  # time of the contender / the limit, 1 if nothing is left to gain
  what: str  # what the limit consists of: `products` or `copies`


def bound(result: Result, name: str) -> Bound | None:
  """Compares a contender with the machine's limit; None if one of them is unknown.

  The limit is the longer of the FLOPs at the rate of a large product, and the bytes at the rate of a large copy.
  """
  one, machine = result["contenders"].get(name, {}), result["contenders"]
  if "median" not in one:
    return None
  least = [
    (one["facts"][quantity] / limits.rate(machine[limit], quantity), what)
    for quantity, limit, what in (("flops", limits.PRODUCT, "products"), ("bytes", limits.COPY, "copies"))
    if quantity in one["facts"]
  ]
  return Bound(one["median"] / max(least)[0], max(least)[1]) if least else None


def jax_version(result: Result) -> str:
  """Release of JAX that a result was measured with."""
  return result["machine"]["versions"]["jax"]


def by_jax(results: Sequence[Result]) -> dict[str, list[Result]]:
  """Groups results by the release of JAX, from the oldest."""
  versions = sorted({jax_version(r) for r in results}, key=lambda text: [int(part) for part in text.split(".")])
  return {version: [r for r in results if jax_version(r) == version] for version in versions}


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
  """Least-squares slope of ln seconds against ln size, over the larger half of the sizes, but at least three."""
  order = np.argsort(sizes)[-max(3, (len(sizes) + 1) // 2) :]
  x, y = np.log(np.asarray(sizes, float)[order]), np.log(np.asarray(seconds)[order])
  return float(np.polyfit(x, y, 1)[0])
