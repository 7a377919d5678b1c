"""Claims that are identities or bounds: each is checked at every point of the experiment `identities`."""

from analysis import wording
from analysis.claims.finding import FAILS, HOLDS, Claim, Finding, of_cases
from analysis.figure import Datasets


def slopes(data: Datasets) -> Finding:
  """Holds if no slope of tanh exceeds 1, and more than 99 % of all slopes are below 1."""
  below = data["identities"].share_of_slopes_below_one
  largest = float(data["identities"].largest_slope.max())
  share = float(below.mean())
  return Finding(
    f"largest tanh′ {largest:.6f}; below 1 in {100 * share:.3f} % of all steps and units",
    HOLDS if largest <= 1 and share > 0.99 else FAILS,
  )


def sum_is_gradient(data: Datasets) -> Finding:
  """Holds if the sum over lags equals the gradient of reverse-mode differentiation to 1e-4, relative to its norm."""
  error = float(data["identities"].gradient_error.max())
  return Finding(f"largest relative difference {error:.1e} (float32)", HOLDS if error < 1e-4 else FAILS)


def readout_is_local(data: Datasets) -> Finding:
  """Holds if no earlier step contributes to the gradient of the last loss by the readout weights."""
  beyond = float(data["identities"].readout_beyond_lag_zero.max())
  return Finding(f"share of ∂L_T/∂W_o from earlier steps: {beyond:g}", HOLDS if beyond == 0 else FAILS)


def clipping_bounds(data: Datasets) -> Finding:
  """Holds if gradients with a norm above 1 exist, and none has one after clipping at 1."""
  checks = data["identities"]
  before, after = float(checks.gradient_norm.max()), float(checks.clipped_norm.max())
  return Finding(
    f"largest gradient norm {before:.3g} before, {after:.6g} after clipping at 1",
    HOLDS if after <= 1 + 1e-5 < before else FAILS,
  )


def peepholes_matter(data: Datasets) -> Finding:
  """Holds if random peepholes change the Jacobian in every net; the change of the growth rate is reported."""
  seen = data["identities"].sel(cell="peephole_lstm").squeeze(drop=True)
  rows = []
  for ws in seen.ws.values:
    at = seen.sel(ws=ws)
    change = at.growth_rate - at.blind_growth_rate
    share = wording.mean(100 * at.peephole_share)
    rows.append(f"W_s = {ws:g}: {share} % of ‖J‖, growth rate {wording.mean(change)} nats per step")
  is_seen = bool((seen.peephole_share > 0).all())
  return Finding("random peepholes change, at " + "; at ".join(rows), HOLDS if is_seen else FAILS)


def order_matters(data: Datasets) -> Finding:
  """Holds if the reversed inputs change the last output by more than 1e-3 in every run."""
  change = data["identities"].order_difference
  differs = (change > 1e-3).where(change.notnull())
  made, kept = int(differs.count()), int(differs.sum())
  return of_cases(
    f"relative change of the last output, smallest of all runs: {float(change.min()):.2g}",
    {f"in {kept} of {made} runs": kept > 0, f"in {made - kept}": kept == made},
  )


CLAIMS = (
  Claim(1, "tanh′ is at most 1, and below 1 almost always.", "tanh′(a) ≤ 1", ("identities",), slopes),
  Claim(4, "The BPTT sum is the gradient.", "∂L/∂W = Σ_k ∂L/∂S_k ∂S_k/∂W", ("identities",), sum_is_gradient),
  Claim(5, "W_o has no such sum.", "∂L_T/∂W_o: lag 0 only", ("identities",), readout_is_local),
  Claim(8, "Clipping bounds the exploding gradient.", "g·min(1, c/‖g‖)", ("identities",), clipping_bounds),
  Claim(10, "Peepholes let the gates see the cell.", "∂J/∂p ≠ 0", ("identities",), peepholes_matter),
  Claim(
    11,
    "Another order of inputs gives another output.",
    "o_T(x_1 … x_T) ≠ o_T(x_T … x_1)",
    ("identities",),
    order_matters,
  ),
)
