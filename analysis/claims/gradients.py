"""Landmarks on gradients and exponents: Newton iterations, gradients forward in time, open gates, and mean-field theory."""

import numpy as np
import xarray as xr

from analysis.claims.evidence import for_sign, has_sign, interval, select, share
from analysis.claims.finding import Finding, of_cases, together
from analysis.claims.landmark import Landmark
from analysis.figure import Datasets
from analysis.style import cell_style
from sweepkit.curves import short

CALM, CHAOTIC = -0.2, 0.1  # λ₁ in nats per step, as in the prediction of the experiment
FEW_ITERATIONS = 20  # as in its prediction
EXACT = 1e-9  # relative error of a float64 gradient of 30 steps that counts as none
NEAR = 0.05  # nats per step between theory and nets, as in the prediction of `atlas_mean_field`
PUBLISHED_CELLS = ("rnn", "lstm", "gru")


def newton_iterations(data: Datasets) -> Finding:
  """Holds if calm nets need few iterations, and chaotic ones at least half as many as there are steps."""
  nets = select(data["newton_iterations"], jacobians="whole")
  steps = nets.seq_len.item()
  cells = nets.cell.values.tolist()
  calm = nets.iterations.where(nets.largest_exponent < CALM)
  chaotic = nets.iterations.where(nets.largest_exponent > CHAOTIC)
  cases: dict[str, bool | None] = {}
  for region, values, is_as_said in (
    (f"where λ₁ < {CALM:g}", calm, lambda one: bool(one.max() < FEW_ITERATIONS)),
    (f"where λ₁ > {CHAOTIC:g}", chaotic, lambda one: bool(one.min() >= steps / 2)),
  ):
    known = [cell for cell in cells if values.sel(cell=cell).notnull().any()]
    cases |= together(f"{region} for", {cell_style(cell).label: is_as_said(values.sel(cell=cell)) for cell in known})
    cases |= {} if known else {region: None}
  made = calm.values[calm.notnull().values]
  few = share(xr.DataArray((made < FEW_ITERATIONS).astype(float), dims="seed"))
  return of_cases(
    f"share of the nets with λ₁ < {CALM:g} that need fewer than {FEW_ITERATIONS} iterations: {few} (median of all "
    f"{float(calm.median()):.0f}, most {float(calm.max()):.0f}); the {int(chaotic.count())} nets with λ₁ > {CHAOTIC:g} need "
    f"{float(chaotic.min()):.0f} to {float(chaotic.max()):.0f} of {steps} steps",
    cases,
  )


def forward_gradients(data: Datasets) -> Finding:
  """Holds if RTRL is exact, SnAp-1 and e-prop have a bias and no variance, and UORO has variance."""
  nets = select(data["online_learning"])
  over_seeds = lambda values: values.stack(net=[name for name in values.dims if name != "seed"])
  bias = {name: over_seeds(nets.whole_relative_bias.sel(estimator=name)) for name in nets.estimator.values.tolist()}
  spread = {name: over_seeds(nets.whole_relative_deviation.sel(estimator=name)) for name in bias}
  each_has = lambda values: all(has_sign(values.isel(net=i), 1) for i in range(values.sizes["net"]))
  cases: dict[str, bool | None] = {"for RTRL": bool(max(bias["rtrl"].max(), spread["rtrl"].max()) < EXACT)}
  for name, label in (("snap1", "SnAp-1"), ("eprop", "e-prop")):
    cases[f"for {label}"] = each_has(bias[name]) and bool((spread[name] < EXACT).all())
  cases["for the variance of UORO"] = each_has(spread["uoro"])
  told = "; ".join(
    f"{label}: error {_range(bias[name])} times the gradient"
    for name, label in (("rtrl", "RTRL"), ("snap1", "SnAp-1"), ("eprop", "e-prop"))
  )
  return of_cases(
    f"{told}; UORO: standard deviation {_range(spread['uoro'])} times the gradient (all lags together)", cases
  )


def _range(values: xr.DataArray) -> str:
  """The lowest and the highest mean over seeds."""
  means = values.mean("seed")
  return f"{short(float(means.min()))} to {short(float(means.max()))}"


