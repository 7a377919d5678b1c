"""The whole spectrum of a large random rate network, and how dimension and entropy rate depend on the gain.

Left: exponents against rank, every size and every leak at the gain that has most sizes; they fall on one curve each. Middle:
Kaplan–Yorke dimension and entropy rate, both per unit, against the gain at the size that has most gains. Right: distance of nets
of growing size from theory, relative to theory. Black lines are theory of the infinite net.
"""

from collections.abc import Iterator
import sys
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import one_cell
from analysis.style import PAGE, THEORY, legend_line, new_figure, plot_band
from analysis.wording import listed, short, with_unit

NAMES = {
  "largest_exponent": "λ₁",
  "mean_exponent": "mean exponent",
  "positive_share": "positive share",
  "entropy_rate": "entropy rate / N",
  "dimension": "dimension / N",
}
COLORS = ("#D55E00", "#E69F00", "#009E73", "#56B4E9", "#0072B2", "#CC79A7")
MARKS = "osv^D"
LINES = ("-", "--", ":", "-.")
AXES = ("hidden_size", "ws", "leak")


def expected(gain: float, leak: float, kept: xr.Dataset | None) -> dict[str, float]:
  """Returns the values of theory, by the names of the measured quantities.

  Args:
    gain: g > 1.
    leak: δ.
    kept: results of `rate_theory`, which has what follows from the distribution of exponents for δ < 1; NaN without them.
  """
  from recurrent_lab import theory

  if leak == 1:
    return dict(zip(NAMES, theory.rate_spectrum(gain)[:5], strict=True))
  if kept is not None and gain in kept.ws and leak in kept.leak:
    return {name: float(kept[name].sel(ws=gain, leak=leak).mean("seed")) for name in NAMES}
  known = {
    "largest_exponent": theory.rate_largest_exponent(gain, leak),
    "mean_exponent": theory.rate_mean_exponent(gain, leak),
  }
  return {name: known.get(name, np.nan) for name in NAMES}


def _measured(datasets: Datasets) -> tuple[xr.Dataset, xr.Dataset | None]:
  """The measured nets with `<name>_theory` by gain and leak for every name in `NAMES`, and the kept distributions of theory.

  Theory is NaN for gains up to 1, where nothing moves.
  """
  data = one_cell(datasets["rate_network"], *AXES)
  kept = one_cell(datasets["rate_theory"], "ws", "leak") if "rate_theory" in datasets else None
  shape = {"ws": data.ws.values, "leak": data.leak.values}
  found = {name: np.full((len(shape["ws"]), len(shape["leak"])), np.nan) for name in NAMES}
  for i, gain in enumerate(shape["ws"]):
    for j, leak in enumerate(shape["leak"]):
      if gain > 1 and data.largest_exponent.sel(ws=gain, leak=leak).notnull().any():
        for name, value in expected(float(gain), float(leak), kept).items():
          found[name][i, j] = value
  return data.assign({f"{name}_theory": (tuple(shape), values) for name, values in found.items()}), kept


def _most(data: xr.Dataset, axis: str, over: str) -> float:
  """The value of an axis at which most values of another were measured."""
  made = data.largest_exponent.notnull().any([name for name in data.largest_exponent.dims if name not in (axis, over)])
  return float(made.sum(over).idxmax(axis))


def _distribution(gain: float, leak: float, lowest: float, kept: xr.Dataset | None) -> tuple[np.ndarray, np.ndarray]:
  """Returns the share above and the thresholds of exponents in theory, from `lowest` up; empty where it is not known."""
  from recurrent_lab import theory

  if leak == 1 and gain > 1:
    thresholds = np.linspace(theory.rate_largest_exponent(gain), lowest, 300)
    return 1 - theory.rate_exponent_cdf(gain, leak, thresholds), thresholds
  if kept is not None and gain in kept.ws and leak in kept.leak:
    one = kept.sel(ws=gain, leak=leak).mean("seed")
    return one.share_above.values, one.exponent.values
  return np.empty(0), np.empty(0)


def _spectra(axes: Axes, data: xr.Dataset, kept: xr.Dataset | None) -> None:
  for j, leak in enumerate(data.leak.values):
    for k, size in enumerate(data.hidden_size.values):
      one = data.exponent.sel(leak=leak, hidden_size=size).mean("seed", skipna=False).dropna("index")
      if one.size:
        look: dict[str, Any] = {"color": COLORS[k % len(COLORS)], "linestyle": LINES[j % len(LINES)]}
        axes.plot((np.arange(one.size) + 0.5) / one.size, one, linewidth=1, **look)
  gain = float(data.ws)
  for leak in data.leak.values:
    axes.plot(*_distribution(gain, float(leak), axes.get_ylim()[0], kept), **THEORY)
  sizes = [legend_line(color=COLORS[k % len(COLORS)]) for k in range(data.sizes["hidden_size"])]
  leaks = [legend_line(color="0.4", linestyle=LINES[j % len(LINES)]) for j in range(data.sizes["leak"])]
  names = [f"N = {size:g}" for size in data.hidden_size.values] + [f"δ = {leak:g}" for leak in data.leak.values]
  axes.legend([*sizes, *leaks, legend_line(**THEORY)], [*names, "theory"], loc="lower left")
  axes.set(xlabel="rank $i/N$", ylabel=with_unit(r"$\lambda_i$", data.exponent))
  axes.set_title(f"spectra, g = {gain:g}", loc="left")


