"""Agreement of an accelerator's numbers with those of a CPU: tolerances from float32 arithmetic, set before any run.

The unit roundoff u of float32 is 2⁻²⁴ ≈ 6e-8. With matmul precision `highest`, a GPU multiplies in float32, and a TPU in
six passes of bfloat16, which is as accurate. A sum of n terms in another order then differs by about √n u of its size:
1e-6 for n = 256. tanh and exp differ by a few units in the last place, which is less. The errors of all earlier steps add
up in a state, by the factor A = Σ_l ‖J_T … J_{T-l+1}‖. For A ≤ 10, the relative error of the Jacobian of one step is
therefore about `STEP` = 1e-5.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

STEP = 1e-5  # 10 · √256 u
AMPLIFIED = 10  # the A behind `STEP`; the error grows in proportion beyond it
CHAOTIC = 100  # a point with a larger A is not compared number by number
MEAN_EXPONENT = 10 * STEP  # nats per step
GRADIENT = 10 * STEP
GROWTH = 0.05  # nats per step

# Benchmark -> the tolerance of its numbers in words, for the page.
REASONS = {
  "sweep": f"log norms of a point may differ by {STEP:g} T max(1, A / {AMPLIFIED}) nats, because each of T factors adds the "
  "relative error of one step. A = Σ_l ‖J_T … J_{T-l+1}‖ is the factor by which the errors of all earlier steps add up in a "
  "state. Singular values may differ by the same share of σ₁ (Weyl's inequality). "
  f"Points with A > {CHAOTIC} are chaotic, and rounding alone changes their trajectories. So only the mean of their growth "
  f"rates is compared, within {GROWTH:g} nats per step, which is the spread of one point over 100 steps",
  "products": f"log norms may differ by {STEP:g} T nats",
  "spectra": f"exponents may differ by {MEAN_EXPONENT:g} nats per step in the mean, and each by 1/T. An exponent is a mean over "
  "steps of ln σ, and an error of a Jacobian changes ln σ_i by σ₁ / σ_i times as much. The mean of σ₁ / σ_i over i is about "
  "10, but at a few of the T steps the smallest σ is itself as small as the error, which changes its logarithm by about 1",
  "bptt": f"the gradient of the lab may differ by {GRADIENT:g} of its norm, because states, adjoints and their sum over "
  "steps each add a relative error of one step. Loss and gradient norm of every library may differ by 0.001",
}


class Agreement(NamedTuple):
  """The largest difference between the numbers of two devices, and the allowed one, in the same unit."""

  quantity: str
  difference: float
  allowed: float

  @property
  def holds(self) -> bool:
    """True if the numbers agree; NaN does not."""
    return bool(self.difference <= self.allowed)


def differences(numbers: Any, reference: Any) -> np.ndarray:
  """|x - y| by entry: 0 for equal infinities or two NaN, which pad a dataset, and inf if only one number is finite."""
  x, y = np.asarray(numbers, float), np.asarray(reference, float)
  with np.errstate(invalid="ignore"):
    apart = np.where((x == y) | (np.isnan(x) & np.isnan(y)), 0, np.abs(x - y))
  return np.nan_to_num(apart, nan=np.inf, posinf=np.inf)


def compare(
  benchmark: str, settings: Mapping[str, Any], numbers: Sequence[float], reference: Sequence[float]
) -> list[Agreement]:
  """Compares the samples of the results of one case of `products`, `spectra` or `bptt`.

  Args:
    benchmark: its name.
    settings: those of the case.
    numbers: log norms, exponents or entries of the gradient, by the accelerator.
    reference: the same numbers, by a CPU.
  """
  apart = differences(numbers, reference)
  if benchmark == "products":
    return [Agreement("log norm, nats", float(apart.max()), STEP * settings["steps"])]
  if benchmark == "spectra":
    return [
      Agreement("exponent, nats per step", float(apart.max()), 1 / settings["steps"]),
      Agreement("exponents in the mean, nats per step", float(apart.mean()), MEAN_EXPONENT),
    ]
  size = np.linalg.norm(np.asarray(reference))
  return [Agreement("gradient / its norm", float(np.linalg.norm(apart) / size), GRADIENT)]


def compare_sweep(numbers: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> list[Agreement]:
  """Compares the portraits of P nets, each array with the points on its leading axis.

  Args:
    numbers: `log_norm` `[P, 2, T+1]` (spectral, Frobenius), `log_singular_value` `[P, lags, n]` and `growth_rate` `[P, 2]`.
    reference: the same arrays, by a CPU. They also decide which points are chaotic.
  """
  steps = reference["log_norm"].shape[-1] - 1
  amplified = np.sum(np.exp(np.minimum(reference["log_norm"][:, 0, 1:], 700)), axis=-1)
  is_calm = amplified <= CHAOTIC
  scale = np.maximum(1, amplified / AMPLIFIED)[:, None, None]
  norms = differences(numbers["log_norm"], reference["log_norm"]) / scale
  largest = reference["log_singular_value"][..., :1]
  with np.errstate(invalid="ignore", over="ignore"):
    shares = [np.exp(one["log_singular_value"] - largest) for one in (numbers, reference)]
  values = differences(*shares) / scale
  rates = (
    [float(np.mean(one["growth_rate"][~is_calm, 0])) for one in (numbers, reference)] if not is_calm.all() else [0, 0]
  )
  return [
    Agreement(f"log norm, nats, {is_calm.sum()} points", float(norms[is_calm].max(initial=0)), STEP * steps),
    Agreement("singular value / σ₁", float(values[is_calm].max(initial=0)), STEP * steps),
    Agreement(f"mean growth rate, nats per step, {(~is_calm).sum()} points", float(differences(*rates)), GROWTH),
  ]