def marginal_stability(data: Datasets) -> Finding:
  """Holds if λ₁ of gated nets rises with the bias of the gate up to 0, to within 1/T: a factor e over the whole sequence."""
  nets = select(data["open_gates"], ws=1.0)
  edge = 1 / nets.seq_len.item()
  cases: dict[str, bool | None] = {}
  said = []
  for cell in (cell for cell in PUBLISHED_CELLS[1:] if cell in nets.cell.values):
    exponent = nets.largest_exponent.sel(cell=cell).sortby("forget_bias")
    means = exponent.mean("seed")
    last = exponent.isel(forget_bias=-1)
    low, high = interval(last)
    rises = bool((means.diff("forget_bias") > 0).all())
    cases[f"for the {cell_style(cell).label}"] = rises and -edge < low <= high < edge
    said.append(
      f"{cell_style(cell).label} λ₁ from {float(means[0]):.3g} at b = {float(means.forget_bias[0]):g} to "
      f"{float(means[-1]):.3g} ({low:.3g} – {high:.3g}) at b = {float(means.forget_bias[-1]):g}"
      + for_sign(last - np.copysign(edge, float(means[-1])), "the side of the margin")
    )
  cases |= {"over a range of gains": None, "for the discontinuous transition": None}
  return of_cases(f"{'; '.join(said)} nats per step; marginal means within ±{edge:g}", cases)


def critical_lines(data: Datasets) -> Finding:
  """Holds if the growth rates of nets lie as near theory as was predicted; the trainable depth is a case of its own."""
  theory = select(data["atlas_mean_field"], forget_bias=0.0).growth_rate.mean("seed")
  nets = select(data["critical_gain"], norm="spectral", forget_bias=0.0).growth_rate
  cases: dict[str, bool | None] = {}
  said = []
  for cell in PUBLISHED_CELLS:
    difference = theory.sel(cell=cell) - nets.sel(cell=cell)
    distance = abs(difference.mean("seed")).dropna("ws")
    far = float(distance.idxmax("ws"))
    low, high = interval(difference.sel(ws=far))
    label = cell_style(cell).label
    said.append(
      f"{label} {float(difference.sel(ws=far).mean()):.3g} ({low:.3g} – {high:.3g}) at W_s = {far:g}, "
      f"and {float(distance.median()):.3g} in the median over gains"
    )
    cases |= together(f"for the {label} at W_s =", {f"{float(one.ws):g}": bool(one <= NEAR) for one in distance})
  cases["for the trainable depth"] = None
  return of_cases(
    f"theory less the nets where it is farthest, in nats per step: {'; '.join(said)}; near means within {NEAR:g}",
    cases,
  )


LANDMARKS = (
  Landmark(
    4,
    "Newton's method (DEER) over a whole sequence needs few iterations where λ₁ < 0, and about T where λ₁ > 0.",
    "Gonzalez et al. 2025, arXiv 2508.16817",
    "tanh net, D = 100, g from 0.5 to 2, T up to 10⁴, 20 seeds, float64, tolerance 1e-10",
    ("newton_iterations",),
    newton_iterations,
    ("newton_iterations",),
    "below 20 iterations for λ₁ < -0.2 with any cell, and about T / 2 or more for λ₁ > 0.1",
    "smaller nets, shorter sequences and white input, but 13 kinds of cells",
  ),
  Landmark(
    18,
    "Gates make nets marginally stable without fine tuning, and the transition to chaos is discontinuous for some of them.",
    "Krishnamurthy, Can & Schwab 2022",
    "about 1000 units, continuous time",
    ("open_gates",),
    marginal_stability,
    ("open_gates",),
    "rates that rise towards 0 with the bias, as ln σ(b_f) does",
    "discrete time, few units, white input; one gain only",
  ),
  Landmark(
    14,
    "Mean-field theory gives the critical initialisation of gated nets, and the trainable depth follows its time scale.",
    "Chen, Pennington & Schoenholz 2018; Gilboa et al. 2019",
    "padded digits",
    ("atlas_mean_field", "critical_gain"),
    critical_lines,
    ("atlas_mean_field", "critical_gain"),
    "at gain 1, the prediction lies within 0.05 nats per step of the nets of 32 units in `critical_gain`, for most cells",
    "growth rates of random nets with white input; nothing is trained",
  ),
  Landmark(
    19,
    "RTRL equals BPTT; e-prop, SnAp and UORO differ from it by a measurable bias or variance.",
    "Tallec & Ollivier 2017 (UORO); Bellec et al. 2020 (e-prop); Menick et al. 2021 (SnAp); Zucchet et al. 2023",
    "small nets",
    ("online_learning",),
    forward_gradients,
    ("online_learning",),
    "RTRL without error",
    "gradients of random nets, not of training",
  ),
)
