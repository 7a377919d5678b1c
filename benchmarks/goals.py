"""Goals of the lab's speed and memory, judged by the measured numbers."""

from collections.abc import Callable, Iterator, Sequence
import math
from typing import NamedTuple

from benchmarks.bptt import is_standard
from benchmarks.estimates import Estimate
from benchmarks.results import (
  Result,
  by_jax,
  exponent_differences,
  first_block,
  geometric_mean,
  ratio,
  timed,
  to_bare,
  to_best,
)
from benchmarks.spectra import DENSE


class Goal(NamedTuple):
  """A number that must be at most, or at least, `limit`.

  Attributes:
    name: name of the goal.
    benchmark: the benchmark whose results it judges.
    limit: the number to reach.
    most: True if `limit` is the largest allowed value, False if it is the smallest.
    value: the number of one result, or None if the goal does not apply to it.
    combine: combines the numbers of all results into the one that is judged.
  """

  name: str
  benchmark: str
  limit: float
  most: bool
  value: Callable[[Result], float | None]
  combine: Callable[[Sequence[float]], float]


def _middle(one: Estimate | None) -> float | None:
  return None if one is None else one.middle


def _gradient(*kinds: str) -> Callable[[Result], float | None]:
  return lambda r: _middle(to_best(r, *kinds)) if is_standard(r["settings"]) else None


def _loop(norm: str) -> Callable[[Result], float | None]:
  return lambda r: _middle(ratio(r, "Python loop", "lab")) if r["settings"]["norm"] == norm else None


def _bare(norm: str) -> Callable[[Result], float | None]:
  many = lambda r: r["settings"]["points"] >= 64 and r["settings"]["norm"] == norm
  return lambda r: _middle(to_bare(r)) if many(r) else None


def _to_dense(result: Result) -> float | None:
  return _middle(ratio(result, DENSE, "lab"))


def _to_packages(result: Result) -> float | None:
  packages = [ratio(result, name, "lab") for name, _ in timed(result, "jax", "peer") if name != DENSE]
  return min((one.middle for one in packages if one is not None), default=None)


def _known(value: float) -> float | None:
  return None if math.isnan(value) else value


def _peak(result: Result) -> float | None:
  peak = result["contenders"].get("lab, in segments", {}).get("peak_bytes")
  return peak and peak / 2**30


def _faster(*cases: str) -> Callable[[Result], float | None]:
  return lambda r: _middle(ratio(r, "before", "now")) if r["settings"]["case"] in cases else None


def _shorter(*cases: str) -> Callable[[Result], float | None]:
  return lambda r: _middle(ratio(r, "now", "before")) if r["settings"]["case"] in cases else None


GOALS = (
  Goal("sweep, H = 64, T = 100: time before / now", "against", 5, False, _faster("gain_64"), min),
  Goal("sweep, H = 128, T = 200: time before / now", "against", 4, False, _faster("gain_128"), min),
  Goal(
    "sweep, H = 64, T = 100: first stored block, now / before",
    "against",
    0.25,
    True,
    lambda r: _middle(first_block(r)) if r["settings"]["case"] == "gain_64" else None,
    max,
  ),
  Goal("make paper: time now / before", "against", 0.35, True, _shorter("paper"), max),
  Goal("make learning, make language: time now / before", "against", 0.6, True, _shorter("learning", "language"), max),
  Goal(
    "value and gradient: lab / best peer, geometric mean",
    "bptt",
    0.8,
    True,
    _gradient("jax", "peer"),
    geometric_mean,
  ),
  Goal("value and gradient: lab / best peer, largest", "bptt", 1, True, _gradient("jax", "peer"), max),
  Goal(
    "value and gradient: lab / best JAX peer, geometric mean",
    "bptt",
    0.65,
    True,
    _gradient("jax"),
    geometric_mean,
  ),
  Goal("products, Frobenius: Python loop / lab, smallest", "products", 10, False, _loop("frobenius"), min),
  Goal("products, spectral: Python loop / lab, smallest", "products", 10, False, _loop("spectral"), min),
  Goal(
    "products of 64 points, Frobenius: bare products / lab, smallest", "products", 0.6, False, _bare("frobenius"), min
  ),
  Goal(
    "products of 64 points, spectral: bare products / lab, smallest", "products", 0.6, False, _bare("spectral"), min
  ),
  Goal("spectra: dense with QR at every step / lab, smallest", "spectra", 2, False, _to_dense, min),
  Goal("spectra: dense with QR at every step / lab, geometric mean", "spectra", 3, False, _to_dense, geometric_mean),
  Goal("spectra: fastest other package / lab, smallest", "spectra", 3, False, _to_packages, min),
  Goal(
    "spectra: mean difference of exponents to dense, largest, nats per step",
    "spectra",
    1e-4,
    True,
    lambda r: _known(exponent_differences(r)[0]),
    max,
  ),
  Goal(
    "spectra: difference of the smallest exponent to dense, largest, nats per step",
    "spectra",
    1e-3,
    True,
    lambda r: _known(exponent_differences(r)[1]),
    max,
  ),
  Goal(
    "spectra: largest residual",
    "spectra",
    1e-3,
    True,
    lambda r: r["contenders"].get("lab", {}).get("facts", {}).get("residual"),
    max,
  ),
  Goal(
    "long sequences: time in segments / plain, largest",
    "long",
    1.5,
    True,
    lambda r: _middle(ratio(r, "lab, in segments", "lab, plain")),
    max,
  ),
  Goal("long sequences: peak of the process in segments, GB", "long", 1, True, _peak, max),
  Goal("sweeps: share of time spent computing", "sweeps", 0.8, False, lambda r: r["facts"]["compute_share"], min),
  Goal(
    "sweeps: seconds to compile a cell, largest",
    "sweeps",
    5,
    True,
    lambda r: max(r["facts"]["compile_seconds"].values()),
    max,
  ),
  Goal(
    "sweeps: peak memory / that of a small grid",
    "sweeps",
    1.1,
    True,
    lambda r: r["facts"]["peak_megabytes"] / r["facts"]["small_peak_megabytes"],
    max,
  ),
)


def judge(results: Sequence[Result]) -> Iterator[tuple[str, str, str, str]]:
  """Yields (goal, limit, measured number, yes or no) for every goal that has a measured number, for every release of JAX."""
  for goal in GOALS:
    by_version = by_jax([r for r in results if r["benchmark"] == goal.benchmark])
    for version, of_it in by_version.items():
      values = [value for r in of_it if (value := goal.value(r)) is not None]
      if values:
        value = goal.combine(values)
        met = value <= goal.limit if goal.most else value >= goal.limit
        name = f"{goal.name} (jax {version})" if len(by_version) > 1 else goal.name
        yield name, f"{'≤' if goal.most else '≥'} {goal.limit:g}", f"{value:.3g}", "yes" if met else "no"
