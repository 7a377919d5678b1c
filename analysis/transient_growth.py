"""Powers of a matrix: the largest singular value of a Gaussian W^l grows first, though all eigenvalues are below 1."""

import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, Plot, main, only_axes
from analysis.style import PAGE, THEORY, new_figure, plot_band
from recurrent_lab.theory import log_transient_growth

LOOKS = {  # of an initial kernel
  "gaussian": {"color": "#E69F00", "linestyle": "-"},
  "orthogonal": {"color": "#5D3A9B", "linestyle": "--"},
  "identity": {"color": "#56B4E9", "linestyle": ":"},
}
SHADES = ("#F3C26B", "#E69F00", "#8C5A00")  # of a lag


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["transient_growth"], "recurrent_init").isel(cell=0)
  kernels = [name for name in LOOKS if name in data.recurrent_init]
  log_gain = float(np.log(np.abs(data.ws)))
  rank = (data.index.values + 0.5) / data.sizes["index"]
  rates = (data.log_singular_value / data.sv_lag).transpose("recurrent_init", "sv_lag", "seed", "index")
  figure, (axes,) = new_figure(PAGE, 2.6, 1, 2)

  late = data.isel(lag=data.lag > 0)
  norms = (late.log_norm.sel(norm="spectral") - log_gain * late.lag).transpose("recurrent_init", "seed", "lag")
  for kernel in kernels:
    plot_band(axes[0], late.lag.values, norms.sel(recurrent_init=kernel), label=kernel, **LOOKS[kernel])
  lags = np.geomspace(1, late.lag.values[-1], 201)
  axes[0].plot(lags, log_transient_growth(lags), label=r"Fuss–Catalan edge, $H\to\infty$", **THEORY)
  axes[0].set_xscale("log")
  axes[0].xaxis.set_major_formatter("{x:g}")
  axes[0].set_title("largest singular value", loc="left")
  axes[0].set_xlabel("lag $l$ (steps)")
  axes[0].set_ylabel(r"ln $\Vert (W/g)^l\Vert_2$ (nats)")

  for kernel in kernels:
    if kernel == "gaussian":
      for lag, shade in zip(data.sv_lag.values, SHADES, strict=False):
        plot_band(
          axes[1], rank, rates.sel(recurrent_init=kernel, sv_lag=lag), color=shade, label=f"{kernel}, $l$ = {lag}"
        )
    else:
      plot_band(axes[1], rank, rates.sel(recurrent_init=kernel).isel(sv_lag=-1), label=kernel, **LOOKS[kernel])
  eigenvalues = 0.5 * np.log1p(-rank) + log_gain
  axes[1].plot(rank, eigenvalues, label=r"ln $|\mu_i|$, circular law", **THEORY)
  axes[1].axhline(0, color="0.3", linewidth=0.6)
  axes[1].set_ylim(bottom=eigenvalues[-1] - 0.5)
  axes[1].set_title("all singular values, and the eigenvalues", loc="left")
  axes[1].set_xlabel("rank $i/n$")
  axes[1].set_ylabel(r"ln $\sigma_i(W^l)\,/\,l$ (nats per step)")
  axes[0].legend(loc="upper left")
  axes[1].legend(loc="lower left")
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["transient_growth"], "recurrent_init").isel(cell=0, drop=True)
  late = data.isel(lag=data.lag > 0).sel(norm="spectral", drop=True)
  norms = late.log_norm - np.log(np.abs(float(data.ws))) * late.lag
  return xr.Dataset({"log_scaled_norm": norms, "rate": data.log_singular_value / data.sv_lag})


def finding(shown: xr.Dataset) -> str:
  growth = shown.log_scaled_norm.mean("seed").max("lag")
  peaks = "; ".join(f"{peak.recurrent_init.item()} {float(peak):.2f}" for peak in growth)
  return (
    f"Up to lag {int(shown.lag[-1])} ln of the largest singular value of (W/g)^l rises to at most, in nats: {peaks}."
  )


PLOT = Plot("transient_growth", ("transient_growth",), draw, __doc__, numbers, finding)

if __name__ == "__main__":
  sys.exit(main(PLOT))
