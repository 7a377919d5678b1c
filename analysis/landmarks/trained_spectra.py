"""Lyapunov spectra of trained nets beside the errors of these nets. Each net is a line above and a dot below.

Top: all exponents after training, largest first; the colour is the share of digits that the net gets wrong. Bottom: this share
against its prediction from the spectrum. A prediction is a ridge regression on eight exponents, evenly spaced in rank, that was
fitted to the nets of all other gains. ρ is the rank correlation, with a 95 % interval by Fisher's transformation. Open: the
prediction from the spectrum before training.
"""

import sys

from matplotlib import colormaps
from matplotlib.figure import Figure
import numpy as np
from scipy import stats
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import PAGE, THEORY, Band, cell_style, new_figure
from analysis.wording import each, minus, with_unit

FEATURES = 8  # exponents that predict, evenly spaced in rank from the first to the last
LOWEST = -10.0  # nats per step; exponents below it, such as those of lost directions, count as this
PENALTY = 1.0  # weight of the squared coefficients of standardised exponents
KINDS = {"exponent": "after training", "exponent_before": "before training"}


def predictions(exponents: xr.DataArray, errors: xr.DataArray) -> xr.DataArray:
  """Predicts the error of every net [ws, seed] of a cell from its exponents, by a regression on the nets of all other gains."""
  known = exponents.dropna("index", how="all")
  at = np.linspace(0, known.sizes["index"] - 1, min(FEATURES, known.sizes["index"])).round().astype(int)
  values = np.clip(known.isel(index=at).transpose("ws", "seed", "index").values, LOWEST, None)
  wanted = errors.transpose("ws", "seed").values
  made = np.isfinite(values).all(-1) & np.isfinite(wanted)
  found = np.full(wanted.shape, np.nan)
  for gain in range(len(wanted)):
    others = made.copy()
    others[gain] = False
    if others.sum() < 2:
      continue
    middle, scale = values[others].mean(0), values[others].std(0) + 1e-12
    x, y = (values[others] - middle) / scale, wanted[others]
    weights = np.linalg.solve(x.T @ x + PENALTY * np.eye(x.shape[1]), x.T @ (y - y.mean()))
    found[gain, made[gain]] = y.mean() + (values[gain, made[gain]] - middle) / scale @ weights
  return errors.transpose("ws", "seed").copy(data=found)


def rank_correlation(one: xr.DataArray, other: xr.DataArray) -> Band:
  """Returns Spearman's ρ of the known pairs, with its 95 % interval by Fisher's transformation (Fieller et al., 1957)."""
  x, y = one.values.ravel(), other.values.ravel()
  known = np.isfinite(x) & np.isfinite(y)
  x, y = x[known], y[known]
  if x.size < 5 or np.ptp(x) == 0 or np.ptp(y) == 0:
    return Band(*np.full(3, np.nan))
  rho = float(stats.spearmanr(x, y).statistic)
  half = stats.norm.ppf(0.975) * np.sqrt(1.06 / (x.size - 3))
  low, high = np.tanh(np.arctanh(np.clip(rho, -1 + 1e-12, 1 - 1e-12)) + np.array([-half, half]))
  return Band(np.asarray(rho), low, high)


def correlation(data: xr.Dataset, kind: str = "exponent") -> Band:
  """Returns the rank correlation of the errors of a cell's nets and their predictions."""
  errors = data.final_score.transpose("ws", "seed")
  return rank_correlation(predictions(data[kind], errors), errors)


def correlation_text(band: Band) -> str:
  """`0.62 (0.37 – 0.79)`, or that it is not known."""
  if not np.isfinite([float(part) for part in band]).all():
    return "not known"
  mean, low, high = (minus(float(part), ".2f") for part in band)
  return f"{mean} ({low} – {high})"


def numbers(datasets: Datasets) -> xr.Dataset:
  return only_axes(datasets["trained_spectra"], "ws")[["final_score", *KINDS]]


def draw(datasets: Datasets) -> Figure:
  data = numbers(datasets)
  cells = data.cell.values.tolist()
  figure, axes = new_figure(PAGE, 4.4, 2, len(cells), sharey="row")
  largest = float(data.final_score.max())
  for (spectra, scatter), cell in zip(axes.T, cells, strict=True):
    one = data.sel(cell=cell).dropna("index", how="all")
    errors = one.final_score.transpose("ws", "seed")
    nets = one.exponent.transpose("ws", "seed", "index").values.reshape(-1, one.sizes["index"])
    for exponents, error in zip(nets, errors.values.ravel(), strict=True):
      shade = colormaps["viridis"](error / largest if np.isfinite(error) and largest > 0 else 0.0)
      spectra.plot(np.linspace(0, 1, exponents.size), exponents, color=shade, linewidth=0.7)
    label, color, marker, _ = cell_style(cell)
    for kind, filled in (("exponent_before", False), ("exponent", True)):
      look = {
        "marker": marker,
        "s": 12,
        "edgecolors": color,
        "facecolors": color if filled else "none",
        "linewidths": 0.7,
      }
      scatter.scatter(predictions(one[kind], errors).values.ravel(), errors.values.ravel(), **look)
    scatter.axline((0.5, 0.5), slope=1, **(THEORY | {"linestyle": ":"}))
    scatter.set_title(rf"$\rho$ = {correlation_text(correlation(one))}", loc="left")
    spectra.set_title(label, loc="left")
    spectra.set(xlabel="rank over the number of exponents")
    scatter.set(xlabel="predicted share wrong", xlim=(0, 1))
  axes[0, 0].set_ylim(bottom=-6)
  axes[0, 0].set_ylabel(with_unit("exponent", data.exponent))
  axes[1, 0].set_ylabel("share wrong")
  return figure


def finding(shown: xr.Dataset) -> str:
  def both(one: xr.Dataset) -> str:
    return ", ".join(f"{correlation_text(correlation(one, kind))} {when}" for kind, when in KINDS.items())

  return f"Rank correlation of the error with its prediction from the spectrum: {each(shown, both)}."


FIGURE = FigureSpec(
  name="trained_spectra",
  reads=("trained_spectra",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "final_score": TableSpec("share of digits that are wrong"),
    "exponent": TableSpec(over_seeds="none"),
    "exponent_before": TableSpec(over_seeds="none"),
  },
  order=85,
  title="Do the Lyapunov exponents of trained nets tell their errors?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
