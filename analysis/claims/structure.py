"""Landmarks on what the structure of a net allows: states that it tracks, memory that it can learn, and freedom from chaos."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from analysis import wording
from analysis.claims.evidence import interval, most
from analysis.claims.finding import Finding, of_cases, together
from analysis.claims.landmark import Landmark
from analysis.figure import Datasets
from analysis.landmarks.chaos_search import BOUNDED
from analysis.landmarks.chaos_search import TITLES as INPUTS
from analysis.landmarks.curse_of_memory import power
from analysis.landmarks.heavy_tails import transition
from analysis.selection import one_cell, only_axes
from analysis.style import cell_style
from sweepkit.curves import short

TRAINED, LONGEST = 40, 256  # steps
RIGHT = 0.99  # share of right answers that counts as solved
CHANCE = 0.55  # largest mean share of right answers about bits that counts as chance
FLAT = 0.25  # largest power of the memory that counts as no growth
FREE = ("cfn", *BOUNDED)


def parity(data: Datasets) -> Finding:
  """Holds if every cell is at chance with eigenvalues in [0, 1], and with [-1, 1] right at both lengths in most seeds.

  Most means that Wilson's interval of the share of seeds lies above one half.
  """
  accuracy = only_axes(data["state_tracking"], "task", "eigenvalues", "hidden_size").accuracy.sel(task="parity")
  chance: dict[str, bool] = {}
  learned: dict[int, dict[str, bool]] = {TRAINED: {}, LONGEST: {}}
  said = []
  for cell in accuracy.cell.values.tolist():
    at_chance, signed = (_made(accuracy.sel(cell=cell, eigenvalues=kind)) for kind in ("positive", "signed"))
    if at_chance is None or signed is None:
      continue
    label = cell_style(cell).label
    means = at_chance.sel(test_length=TRAINED)
    chance[label] = interval(means)[1] <= CHANCE
    text = f"{label} with [0, 1] right in {wording.mean(means.dropna('seed'))} at {TRAINED} steps, with [-1, 1]"
    for steps, found in learned.items():
      right = signed.sel(test_length=steps).dropna("seed")
      solved = (right >= RIGHT).astype(float)
      found[label], solves = most(solved)
      text += f" solved at {steps} steps {solves};"
    said.append(text.rstrip(";"))
  cases = _of_cells("at chance with [0, 1]", chance)
  for steps, found in learned.items():
    cases |= _of_cells(f"with [-1, 1] at {steps} steps", found)
  return of_cases("; ".join(said), cases)


def _made(values: xr.DataArray) -> xr.DataArray | None:
  """The values at the one number of units that was run; None if none was."""
  sizes = values.notnull().any([name for name in values.dims if name != "hidden_size"])
  return values.isel(hidden_size=int(np.argmax(sizes.values))) if bool(sizes.any()) else None


def _of_cells(where: str, holds: Mapping[str, bool]) -> dict[str, bool | None]:
  """Returns one case for the cells for which a claim holds, and one for the others; every cell is called so."""
  if len(set(holds.values())) == 1 and len(holds) > 1:
    return {f"{where} for every cell": next(iter(holds.values()))}
  return together(f"{where} for", holds)


def memory(data: Datasets) -> Finding:
  """Holds if squared gradients grow with memory when plain, and not with normalisation and the decay as e^{-e^ν} together."""
  moments = only_axes(data["curse_of_memory"], "memory").squared_gradient
  named = {
    "λ, plain": ("rnn_linear", "recurrent_kernel", "plain"),
    "λ, normalised": ("rnn_linear", "recurrent_kernel", "normalized"),
    "ν, plain": ("lru", "log_decay", "plain"),
    "ν, normalised": ("lru", "log_decay", "normalized"),
    "the angle, normalised": ("lru", "log_angle", "normalized"),
  }
  powers = {}
  for label, (cell, parameter, scale) in named.items():
    powers[label] = power(moments.sel(cell=cell, parameter=parameter, scale=scale))
  if not np.isfinite(list(powers.values())).any():
    raise ValueError("No power of the memory is known.")
  known = lambda label, holds: None if np.isnan(powers[label]) else holds
  cases = {
    "for the growth when plain": known("λ, plain", powers["λ, plain"] > 1),
    "for its removal from the decay by both together": known("ν, normalised", abs(powers["ν, normalised"]) <= FLAT),
    "for its removal from the angle": known("the angle, normalised", abs(powers["the angle, normalised"]) <= FLAT),
  }
  told = ", ".join(f"{short(value)} by {label}" for label, value in powers.items())
  return of_cases(f"power of the memory with which the squared gradient grows at the longest memories: {told}", cases)


def chaos_free(data: Datasets) -> Finding:
  """Holds for a cell and an input if no ascent found λ₁ above five standard errors. In an RNN it must find chaos."""
  found = only_axes(data["chaos_search"], "input")
  positive = found.is_positive
  counts = (positive > 0).sum("seed")
  if not (positive.sel(cell="rnn") > 0).any():
    raise ValueError("The search finds no chaos in an RNN, so that it says nothing about others.")
  whole: dict[str, bool] = {}
  cases: dict[str, bool | None] = {}
  for cell in (cell for cell in FREE if cell in found.cell and positive.sel(cell=cell).notnull().any()):
    label = cell_style(cell).label
    made = [kind for kind in found.input.values.tolist() if positive.sel(cell=cell, input=kind).notnull().any()]
    holds = {INPUTS[kind]: int(counts.sel(cell=cell, input=kind)) == 0 for kind in made}
    if len(set(holds.values())) == 1 and len(made) == found.sizes["input"]:
      whole[label] = next(iter(holds.values()))
    else:
      cases |= together(f"for {label} with", holds)
  cases |= together("under every input for", whole)
  said = []
  for cell in found.cell.values.tolist():
    largest = found.largest_exponent.sel(cell=cell)
    each = ", ".join(
      f"{INPUTS[kind]} {int(counts.sel(cell=cell, input=kind))} of {int(positive.sel(cell=cell, input=kind).count())} "
      f"(at most {short(float(largest.sel(input=kind).max()))})"
      for kind in found.input.values.tolist()
    )
    said.append(f"{cell_style(cell).label}: {each}")
  return of_cases(
    f"nets with λ₁ > 0 that the ascent found, and the largest λ₁ in nats per step: {'; '.join(said)}", cases
  )


def heavy_tails(data: Datasets) -> Finding:
  """Holds if for α < 2 the transition moves with N more than for α = 2, and the largest dimension per unit is lower."""
  nets = one_cell(data["heavy_tails"], "alpha", "hidden_size", "ws")
  sizes = nets.hidden_size.values[[0, -1]].tolist()
  moved: dict[float, float] = {}
  dimension: dict[float, tuple[float, float]] = {}
  said = []
  for alpha in nets.alpha.values.tolist():
    one = nets.sel(alpha=alpha)
    by_size = {int(size): transition(one.is_chaotic.sel(hidden_size=size)) for size in one.hidden_size.values}
    known = [size for size, gain in by_size.items() if np.isfinite(gain)]
    gains = [by_size[size] for size in known]
    moved[alpha] = float(np.log(gains[-1] / gains[0]) / np.log(known[-1] / known[0])) if len(known) > 1 else np.nan
    dims = one.dimension_share.dropna("hidden_size", how="all").isel(hidden_size=0)
    top = dims.sel(ws=dims.mean("seed").idxmax("ws").item())
    dimension[alpha] = interval(top)
    ends = (
      f"from {short(gains[0])} at N = {known[0]} to {short(gains[-1])} at N = {known[-1]}" if known else "not reached"
    )
    said.append(
      f"α = {alpha:g}: half of the nets chaotic {ends}; largest mean dimension / N {wording.mean(top.dropna('seed'))}"
    )
  if 2 not in moved:
    raise ValueError("α = 2 was not measured.")
  shifts = {f"{alpha:g}": moved[alpha] < moved[2.0] for alpha in moved if alpha < 2 and np.isfinite(moved[alpha])}
  lower = {f"{alpha:g}": dimension[alpha][1] < dimension[2.0][0] for alpha in dimension if alpha < 2}
  cases = together("for the shift with N, larger than for α = 2, at α =", shifts)
  cases |= together("for the lower dimension at α =", lower)
  return of_cases(
    f"{'; '.join(said)} (N from {sizes[0]} to {sizes[1]})", cases | {"for the width of the transition": None}
  )


LANDMARKS: Sequence[Landmark] = (
  Landmark(
    5,
    "Linear recurrences with eigenvalues in [0, 1] stay at chance on parity; with [-1, 1] they learn it and generalise to "
    "longer sequences.",
    "Grazzi et al. 2025, figure 1",
    "several layers, trained on lengths up to 40, tested from 40 to 256, 3 seeds",
    ("state_tracking",),
    parity,
    ("state_tracking", "state_tracking --cells=lru,rnn,lstm,gru --eigenvalues=own --hidden_size=32"),
    "every positive cell at chance on parity, 1/2; every signed one right at 40 steps, in most seeds at 256 too.",
    "one layer, 1000 updates, every prefix of 40 steps is trained",
  ),
  Landmark(
    13,
    "Long memory makes the state sensitive to parameters (the curse of memory); normalisation and reparametrisation as in the "
    "LRU remove it.",
    "Zucchet & Orvieto 2024, sections 2 and 3",
    "theory of one unit, then nets of the LRU",
    ("curse_of_memory",),
    memory,
    ("curse_of_memory",),
    "Squared gradients have one power of τ more when plain, because the error grows too.",
    "one unit; nothing is trained",
  ),
  Landmark(
    16,
    "Some gated nets are free of chaos by construction: λ₁ ≤ 0 for all parameters.",
    "Laurent & von Brecht 2017 (CFN); Halloran 2025 (Mamba)",
    "any parameters; the CFN without input",
    ("chaos_search",),
    chaos_free,
    ("chaos_search",),
    "RNN, LSTM and GRU chaotic under every input.",
    "a search over 16 units finds counterexamples or none; by itself it proves nothing",
  ),
  Landmark(
    17,
    "With heavy-tailed weights the transition to chaos shifts with N and broadens, and the dimension of the attractor is lower.",
    "Xie et al. 2025, arXiv 2505.09816",
    "Lévy weights, α < 2",
    ("heavy_tails",),
    heavy_tails,
    ("heavy_tails",),
    "The gain at which half of the nets are chaotic falls slowly with N, faster for smaller α.",
    "nets of 64 to 512 units; the width of the transition is not measured",
  ),
)