def _by_gain(axes: Axes, data: xr.Dataset) -> None:
  from recurrent_lab import theory

  names, leak = ("dimension", "entropy_rate"), float(data.leak[np.abs(data.leak.values - 1).argmin()])
  one = data.sel(leak=leak)
  one = one.isel(ws=one.largest_exponent.notnull().any("seed").values)
  for name, mark, color in zip(names, MARKS, COLORS[::4], strict=False):
    times = 10 if name == "entropy_rate" else 1
    label = f"{times} × entropy rate / N" if times > 1 else NAMES[name]
    plot_band(axes, one.ws.values, times * one[name].transpose("seed", "ws"), marker=mark, color=color, label=label)
  inside = one.ws.values[one.ws.values > 1]
  if leak == 1 and len(inside) > 1:
    grid = np.geomspace(max(1.05, inside[0]), inside[-1], 40)
    found = [theory.rate_spectrum(float(gain)) for gain in grid]
    axes.plot(grid, [each.dimension for each in found], **THEORY)
    axes.plot(grid, [10 * each.entropy_rate for each in found], **THEORY)
  axes.set(xscale="log", xlabel="gain g")
  ticks = [gain for gain in (1, 2, 3, 5, 10, 20, 50) if one.ws[0] <= gain <= one.ws[-1]]
  axes.set_xticks(ticks, [f"{gain:g}" for gain in ticks])
  axes.minorticks_off()
  axes.set_title(f"δ = {leak:g}, N = {float(data.hidden_size):g}", loc="left")
  axes.legend(loc="lower right")


def differences(data: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
  """Yields the name of a quantity, and the distance of its mean over seeds from theory, relative to theory."""
  for name in NAMES:
    yield name, (data[name].mean("seed", skipna=False) - data[f"{name}_theory"]) / abs(data[f"{name}_theory"])


def _by_size(axes: Axes, data: xr.Dataset) -> None:
  for (name, difference), mark, color in zip(differences(data), MARKS, COLORS, strict=False):
    for j, leak in enumerate(data.leak.values):
      one = difference.sel(leak=leak).dropna("hidden_size")
      if one.size:
        label = NAMES[name] if not j else "_"
        style: dict[str, Any] = {"color": color, "marker": mark, "linestyle": LINES[j % len(LINES)]}
        axes.plot(one.hidden_size, 100 * one, label=label, **style)
  axes.axhline(0, **THEORY)
  axes.set_xscale("log", base=2)
  axes.set_xticks(data.hidden_size.values, [f"{size:g}" for size in data.hidden_size.values])
  axes.minorticks_off()
  axes.set(xlabel="units N", ylabel="distance from theory (%)")
  axes.set_title(f"g = {float(data.ws):g}", loc="left")
  axes.legend(loc="best")


def draw(datasets: Datasets) -> Figure:
  data, kept = _measured(datasets)
  figure, (axes,) = new_figure(PAGE, 2.9, 1, 3)
  at_gain = data.sel(ws=_most(data, "ws", "hidden_size"))
  _spectra(axes[0], at_gain, kept)
  _by_gain(axes[1], data.sel(hidden_size=_most(data, "hidden_size", "ws")))
  _by_size(axes[2], at_gain)
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data, _ = _measured(datasets)
  return data[[*NAMES, *(f"{name}_theory" for name in NAMES)]]


def finding(shown: xr.Dataset) -> str:
  """Names the distance from theory of the largest nets without a leak, at the gain at which most sizes were measured."""
  leak = shown.leak.values[np.abs(shown.leak.values - 1).argmin()]
  data = shown.sel(ws=_most(shown, "ws", "hidden_size"), leak=leak)
  said = []
  for name, difference in differences(data):
    known = difference.where(np.isfinite(difference)).dropna("hidden_size")
    if known.size:
      value = float(data[name].mean("seed").sel(hidden_size=known.hidden_size[-1]))
      said.append((int(known.hidden_size[-1]), f"{NAMES[name]} {short(value)} ({100 * float(known[-1]):+.1f} %)"))
  if not said:
    return "No net can be held against theory."
  size = max(size for size, _ in said)
  return (
    f"At g = {float(data.ws):g} and δ = {float(leak):g}, nets of {size} units have, with their distance from theory: "
    f"{listed([text for at, text in said if at == size])}."
  )


FIGURE = FigureSpec(
  name="rate_network",
  reads=("rate_network",),
  overlays=("rate_theory",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={f"{name}_theory": TableSpec(f"theory of the {text}") for name, text in NAMES.items()},
  order=5,
  title="Do large random networks have the spectrum that theory predicts?",
  over_seeds="band",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
