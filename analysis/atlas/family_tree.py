"""The change of the growth rate by each added idea: pairs of cells that differ in it.

Each row is a pair, the cell without the idea and the cell with it, at their recommended initialisations. The mark is the change
of the growth rate of the spectral norm with its 95 % interval over seeds (Welch). Right of 0, the idea makes products fall more
slowly or grow.
"""

from collections.abc import Sequence
import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.atlas._kinds import label
from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.selection import only_axes
from analysis.style import PAGE, new_figure
from analysis.wording import short
from sweepkit.store import ResultsError

#: (idea, the cell without it, the cell with it)
PAIRS: Sequence[tuple[str, str, str]] = (
  ("leak", "rnn", "leaky_rnn"),
  ("orthogonal kernel", "rnn", "orthogonal_rnn"),
  ("antisymmetric kernel", "leaky_rnn", "antisymmetric_rnn"),
  ("gate on the step", "antisymmetric_rnn", "gated_antisymmetric_rnn"),
  ("second-order oscillator", "rnn", "cornn"),
  ("update gate", "rnn", "ugrnn"),
  ("reset by the same gate", "ugrnn", "mgu"),
  ("reset gate of its own", "mgu", "gru"),
  ("forget gate", "lstm_1997", "lstm"),
  ("peepholes", "lstm", "peephole_lstm"),
  ("coupled gates", "lstm", "lstm_coupled"),
  ("forget gate alone", "lstm", "janet"),
  ("relu candidate", "gru", "li_gru"),
  ("multiplicative input", "lstm", "multiplicative_lstm"),
  ("bistable units", "gru", "brc"),
  ("coupled bistable units", "brc", "nbrc"),
  ("no recurrent kernel", "rnn_relu", "indrnn"),
  ("gates without state", "gru", "min_gru"),
  ("gates without state", "lstm", "min_lstm"),
  ("rotating eigenvalues", "rnn_linear", "lru"),
  ("input-dependent step", "s4d", "s6"),
  ("input-dependent decay", "retnet", "gla"),
  ("decay", "linear_attention", "retnet"),
  ("delta rule", "linear_attention", "delta_net"),
  ("decay beside the delta rule", "delta_net", "gated_delta_net"),
  ("several Householder factors", "delta_net", "delta_product"),
  ("momentum", "gated_delta_net", "titans"),
  ("exponential gates and normaliser", "lstm", "slstm"),
)


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["atlas"]).sel(norm="spectral", drop=True)
  has = set(data.cell.values.tolist())
  pairs = [pair for pair in PAIRS if {*pair[1:]} <= has]
  if not pairs:
    raise ResultsError(f"{data.attrs['source']} holds no two cells that differ in one idea.")
  rates = [[data.growth_rate.sel(cell=cell).values for cell in pair[1:]] for pair in pairs]
  names = [f"{label(one)} → {label(other)}: {idea}" for idea, one, other in pairs]
  axes = {"pair": names, "side": ["without", "with"], "seed": data.seed}
  return xr.Dataset({"growth_rate": (("pair", "side", "seed"), np.array(rates), data.growth_rate.attrs)}, axes)


def change(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
  """Returns the change of the mean and the half width of Welch's 95 % interval."""
  from scipy import stats

  parts = [np.var(values, ddof=1) / values.size for values in (one, other)]
  middle, total = float(np.mean(other) - np.mean(one)), sum(parts)
  if total == 0:
    return middle, 0.0
  freedom = total**2 / sum(part**2 / (values.size - 1) for part, values in zip(parts, (one, other), strict=True))
  return middle, float(stats.t.ppf(0.975, freedom) * np.sqrt(total))


def draw(datasets: Datasets) -> Figure:
  data = numbers(datasets)
  changes = [change(*pair) for pair in data.growth_rate.transpose("pair", "side", "seed").values]
  figure, ((axes,),) = new_figure(PAGE, 0.17 * len(changes) + 0.8)
  for place, (middle, half) in enumerate(changes):
    color = "#009E73" if middle - half > 0 else "#D55E00" if middle + half < 0 else "0.5"
    axes.errorbar(middle, place, xerr=half, fmt="o", color=color, markersize=3, linewidth=0.9)
  axes.axvline(0, color="0.3", linewidth=0.6)
  axes.set_yticks(range(len(changes)), data.pair.values.tolist(), fontsize=6)
  axes.set_ylim(len(changes) - 0.4, -0.6)
  axes.set_xlabel("change of the growth rate (nats per step)")
  return figure


def finding(shown: xr.Dataset) -> str:
  rates = shown.growth_rate.transpose("pair", "side", "seed")
  known = np.isfinite(rates).all(("side", "seed")).values
  changes = [change(*pair) for pair in rates.values[known]]
  slower = sum(middle - half > 0 for middle, half in changes)
  faster = sum(middle + half < 0 for middle, half in changes)
  said = f"Of {len(changes)} ideas, {slower} make the product fall more slowly or grow, and {faster} make it fall faster, beyond"
  said += " their 95 % intervals."
  if not changes:
    return said
  most = int(np.argmax([middle for middle, _ in changes]))
  return f"{said} The largest gain: {shown.pair.values[known][most]} ({short(changes[most][0])} nats per step)."


FIGURE = FigureSpec(
  name="family_tree",
  reads=("atlas",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={"growth_rate": TableSpec("growth rate (nats per step)")},
  order=40,
  title="What does each new idea do to the growth rate?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
