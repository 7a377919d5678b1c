"""Cells and tables of the performance page, in Markdown."""

from collections.abc import Sequence
from typing import Any

from benchmarks.estimates import Estimate
from benchmarks.results import Result, seconds, timed


def number(value: float) -> str:
  """Formats a number with three digits, without an exponent above 999."""
  return f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"


def spread(one: Estimate | None, scale: float = 1.0) -> str:
  """Formats an estimate as `middle (low – high)`, or as a dash if there is none."""
  if one is None:
    return "–"
  middle, low, high = (number(scale * value) for value in one)
  return f"{middle} ({low} – {high})"


def milliseconds(result: Result, name: str) -> str:
  """Formats the time of a contender, or a dash if it was not timed."""
  return spread(seconds(result, name), 1000)


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
  """Returns a Markdown table."""
  return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in (heads, ["---"] * len(heads), *rows))


def select(results: Sequence[Result], benchmark: str) -> list[Result]:
  """Results of one benchmark, sorted by their settings."""
  of_it = [result for result in results if result["benchmark"] == benchmark]
  return sorted(of_it, key=lambda r: [v if isinstance(v, str) else f"{v:012}" for v in r["settings"].values()])


def names(results: Sequence[Result], *kinds: str) -> list[str]:
  """Contenders of these kinds that were timed at least once, in the order in which they appear."""
  return list(dict.fromkeys(name for result in results for name, _ in timed(result, *kinds)))
