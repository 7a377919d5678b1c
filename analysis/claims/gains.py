"""Claims on the recurrent weight: whether the product vanishes for small W_s and explodes for large W_s."""

import numpy as np
import xarray as xr

from analysis import wording
from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS, Claim, Finding, of_cases
from analysis.figure import Datasets

NETS = {"rnn": "tanh", "rnn_linear": "linear"}
INPUTS = {"zero": "without input", "white": "with input"}


def _one_unit(data: Datasets) -> xr.DataArray:
  """The exponents of one tanh unit without bias."""
  return data["one_unit"].sel(bias=0, cell="rnn").squeeze(drop=True).exponent


def small_weight_vanishes(data: Datasets) -> Finding:
  """Holds if the product of one unit, and of every net of many units, shrinks at all W_s between 0 and 1."""
  unit = _one_unit(data)
  inside = unit.where((unit.ws > 0) & (unit.ws < 1), drop=True)
  many = data["small_gain"].squeeze()
  many = many.where((many.ws > 0) & (many.ws < 1), drop=True)
  vanishes = (many.growth_rate < 0).transpose("ws", "cell", "input", "seed")  # a NaN does not vanish
  draws, grow = vanishes.sizes["seed"], (~vanishes).sum("seed")
  kinds = {f"{NETS[cell]} {INPUTS[kind]}": grow.sel(cell=cell, input=kind) for cell in NETS for kind in INPUTS}
  gains = [f"{float(ws):g}" for ws in many.ws]
  measured = (
    f"one unit: largest rate {float(inside.max()):.3g} nats per step; nets of {int(many.hidden_size)} units whose product "
    f"grows, of {draws} at W_s = {', '.join(gains)}: "
    + "; ".join(f"{name} {', '.join(str(int(n)) for n in counts)}" for name, counts in kinds.items())
  )
  whole = vanishes.all(["cell", "input", "seed"]).values
  worst = "; ".join(f"{name} {int(counts[-1])}" for name, counts in kinds.items())
  beyond = f"Beyond that some nets grow, at W_s = {gains[-1]} of {draws} each: {worst}"
  return _up_to(measured, bool((inside < 0).all()), whole, gains, beyond)


def _up_to(measured: str, unit_holds: bool, whole: np.ndarray, gains: list[str], beyond: str) -> Finding:
  """The finding on the small gains.

  Args:
    measured: the numbers.
    unit_holds: whether the product of one unit vanishes at all gains.
    whole: by gain, whether the products of all nets vanish.
    gains: the gains, as text.
    beyond: what happens above the gains at which all nets vanish.
  """
  if unit_holds and whole.all():
    return Finding(measured, HOLDS)
  safe = (
    int(np.argmin(whole)) if not whole.all() else whole.size
  )  # how many gains, from the first, at which every net shrinks
  if not (unit_holds or safe):
    return Finding(measured, FAILS)
  unit = f"it {'holds' if unit_holds else 'does not hold'} for one unit"
  many = (
    f"For many units it holds in every net up to W_s = {gains[safe - 1]}"
    if safe
    else "For many units it holds at no W_s tried"
  )
  return Finding(measured, CONDITIONAL, f"{unit}. {many}" + f". {beyond}" * (safe < whole.size))


def large_weight_explodes(data: Datasets) -> Finding:
  """Holds if the product grows at large W_s, both for nets of many units and for one unit."""
  unit = _one_unit(data)
  single = unit.where(unit.ws > 1.1, drop=True)
  many = data["recurrent_gain"].sel(cell="rnn", norm="spectral").squeeze(drop=True).growth_rate.transpose("ws", "seed")
  explodes = (many > 0).all("seed").values
  first = next((i for i in range(len(explodes)) if explodes[i:].all()), None)
  largest, far = many.isel(ws=-1), float(single.ws.max())
  case = "for many units"
  if first is not None:
    case = f"for many units from W_s = {float(many.ws[first]):g} to {float(many.ws[-1]):g}"
  return of_cases(
    f"many units, W_s = {float(many.ws[-1]):g}: {wording.mean(largest)} nats per step; one unit, w up to {far:g}: "
    f"largest rate {float(single.max()):.3g}, since the orbit settles where tanh′ is small",
    {case: bool(explodes[-1]), f"for one unit up to w = {far:g}": bool((single > 0).all())},
  )


CLAIMS = (
  Claim(
    2,
    "For 0 < W_s < 1 the product goes to 0.",
    "∏ tanh′·W_s → 0",
    ("one_unit", "small_gain"),
    small_weight_vanishes,
  ),
  Claim(
    3,
    "For large W_s the product goes to infinity.",
    "∏ tanh′·W_s → ∞",
    ("one_unit", "recurrent_gain"),
    large_weight_explodes,
  ),
)
