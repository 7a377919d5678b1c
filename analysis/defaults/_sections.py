"""The parts of the page about default weights: how much libraries differ, and the numbers that make one start as another."""

from collections.abc import Iterator, Sequence
import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from analysis.defaults import _libraries, library_memory
from analysis.defaults._libraries import KINDS, SCALE, SIZE, grid, kind, label, plain
from analysis.figure import Datasets
from analysis.wording import listed, mean, short
import recurrent_lab as rl

CLAIM = 2.6  # "differs by up to 2.6 times in memory", with two digits
NUMBERS = """Five numbers say where a class starts. Draw W_x normal, with the first number over √I as its standard deviation.
Draw W_h normal, with the second over √H, or each gate's block of it orthogonal. Draw b normal, with the fourth
over √H. Then add the fifth to the bias of the gate that keeps the state: f of an LSTM, z of a GRU.
`examples/start_like.py` does this for torch, for Keras and for Flax. A GRU that resets before the product is
another function, so there only the start is alike. The numbers are for as many inputs as units;
`rl.init_like(name).options(I, H)` has them for other sizes."""


class Section(NamedTuple):
  """A heading, sentences, and a table; the first row of the table names its columns."""

  title: str
  text: str
  rows: Sequence[Sequence[str]]


class Ratio(NamedTuple):
  """The longest memory of a kind divided by the shortest, at one setting."""

  kind: str
  units: int
  scale: float
  recipes: int
  shortest: str
  longest: str
  value: float
  low: float  # end of the 95 % interval
  high: float
  first_lag: float  # the longest first lag divided by the shortest one
  ranks: float = math.nan  # Spearman's correlation between -1/rate and the first lag over recipes

  @property
  def text(self) -> str:
    """The ratio with its interval."""
    return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def ratio_of_means(longer: np.ndarray, shorter: np.ndarray) -> tuple[float, float, float]:
  """Returns the ratio of two means of independent seeds, with the ends of its 95 % interval.

  The interval is that of ln ratio, whose variance is the sum of the relative variances of both means, with Welch's degrees of
  freedom.
  """
  from scipy import stats

  spread = lambda one: np.var(one, ddof=1) / one.size if one.size > 1 else 0.0
  parts = [float(spread(one) / np.mean(one) ** 2) for one in (longer, shorter)]
  variance, value = sum(parts), float(np.mean(longer) / np.mean(shorter))
  if not variance > 0:  # equal seeds, or one alone
    return value, value, value
  freedom = variance**2 / sum(part**2 / (one.size - 1) for part, one in zip(parts, (longer, shorter), strict=True))
  half = float(stats.t.ppf(0.975, freedom)) * math.sqrt(variance)
  return value, value * math.exp(-half), value * math.exp(half)


def settings(memory: xr.DataArray) -> list[tuple[int, float]]:
  """Returns the (units, input scale) at which something was measured."""
  there = memory.notnull().any([name for name in memory.dims if name not in ("hidden_size", "input_scale")])
  return [
    (int(units), float(scale))
    for units in memory.hidden_size.values
    for scale in memory.input_scale.values
    if there.sel(hidden_size=units, input_scale=scale)
  ]


def ratios(data: xr.Dataset) -> Iterator[Ratio]:
  """Yields the ratio of every kind at every setting. `data` is `plain(grid(results))`."""
  from scipy import stats

  for name in KINDS:
    for units, scale in settings(data.memory_length):
      one = data.sel(hidden_size=units, input_scale=scale)
      memory, lag = (
        {recipe: values.sel(recipe=recipe).values for recipe in data.recipe.values.tolist() if kind(recipe) == name}
        for values in (one.memory_length, one.first_lag_below)
      )
      known = [
        recipe for recipe, values in memory.items() if np.all(np.isfinite([values, lag[recipe]])) and np.all(values > 0)
      ]
      if len(known) < 2:
        continue
      order = sorted(known, key=lambda recipe: np.mean(memory[recipe]))
      lags = [float(np.mean(lag[recipe])) for recipe in known]
      found = ratio_of_means(memory[order[-1]], memory[order[0]])
      rates = [float(np.mean(memory[recipe])) for recipe in known]
      ranks = float(stats.spearmanr(rates, lags).statistic) if len({*rates}) > 2 < len({*lags}) else math.nan
      ends = label(order[0]), label(order[-1])
      yield Ratio(name, units, scale, len(known), *ends, *found, max(lags) / min(lags), ranks)


