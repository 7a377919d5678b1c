"""Powers of a matrix W by initial kernel: how far the largest singular value of W^l exceeds the power ρ^l of its spectral radius.

Every drawn W is divided by its measured spectral radius and multiplied by W_s, so that its spectral radius ρ is W_s. Without this
scaling an eigenvalue of a Gaussian draw may lie outside the unit circle, and its powers would grow without end.
"""

from collections.abc import Mapping, Sequence
import sys
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import one_cell
from analysis.style import PAGE, THEORY, new_figure, plot_band
from analysis.wording import short, with_unit
from sweepkit.store import ResultsError

LOOKS: Mapping[str, dict[str, Any]] = {  # looks of the initial kernels
  "gaussian": {"color": "#E69F00", "linestyle": "-"},
  "orthogonal": {"color": "#5D3A9B", "linestyle": "--"},
  "identity": {
    "color": "#A6D8F5",
    "linestyle": "-",
    "linewidth": 3.5,
    "zorder": 1.9,
  },  # below the orthogonal kernel, which coincides
}
SHADES = ("#F3C26B", "#E69F00", "#8C5A00")  # shades of the lags


def scaled(datasets: Datasets) -> xr.Dataset:
  """Returns the results by initial kernel.

  Raises:
    ResultsError: if the spectral radius of these nets was not measured.
  """
  data = datasets["transient_growth"]
  if "spectral_radius" not in data:
    raise ResultsError(
      f"{data.attrs['source']} holds nets whose spectral radius was not measured; run the experiment with another --out."
    )
  return one_cell(data, "recurrent_init")


def _norms(panel: Axes, data: xr.Dataset, kernels: Sequence[str]) -> None:
  """Draws ln of the largest singular value of (W/ρ)^l against the lag."""
  from recurrent_lab.theory import log_transient_growth

  late = data.isel(lag=data.lag > 0)
  log_gain = float(np.log(np.abs(data.ws)))
  norms = (late.log_norm.sel(norm="spectral") - log_gain * late.lag).transpose("recurrent_init", "seed", "lag")
  for kernel in kernels:
    plot_band(panel, late.lag.values, norms.sel(recurrent_init=kernel), label=kernel, **LOOKS[kernel])
  lags = np.geomspace(1, late.lag.values[-1], 201)
  panel.plot(lags, log_transient_growth(lags), label=r"Fuss–Catalan edge of $(W/g)^l$, $H\to\infty$", **THEORY)
  panel.set_xscale("log")
  panel.xaxis.set_major_formatter("{x:g}")
  panel.set_title("largest singular value", loc="left")
  panel.set_xlabel(with_unit("lag $l$", data.lag))
  panel.set_ylabel(r"ln $\Vert (W/\rho)^l\Vert_2$ (nats)")
  panel.set_ylim(top=1.6 * panel.get_ylim()[1])  # room for the legend
  panel.legend(loc="upper left")


def _all_values(panel: Axes, data: xr.Dataset, kernels: Sequence[str]) -> None:
  """Draws all singular values of W^l, at every lag for a Gaussian W and at the last lag for others, and the circular law."""
  rank = (data.index.values + 0.5) / data.sizes["index"]
  rates = (data.log_singular_value / data.sv_lag).transpose("recurrent_init", "sv_lag", "seed", "index")
  curves: list[tuple[xr.DataArray, dict[str, Any]]] = [
    (rates.sel(recurrent_init="gaussian", sv_lag=lag), {"color": shade, "label": f"gaussian, $l$ = {lag}"})
    for lag, shade in zip(data.sv_lag.values, SHADES, strict=False)
    if "gaussian" in kernels
  ]
  curves += [
    (rates.sel(recurrent_init=kernel).isel(sv_lag=-1), {"label": kernel, **LOOKS[kernel]})
    for kernel in kernels
    if kernel != "gaussian"
  ]
  for values, look in curves:
    plot_band(panel, rank, values, **look)
  eigenvalues = 0.5 * np.log1p(-rank) + float(np.log(np.abs(data.ws)))
  panel.plot(rank, eigenvalues, label=r"ln $|\mu_i|$, circular law", **THEORY)
  panel.axhline(0, color="0.3", linewidth=0.6)
  panel.set_ylim(bottom=eigenvalues[-1] - 0.5)
  panel.set_title("all singular values, and the eigenvalues", loc="left")
  panel.set_xlabel("rank $i/n$")
  panel.set_ylabel(r"ln $\sigma_i(W^l)\,/\,l$ (nats per step)")
  panel.legend(loc="lower left")


def draw(datasets: Datasets) -> Figure:
  data = scaled(datasets)
  kernels = [name for name in LOOKS if name in data.recurrent_init]
  figure, (axes,) = new_figure(PAGE, 2.6, 1, 2)
  _norms(axes[0], data, kernels)
  _all_values(axes[1], data, kernels)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = scaled(datasets).drop_vars("cell")
  late = data.isel(lag=data.lag > 0).sel(norm="spectral", drop=True)
  norms = late.log_norm - np.log(np.abs(float(data.ws))) * late.lag
  rates = {"log_scaled_norm": norms, "rate": data.log_singular_value / data.sv_lag}
  return xr.Dataset({**rates, **data[["spectral_radius", "drawn_radius"]]})


def finding(shown: xr.Dataset) -> str:
  growth = shown.log_scaled_norm.mean("seed", skipna=False).max("lag")
  peaks = "; ".join(f"{peak.recurrent_init.item()} {short(float(peak))}" for peak in growth)
  drawn = shown.drawn_radius
  return (
    f"Highest ln of the largest singular value of (W/ρ)^l up to lag {int(shown.lag[-1])}, in nats: {peaks}. Drawn kernels have "
    f"spectral radii from {short(float(drawn.min()))} to {short(float(drawn.max()))}, and after scaling none exceeds "
    f"{short(float(shown.spectral_radius.max()))}."
  )


FIGURE = FigureSpec(
  name="transient_growth",
  reads=("transient_growth",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "log_scaled_norm": TableSpec("ln ‖(W/ρ)^l‖₂ (nats)"),
    "rate": TableSpec("ln σ_i / lag (nats per step)"),
  },
  order=50,
  title="How far do the powers of a matrix outgrow its spectral radius?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
