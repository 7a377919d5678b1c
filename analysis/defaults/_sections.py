"""The parts of the page about default weights: how much libraries differ, and the numbers that make one start as another."""

from collections.abc import Iterator, Sequence
import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from analysis.defaults import _libraries, library_memory
from analysis.defaults._libraries import KINDS, SCALE, SIZE, grid, kind, label, plain
from analysis.defaults._ratios import Ratio, ratios, settings
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
        _added(recipe),
      ]
      ways = [
        _entry(shown.alike.sel(recipe=recipe, drawn=way)) if way in shown.drawn else "–"
        for way in ("as the library draws", "by options")
      ]
      rows.append([", ".join(alike), *numbers, *ways])
    if rows:
      yield Section(f"{name} of one library as that of another", "", [heads, *rows])


def _added(recipe: str) -> str:
  """Returns the constant on the gate that keeps the state, and those on other gates, which the options of `init` leave out."""
  one = rl.init_like(recipe)
  own = f"{one.options(SIZE, SIZE)['forget_bias']:g}"
  keeps = "f" if kind(recipe) == "LSTM" else "z"
  return "; ".join([own, *(f"also {value:g} to {gate}" for gate, value in one.shift if gate != keeps)])


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
