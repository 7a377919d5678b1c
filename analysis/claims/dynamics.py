"""Landmarks on random nets: the onset of chaos, spectra that scale with the size, their theory, and what shifts the onset."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from analysis import wording
from analysis.claims.evidence import for_sign, has_sign, interval, select
from analysis.claims.finding import Finding, counted, of_cases, together
from analysis.claims.landmark import Landmark
from analysis.figure import Datasets
from analysis.landmarks.heavy_tails import transition
from analysis.landmarks.random_biases import best_gain, critical_gain
from analysis.landmarks.rate_network import NAMES, expected
from analysis.selection import one_cell, only_axes
from analysis.style import cell_style
from sweepkit.curves import short

# Clark 2026, g = 3, N = 4096, by δ: rates in nats per step, the others per unit. δ = 1 is in the paper. The others are summaries
# of its public data (github.com/davidclark1/rnn-lyapunov, data/network/map_g3_delta0.5_N4096_seed0.json and delta0.1), whose
# rates are per unit of time, 1/δ steps.
CLARK_GAIN = 3.0
CLARK = {
  1.0: {
    "largest_exponent": 0.3096,
    "positive_share": 0.1526,
    "entropy_rate": 0.02511,
    "dimension": 0.2872,
    "mean_exponent": -2.274,
  },
  0.5: {
    "largest_exponent": 0.5 * 0.214528,
    "positive_share": 0.043945,
    "entropy_rate": 0.5 * 0.0045923,
    "dimension": 0.089732,
    "mean_exponent": 0.5 * -1.320546,
  },
  0.1: {
    "largest_exponent": 0.1 * 0.229015,
    "positive_share": 0.03125,
    "entropy_rate": 0.1 * 0.0033405,
    "dimension": 0.064766,
    "mean_exponent": 0.1 * -1.053817,
  },
}
CLOSE = 0.03  # relative distance that counts as equal, as in the prediction of the experiment
# Relative distances from the critical gain of theory, as in the prediction of `random_biases`.
NEAR_GAIN, NEAR_BEST = 0.1, 0.25
EXTENSIVE = {"dimension": "the dimension", "entropy_rate": "the entropy rate"}  # both are stored per unit


def _sizes(nets: xr.Dataset) -> list[int]:
  """The sizes that at least two seeds have, in increasing order.

  Raises:
    ValueError: if there is none, because one net has no interval.
  """
  over = [name for name in nets.largest_exponent.dims if name not in ("hidden_size", "seed")]
  made = nets.largest_exponent.notnull().any(over)
  enough = made.sum("seed") >= 2 if "seed" in made.dims else made * 0 > 0
  sizes = [
    int(size) for size, several in zip(np.atleast_1d(nets.hidden_size), np.atleast_1d(enough), strict=True) if several
  ]
  if not sizes:
    raise ValueError("No size has two seeds.")
  return sorted(sizes)


def _nets(data: Datasets, **wanted: float) -> xr.Dataset:
  """The rate networks with these settings; `hidden_size` and `ws` stay axes."""
  nets = select(data["rate_network"], **wanted)
  return nets.expand_dims([name for name in ("hidden_size", "ws") if name not in nets.dims and name not in wanted])


def onset(data: Datasets) -> Finding:
  """Holds if the intervals of λ₁ lie above 0 at every gain above 1, and below 0 at every gain below 1, in the largest nets."""
  nets = _nets(data, leak=1.0)
  agrees: dict[str, bool] = {}
  said = []
  for gain in (gain for gain in nets.ws.values.tolist() if gain != 1):
    at_gain = nets.sel(ws=gain)
    if at_gain.largest_exponent.notnull().sum() < 2:
      continue
    exponent = at_gain.sel(hidden_size=_sizes(at_gain)[-1]).largest_exponent.dropna("seed")
    agrees[f"{gain:g}"] = has_sign(exponent, 1 if gain > 1 else -1)
    said.append(f"{gain:g}: {wording.mean(exponent)}{for_sign(exponent)}")
  cases = together("at g =", agrees)
  cases |= {
    name: None for name, there in (("below g = 1", nets.ws < 1), ("above g = 1", nets.ws > 1)) if not there.any()
  }
  return of_cases(f"λ₁ in nats per step by gain: {'; '.join(said)}", cases)


def extensive(data: Datasets) -> Finding:
  """Holds if dimension and entropy rate per unit change by at most 3 % from half of the largest size to it, and peak in g."""
  nets = _nets(data, leak=1.0)
  made = nets.largest_exponent.notnull().any("seed")
  at_gain = nets.sel(ws=float(made.sum("hidden_size").idxmax("ws")))
  at_size = nets.sel(hidden_size=int(made.sum("ws").idxmax("hidden_size")))
  sizes = _sizes(at_gain)
  cases: dict[str, bool | None] = {}
  said = []
  for name, label in EXTENSIVE.items():
    if len(sizes) > 1:
      half, whole = (at_gain[name].sel(hidden_size=size).dropna("seed") for size in sizes[-2:])
      change = float(whole.mean() / half.mean()) - 1
      cases[f"for {label} per unit from N = {sizes[-2]} to {sizes[-1]}"] = abs(change) <= CLOSE
      said.append(f"{label} per unit {wording.mean(half)} and {wording.mean(whole)} at N = {sizes[-2]} and {sizes[-1]}")
    peaks, told = _peak(at_size[name])
    cases[f"for the peak of {label}"] = peaks
    said += [f"{label} per unit {told}"] * (peaks is not None)
  if len(sizes) < 2:
    cases["for growth with N"] = None
  return of_cases("; ".join(said), cases)


def _peak(values: xr.DataArray) -> tuple[bool | None, str]:
  """Tests whether a value rises and then falls along the gain, with intervals that resolve both; None for too few gains."""
  known = values.sel(ws=values.ws > 1)
  known = known.isel(ws=(known.notnull().sum("seed") >= 2).values)
  if known.sizes["ws"] < 3:
    return None, ""
  top = known.mean("seed").idxmax("ws").item()
  first, peak, last = (known.sel(ws=ws) for ws in (known.ws[0].item(), top, known.ws[-1].item()))
  resolved = interval(peak)[0] > max(interval(first)[1], interval(last)[1])
  told = ", ".join(f"{wording.mean(one.dropna('seed'))} at g = {one.ws.item():g}" for one in (first, peak, last))
  return bool(resolved), told + ("" if resolved else " (a peak between the ends is not resolved)")


def spectrum(data: Datasets) -> Finding:
  """Holds if the largest nets meet every published number to 3 %, and at a leak without one every number of theory."""
  nets = _nets(data, ws=CLARK_GAIN)
  kept = one_cell(data["rate_theory"], "ws", "leak") if "rate_theory" in data else None
  cases: dict[str, bool | None] = {}
  said = []
  for leak in np.atleast_1d(nets.leak).tolist():
    of_leak = select(nets, leak=leak).expand_dims(
      [] if "hidden_size" in select(nets, leak=leak).dims else ["hidden_size"]
    )
    size = _sizes(of_leak)[-1]
    largest = of_leak.sel(hidden_size=size)
    agrees = {}
    for label, found, wanted in _expected(largest, leak, kept):
      distance = float(found.mean()) / wanted - 1
      agrees[label] = abs(distance) <= CLOSE
      said.append(
        f"{label} at δ = {leak:g}, N = {size}: {wording.mean(found)}, expected {wanted:.4g} ({100 * distance:+.1f} %)"
      )
    cases |= together(f"at δ = {leak:g} for", agrees)
  if 1 not in np.atleast_1d(nets.leak):
    cases["at δ = 1"] = None
  if not np.any(np.atleast_1d(nets.leak) < 1):
    cases["with a leak"] = None
  return of_cases("; ".join(said), cases)


def _expected(nets: xr.Dataset, leak: float, kept: xr.Dataset | None) -> Sequence[tuple[str, xr.DataArray, float]]:
  """The name, the measured values by seed and the expected number of everything that is published, or in theory, at this leak."""
  known = CLARK.get(leak) or expected(CLARK_GAIN, leak, kept)
  return [(NAMES[name], nets[name].dropna("seed"), value) for name, value in known.items() if np.isfinite(value)]


def random_biases(data: Datasets) -> Finding:
  """Holds if half of the largest nets forget their start up to a gain within 10 % of theory, and forecasts are best near it.

  A case is a cell and a deviation of the biases. Cases that half of the nets never leave are left out.
  """
  nets = only_axes(data["random_biases"], "ws", "bias_scale", "hidden_size", "input_scale").isel(input_scale=0)
  forget: dict[str, bool] = {}
  forecast: dict[str, bool] = {}
  said = []
  for cell in (cell for cell in ("rnn", "lstm", "gru") if cell in nets.cell.values):
    for bias in nets.bias_scale.values.tolist():
      one = nets.sel(cell=cell, bias_scale=bias).dropna("hidden_size", how="all", subset=["forgets"])
      if not one.sizes["hidden_size"]:
        continue
      net = one.isel(hidden_size=-1)
      wanted, found, best = critical_gain(cell, bias), transition(1 - net.forgets), best_gain(net.forecast_error)
      where = f"{cell_style(cell).label} at σ_b = {bias:g}"
      if np.isfinite(wanted):
        forget |= {where: abs(found / wanted - 1) <= NEAR_GAIN} if np.isfinite(found) else {}
        forecast |= {where: abs(best / wanted - 1) <= NEAR_BEST} if np.isfinite(best) else {}
      said.append(
        f"{where}, H = {int(net.hidden_size)}: {short(found)} (theory {short(wanted)}), forecasts best at {short(best)}"
      )
  cases = counted("the critical gain", forget) | counted("the best forecast", forecast)
  return of_cases(f"gain up to which half of the nets forget their start: {'; '.join(said)}", cases)


RATE_COMMANDS = (
  "rate_network",
  "rate_network --hidden_size=256 --ws=1.2,1.5,2,3,4,6,10,20 --leak=1",
  "rate_network --hidden_size=256 --ws=0.5,0.8 --leak=1",
)

LANDMARKS = (
  Landmark(
    1,
    "Large random nets are chaotic at gains g > 1, and silent below.",
    "Sompolinsky, Crisanti & Sommers 1988",
    "continuous time, N → ∞",
    ("rate_network",),
    onset,
    RATE_COMMANDS,
    differs="discrete time with a leak of 1, a few hundred units",
  ),
  Landmark(
    2,
    "Spectra are extensive in N; attractor dimension and entropy rate rise near the onset of chaos and fall far from it.",
    "Engelken, Wolf & Abbott 2023",
    "N a few hundred and more",
    ("rate_network",),
    extensive,
    RATE_COMMANDS,
    "Dimension and entropy rate that rise from the onset and fall far from it.",
    "discrete time with a leak of 1",
  ),
  Landmark(
    3,
    "The whole spectrum is known for every leak δ. At δ = 1 and g = 3: λ₁ 0.3096, positive share 0.1526, entropy rate 0.02511 N, "
    "dimension 0.2872 N, mean exponent -2.274.",
    "Clark 2026, arXiv 2610.12426",
    "N = 4096; 512 is enough away from the onset",
    ("rate_network", "rate_theory"),
    spectrum,
    ("rate_network", "rate_network --hidden_size=256,512 --leak=0.1", "rate_theory"),
    "theory of the positive share, entropy rate, dimension and mean within 3 % from 256 units on, at g = 3. λ₁ "
    "below theory by some per cent, as its edge is soft.",
    "nets of at most 512 units; the identity for the share below a rate is tested with `trace_certificate`, "
    "and is not part of this row",
  ),
  Landmark(
    6,
    "RNN, GRU and LSTM with random biases have a critical gain in closed form, and a reservoir forecasts best near it.",
    "Fioratti et al. 2026, arXiv 2605.10650",
    "random nets, biases of standard deviation σ_b, chaotic series",
    ("random_biases",),
    random_biases,
    ("random_biases", "random_biases --hidden_size=512 --bias_scale=0.5,1"),
    "half of the nets forget up to a gain within 10 % of `theory.biased_critical_gain`, except for the LSTM at σ_b = 2",
    "the critical gain is that of a mean field derived here; Mackey–Glass, 18 units of time ahead",
  ),
)
