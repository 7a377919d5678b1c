"""Lyapunov spectra against W_s: the largest exponent, whole spectra, and the share of directions that stay alive."""

from collections.abc import Sequence
import sys

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.paper.prediction import input_variance, is_gaussian, plot_mean_field, theory_line, with_mean_field
from analysis.selection import only_axes
from analysis.style import PAGE, cell_style, legend_line, new_figure, plot_band, shade
from analysis.wording import against_zero, each, short, with_unit
from sweepkit.store import ResultsError

TOLERANCE, ROUNDING = 1e-3, 1e-6  # tolerances of the certificate: relative to the mean exponent, and in nats per step
ENDS = (
  (0.9, 0.45),
  (1.6, 0.0),
)  # width of the lines of the two whole spectra, and how far their colour is mixed with white


def is_certified(data: xr.Dataset) -> xr.DataArray:
  """Tells which spectra sum to the log determinant. Older results do not store this, so their residual is judged here."""
  if "certified" in data:
    return data.certified != 0
  directions = np.isfinite(data.exponent).sum("index")
  mean = np.abs(data.log_det_rate) / directions.where(directions > 0)
  return data.residual <= TOLERANCE * mean + ROUNDING


def certified(data: xr.Dataset) -> xr.Dataset:
  """Returns the spectra that are certified or lose a direction, in which case no certificate exists; other spectra become NaN.

  Raises:
    ResultsError: if no spectrum is left.
  """
  kept = is_certified(data) | np.isneginf(data.exponent).any("index")
  if not kept.any():
    raise ResultsError(
      f"{data.attrs['source']} holds no spectrum whose sum is the log determinant to {TOLERANCE:g} of the mean exponent; "
      "compute them with more digits (--x64)."
    )
  return data.where(kept).assign(certified=is_certified(data).where(data.exponent.notnull().any("index")))


def whole_spectra(data: xr.Dataset) -> tuple[float, float]:
  """Returns a small W_s and the largest; whole spectra are shown at these two."""
  return float(data.ws[data.sizes["ws"] // 6]), float(data.ws[-1])


def _curves(axes: Sequence[Axes], one: xr.Dataset, ends: tuple[float, float]) -> None:
  """Draws one cell into the three panels; `ends` are the W_s whose whole spectra are shown."""
  name, color, marker, linestyle = cell_style(str(one.cell.values))
  look = {"color": color, "linestyle": linestyle}
  gains = one.ws.values
  exponents = one.exponent.isel(index=one.exponent.notnull().any(("ws", "seed")).values)
  size = exponents.sizes["index"]
  plot_band(axes[0], gains, exponents.isel(index=0).transpose("seed", "ws"), marker=marker, label=name, **look)
  rank = (np.arange(size) + 0.5) / size
  for gain, (width, white) in zip(ends, ENDS, strict=True):
    drawn = look | {"color": shade(color, white), "linewidth": width}
    plot_band(axes[1], rank, exponents.sel(ws=gain).transpose("seed", "index"), **drawn)
  plot_band(axes[2], gains, (one.kaplan_yorke_dimension / size).transpose("seed", "ws"), marker=marker, **look)
  thin = look | {"fillstyle": "none", "linewidth": 0.7}
  plot_band(axes[2], gains, one.positive_share.transpose("seed", "ws"), marker=marker, **thin)


def draw(datasets: Datasets) -> Figure:
  from recurrent_lab.theory import largest_exponent

  data = certified(only_axes(datasets["lyapunov"], "ws"))
  gains, ends = data.ws.values, whole_spectra(data)
  figure, (axes,) = new_figure(PAGE, 2.6, 1, 3)
  for i in range(data.sizes["cell"]):
    _curves(axes, data.isel(cell=i), ends)

  plot_mean_field(axes[0], datasets.get("mean_field"), data)
  if "rnn" in data.cell and is_gaussian(data):
    closed = lambda gain: largest_exponent(np.abs(gain), input_variance(data))
    theory_line(axes[0], gains[gains != 0], closed, linestyle=":", label=r"RNN: $\frac{1}{2}$ ln $\chi$")
  axes[0].set_title("largest exponent", loc="left")
  axes[0].set_ylabel(with_unit(r"$\lambda_1$", data.exponent))
  figure.legend(loc="outside upper center", ncols=6)
  axes[1].set_title("whole spectra", loc="left")
  axes[1].set_ylabel(with_unit(r"$\lambda_i$", data.exponent))
  axes[1].set_xlabel("rank $i/n$")
  lines = [legend_line(color=shade("0.3", white), linewidth=width) for width, white in ENDS]
  axes[1].legend(lines, [f"$W_s$ = {gain:g}" for gain in ends], loc="lower left")
  axes[2].set_ylim(top=1.35 * axes[2].get_ylim()[1])  # room for the legend
  axes[2].set_title("what stays alive", loc="left")
  axes[2].set_ylabel("share of the $n$ directions")
  marks = [legend_line(color="0.3", marker="o", fillstyle=fill) for fill in ("full", "none")]
  axes[2].legend(marks, ["Kaplan–Yorke dimension", "positive exponents"], loc="upper left")
  for panel in axes[:2]:
    panel.axhline(0, color="0.3", linewidth=0.6)
  for panel in (axes[0], axes[2]):
    panel.set_xlabel("recurrent gain $W_s$")
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = certified(only_axes(datasets["lyapunov"], "ws"))
  size = data.exponent.notnull().any(("ws", "seed")).sum("index")
  shown = xr.Dataset(
    {
      "largest_exponent": data.exponent.isel(index=0, drop=True),
      "kaplan_yorke_share": data.kaplan_yorke_dimension / size,
      "positive_share": data.positive_share,
      "certified": data.certified,
      "exponent": data.exponent.where(data.ws.isin(whole_spectra(data))),
    }
  )
  return with_mean_field(shown, datasets.get("mean_field"), data)


def finding(shown: xr.Dataset) -> str:
  crossings = each(shown, lambda one: against_zero(one.largest_exponent))
  alive = each(shown, lambda one: f"{short(100 * float(one.positive_share.isel(ws=-1).mean('seed')))} %")
  known, proved = int(shown.certified.notnull().sum()), int((shown.certified == 1).sum())
  proof = f"Certified: {proved} of {known} spectra."
  return f"λ₁: {crossings}. At W_s = {float(shown.ws[-1]):g} these shares of all directions grow: {alive}. {proof}"


FIGURE = FigureSpec(
  name="lyapunov",
  reads=("lyapunov",),
  overlays=("mean_field",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "largest_exponent": TableSpec("largest Lyapunov exponent λ₁ (nats per step)"),
    "kaplan_yorke_share": TableSpec("Kaplan–Yorke dimension / n"),
    "certified": TableSpec("share of certified spectra"),
    "mean_field": TableSpec("mean field of a large net (nats per step)"),
  },
  order=60,
  title="How many directions of the state stay alive?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
