"""Mean-field theory of nets without input whose biases are random, up to the gain at which they lose their only fixed point.

    b_i ~ N(0, σ_b²),     U_ij ~ N(0, g²/H),     and every pre-activation h U + b is Gaussian with variance s² = g² q + σ_b²

Below the critical gain a net without input settles at one fixed point. Its second moment q = E h² reproduces itself, and a small
deviation multiplies its square by χ at each step near the eigenvalue 1, where the disk of eigenvalues first touches the unit
circle. So χ(g) = 1 at the critical gain. With independent Gaussian kernels of all gates:

    rnn     h = tanh(a)                               χ = g² E sech⁴ a
    gru     h = n = tanh(b_n + r u)                   χ = g² E sech⁴(b_n + r u) (r² + (u r')²)
    lstm    h = o tanh(c),  c = i n / (1 - f)         χ = g² E [(o' tanh c)² + (o k sech² c)² / (1 - f)²]

with u = h U_n + b_hn and k² = (f' c)² + (i' n)² + (i n')². A prime is the slope of a gate at its pre-activation. Gates are σ of
their pre-activations, and n is tanh of its own. The GRU's z drops out, because h = n at a fixed point, which a slow unit both
approaches and leaves slowly. Without biases these are the critical gains of `gated`: 1, 2 and 2. At a given s, q and χ/g² are
known, so that χ = 1 leaves one equation for s.

Reference: Fioratti, Marcaccioli & Casola, "A random-matrix criterion for initializing gated recurrent neural networks", arXiv
2605.10650 (2026), for the question and a criterion in closed form. The equations here have their own derivation, which solves
for q.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from recurrent_lab._checks import check_choice

NODES, REACH = 61, 9.0  # trapezoidal rule in each direction: its nodes, and its end in standard deviations
STEEPEST = 1e5  # the rule for candidates resolves functions that are this much steeper than the Gaussian
FACTOR, BISECTIONS = 1.1, 30
LARGEST_BIAS = 2.0  # up to which doubling `NODES` changes no critical gain by 1e-4


class _Moments(NamedTuple):
  """E h² and χ/g² of a cell."""

  square: float
  growth: float


def _rule() -> tuple[np.ndarray, np.ndarray]:
  """Nodes and weights of the mean over a standard Gaussian."""
  z = np.linspace(-REACH, REACH, NODES)
  weights = np.exp(-(z**2) / 2)
  return z, weights / weights.sum()


def _steep_rule() -> tuple[np.ndarray, np.ndarray]:
  """The same with most nodes near 0: the trapezoidal rule in v, where z = sinh(v) / `STEEPEST`."""
  end = np.arcsinh(REACH * STEEPEST)
  v = np.linspace(-end, end, 2 * NODES - 1)
  z = np.sinh(v) / STEEPEST
  weights = np.exp(-(z**2) / 2) * np.cosh(v)
  return z, weights / weights.sum()


def _mean(f: Callable[..., np.ndarray], *rules: tuple[np.ndarray, np.ndarray]) -> float:
  """Returns E f(z_1, …) over independent standard Gaussians, each by its rule."""
  axes = range(len(rules))
  shaped = lambda values, axis: values.reshape([-1 if i == axis else 1 for i in axes])
  values = f(*(shaped(z, axis) for axis, (z, _) in enumerate(rules)))
  for _, weights in reversed(rules):
    values = values @ weights
  return float(values)


def _sigmoid(a: np.ndarray) -> np.ndarray:
  return (1 + np.tanh(a / 2)) / 2


def _slope(a: np.ndarray) -> np.ndarray:
  """The slope of σ, without cancellation."""
  return 1 / (4 * np.cosh(a / 2) ** 2)


def _sech2(a: np.ndarray) -> np.ndarray:
  return 1 / np.cosh(a) ** 2


def _rnn(deviation: float, bias_scale: float) -> _Moments:
  square, growth = (lambda z: np.tanh(deviation * z) ** 2), (lambda z: _sech2(deviation * z) ** 2)
  return _Moments(_mean(square, _steep_rule()), _mean(growth, _steep_rule()))


def _gru(deviation: float, bias_scale: float) -> _Moments:
  def growth(z_r: np.ndarray, z_u: np.ndarray, z_b: np.ndarray) -> np.ndarray:
    a_r, u = deviation * z_r, deviation * z_u
    r = _sigmoid(a_r)
    return _sech2(bias_scale * z_b + r * u) ** 2 * (r**2 + (u * _slope(a_r)) ** 2)

  candidate = lambda z_r, z_u, z_b: np.tanh(bias_scale * z_b + _sigmoid(deviation * z_r) * deviation * z_u)
  rules = (_rule(),) * 3
  return _Moments(_mean(lambda *z: candidate(*z) ** 2, *rules), _mean(growth, *rules))


def _lstm(deviation: float, bias_scale: float) -> _Moments:
  def cell(z_i: np.ndarray, z_f: np.ndarray, z_n: np.ndarray) -> np.ndarray:
    """c at the fixed point; 1 / (1 - f) = 1 + e^a."""
    return _sigmoid(deviation * z_i) * np.tanh(deviation * z_n) * (1 + np.exp(deviation * z_f))

  def growth(z_i: np.ndarray, z_f: np.ndarray, z_n: np.ndarray) -> np.ndarray:
    a_i, a_f, a_n = deviation * z_i, deviation * z_f, deviation * z_n
    c = cell(z_i, z_f, z_n)
    kernels = (_slope(a_f) * c) ** 2 + (_slope(a_i) * np.tanh(a_n)) ** 2 + (_sigmoid(a_i) * _sech2(a_n)) ** 2
    return _sech2(np.clip(c, -300, 300)) ** 2 * kernels * (1 + np.exp(a_f)) ** 2

  rules = _rule(), _rule(), _steep_rule()
  put_out = _mean(lambda *z: np.tanh(cell(*z)) ** 2, *rules)
  open_square = _mean(lambda z: _sigmoid(deviation * z) ** 2, _rule())
  slope_square = _mean(lambda z: _slope(deviation * z) ** 2, _rule())
  return _Moments(open_square * put_out, slope_square * put_out + open_square * _mean(growth, *rules))


_CELLS: Mapping[str, Callable[[float, float], _Moments]] = {"rnn": _rnn, "gru": _gru, "lstm": _lstm}


def biased_critical_gain(cell_name: str, bias_scale: float) -> float:
  """Returns the gain W_s at which a large net without input and with random biases loses its only fixed point.

  Args:
    cell_name: "rnn", "gru" or "lstm".
    bias_scale: σ_b, the standard deviation of every bias, from 0 to 2.

  Raises:
    ValueError: for another cell, or a standard deviation out of bounds.
  """
  check_choice("Cell", cell_name, _CELLS)
  if not 0 <= bias_scale <= LARGEST_BIAS:
    raise ValueError(f"bias_scale is {bias_scale}; it must lie between 0 and {LARGEST_BIAS:g}.")
  moments = _CELLS[cell_name]
  if bias_scale == 0:  # the state is 0 up to the critical gain
    return float(1 / np.sqrt(moments(0.0, 0.0).growth))

  def is_below(deviation: float) -> bool:
    """Returns whether s² - σ_b² is below g² q at the g² with χ = 1, as it is below the critical s."""
    square, growth = moments(deviation, bias_scale)
    return deviation**2 - bias_scale**2 < square / growth

  low = bias_scale
  while is_below(FACTOR * low):
    low *= FACTOR
  high = FACTOR * low
  for _ in range(BISECTIONS):
    middle = (low + high) / 2
    low, high = (middle, high) if is_below(middle) else (low, middle)
  return float(1 / np.sqrt(moments(low, bias_scale).growth))
