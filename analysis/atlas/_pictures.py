"""The small pictures of a card, as points of SVG lines."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
import xarray as xr

WIDTH, HEIGHT = 220, 90  # pixels


class Curve(NamedTuple):
  """A line of a picture."""

  points: str  # x,y pairs in pixels, as SVG wants them
  look: str  # its class in the style sheet: main, second or theory


class Picture(NamedTuple):
  """A picture with the values at the edges of its axes."""

  title: str
  about: str  # for readers who cannot see it
  curves: Sequence[Curve]
  left: str
  right: str
  low: str
  high: str
  zero: float  # height of 0 in pixels


class Frame(NamedTuple):
  """The range that a picture shows."""

  left: float
  right: float
  low: float
  high: float

  def curve(self, x: ArrayLike, y: ArrayLike, look: str = "main") -> Curve:
    """Returns a line; values beyond the lower and upper edges are drawn at the edges, and NaN is left out."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    known = ~np.isnan(y)
    across = WIDTH * (x[known] - self.left) / max(self.right - self.left, 1e-9)
    down = HEIGHT * (self.high - np.clip(y[known], self.low, self.high)) / (self.high - self.low)
    return Curve(" ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True)), look)

  def picture(self, title: str, about: str, curves: Sequence[Curve]) -> Picture:
    """Returns a picture of some lines."""
    left, right, low, high = (f"{value:g}".replace("-", "−") for value in self)
    return Picture(title, about, curves, left, right, low, high, HEIGHT * self.high / (self.high - self.low))


def product(name: str, log_norm: xr.DataArray) -> Picture:
  """Draws ln of both norms `[norm, seed, lag]` of the Jacobian product by lag, the mean over seeds."""
  mean = log_norm.mean("seed")
  frame = Frame(0, float(mean.lag.max()), -12, 6)
  looks = {"spectral": "main", "frobenius": "second"}
  curves = [frame.curve(mean.lag, mean.sel(norm=norm), look) for norm, look in looks.items()]
  return frame.picture("ln of the norm by lag (nats, steps)", f"ln of the norm of the product of {name} by lag", curves)


def spectrum(name: str, exponent: xr.DataArray) -> Picture:
  """Draws the Lyapunov exponents `[seed, index]` by index/n, the mean over seeds."""
  values = exponent.mean("seed", skipna=False).dropna("index").values
  frame = Frame(0, 1, -3, 1)
  places = (np.arange(values.size) + 0.5) / max(1, values.size)
  return frame.picture(
    "Lyapunov exponents by index / n (nats per step)",
    f"Lyapunov exponents of {name}, from the largest to the smallest",
    [frame.curve(places, values)],
  )


def rates(
  title: str,
  about: str,
  rate: xr.DataArray,
  axis: str,
  theory: xr.DataArray | None,
  reach: tuple[float, float] = (-2, 1),
) -> Picture:
  """Draws growth rates `[seed, axis]`, the mean over seeds, and a predicted line over them, in the range `reach`."""
  values = rate.mean("seed", skipna=False).dropna(axis)
  frame = Frame(float(values[axis].min()), float(values[axis].max()), *reach)
  curves = [frame.curve(values[axis], values)]
  if theory is not None:
    curves.append(frame.curve(theory[axis], theory, "theory"))
  return frame.picture(title, about, curves)