def differences(data: xr.Dataset) -> Section:
  """Returns how much libraries differ in each kind, and what that says of the claim."""
  found = [*ratios(data)]
  heads = [
    "class",
    "units",
    "input scale",
    "recipes",
    "shortest",
    "longest",
    "ratio of -1 / rate",
    "ratio of first lags",
  ]
  rows = [
    [
      one.kind,
      f"{one.units}",
      f"{one.scale:g}",
      f"{one.recipes}",
      one.shortest,
      one.longest,
      one.text,
      f"{one.first_lag:.2f}",
    ]
    for one in found
  ]
  at = [one for one in found if (one.units, one.scale) == (SIZE, SCALE)]
  said = [f"The claim is that the same class differs by up to {CLAIM} times in memory between libraries."]
  if at:
    named = listed([f"{one.text} for {one.kind}" for one in at])
    said.append(f"At {SIZE} units and input scale {SCALE:g} the ratio of -1 / rate is {named}.")
  said += [_verdict(one) for one in at]
  if ranks := [f"{short(one.ranks)} for {one.kind}" for one in at if np.isfinite(one.ranks)]:
    said.append(f"There the rank correlation between -1 / rate and the first lag is {listed(ranks)}.")
  if found:
    most = max(found, key=lambda one: one.low)
    where = f"of {most.kind} with {most.units} units at input scale {most.scale:g}, between {most.shortest} and {most.longest}"
    said.append(f"By the lower end of its interval the largest ratio of all settings is {most.text}, {where}.")
  return Section("How much the same class differs between libraries", " ".join(said), [heads, *rows])


def _verdict(one: Ratio) -> str:
  """Returns a sentence on the claim for a kind: exceeded, met or not reached, judged by the interval of the ratio."""
  if one.low >= CLAIM + 0.05:
    return f"{one.kind} exceeds the claim."
  if one.high < CLAIM - 0.05:
    return f"{one.kind} stays below it."
  return f"{one.kind} agrees with it."


def memories(data: xr.Dataset) -> Iterator[Section]:
  """Yields the memory of every recipe by size and input scale, in a table for each kind."""
  for name in KINDS:
    recipes = [recipe for recipe in data.recipe.values.tolist() if kind(recipe) == name]
    columns = settings(data.memory_length.sel(recipe=recipes)) if recipes else []
    if not columns:
      continue
    heads = [
      "library",
      *(f"H = {units}, scale {scale:g}" for units, scale in columns),
      f"first lag at H = {SIZE}, scale 1",
    ]
    rows = []
    for recipe in _libraries.of_kind(data, name):
      one = data.sel(recipe=recipe)
      shown = [_entry(one.memory_length.sel(hidden_size=units, input_scale=scale)) for units, scale in columns]
      rows.append([label(recipe), *shown, _entry(_libraries.compared(one).first_lag_below)])
    yield Section(
      f"Memory of {name}", "-1 / rate in steps, with the 95 % interval of the mean over seeds.", [heads, *rows]
    )


def _entry(values: xr.DataArray) -> str:
  finite = values.where(np.isfinite(values)).dropna("seed")
  return mean(finite) if finite.size else "–"


def starts(shown: xr.Dataset) -> Iterator[Section]:
  """Yields the five numbers that make a net start as each class does, for each kind. `shown` is that of `library_memory`."""
  heads = [
    "to start as",
    "W_x · √I",
    "W_h · √H",
    "W_h is",
    "b · √H",
    "added to the bias of the gate that keeps the state",
  ]
  heads += ["-1 / rate as the library draws", "by these numbers"]
  for name in KINDS:
    rows = []
    for recipe in _libraries.of_kind(shown.assign(memory_length=shown.memory.isel(estimate=0, drop=True)), name):
      options = rl.init_like(recipe).options(SIZE, SIZE)
      alike = [f"`{other}`" for other, one in rl.RECIPES.items() if one is rl.init_like(recipe)]
      numbers = [
        f"{options['input_gain']:.3f}",
        f"{options['recurrent_gain']:.3f}",
        "orthogonal by gate" if options["recurrent_init"] == "orthogonal" else "normal",
        f"{options['bias_scale'] * math.sqrt(SIZE):.3f}",
        f"{options['forget_bias']:g}",
      ]
      ways = [
        _entry(shown.alike.sel(recipe=recipe, drawn=way)) if way in shown.drawn else "–"
        for way in ("as the library draws", "by options")
      ]
      rows.append([", ".join(alike), *numbers, *ways])
    if rows:
      yield Section(f"{name} of one library as that of another", "", [heads, *rows])


def opened(shown: xr.Dataset) -> Iterator[Section]:
  """Yields what a bias of 1 on the gate that keeps the state adds to each class that starts without it."""
  way = "with a forget bias of 1 added"
  if way not in shown.drawn:
    return
  rows = [["class", "library", "-1 / rate as the library draws", "with 1 added", "ratio"]]
  for recipe in shown.recipe.values.tolist():
    own, other = (shown.alike.sel(recipe=recipe, drawn=one) for one in ("as the library draws", way))
    if np.all(np.isfinite([own, other])):
      ratio = float(other.mean() / own.mean())
      rows.append([kind(recipe), label(recipe), _entry(own), _entry(other), short(ratio)])
  yield Section(
    "What opening the gate does by itself",
    f"At {SIZE} units, input scale {SCALE:g}. The gate is f of an LSTM and z of a GRU.",
    rows,
  )


def sections(datasets: Datasets) -> list[Section]:
  """Returns all parts of the page."""
  data, shown = plain(grid(datasets["library_defaults"])), library_memory.numbers(datasets)
  first, *others = starts(shown)
  return [
    differences(data),
    *memories(data),
    first._replace(text=NUMBERS + library_memory.of_options(shown)),
    *others,
    *opened(shown),
  ]
