"""A figure for your own paper: your column width, your own colours, drawn from results on disk.

    python -m examples.figure_for_a_paper

The memory of RNN, LSTM and GRU against the forget-gate bias, from the kept sweep in `results/reference`.
"""

from pathlib import Path

from matplotlib.figure import Figure

from analysis.figure import Datasets, draw
from analysis.paper import forget_bias
from analysis.selection import only_axes
from analysis.style import cell_style, new_figure, plot_band

COLUMN = 252 / 72.27  # inches: what \the\columnwidth of your document says in points, / 72.27
COLORS = {"rnn": "#882255", "lstm": "#117733", "gru": "#332288"}


def memory(datasets: Datasets) -> Figure:
  """Growth rate against bias: a memory of 10 steps is a rate of -0.1."""
  data = only_axes(datasets["forget_bias"].sel(ws=1.0, norm="spectral"), "forget_bias")
  figure, axes = new_figure(COLUMN, 0.7 * COLUMN)
  for cell in map(str, data.cell.values):
    look = cell_style(cell)._replace(color=COLORS[cell])
    rates = data.growth_rate.sel(cell=cell).transpose("seed", "forget_bias")
    plot_band(axes[0, 0], data.forget_bias.values, rates, **look._asdict())
  axes[0, 0].set(xlabel="forget-gate bias", ylabel="growth rate (nats per step)")
  axes[0, 0].legend()
  return figure


def main(out: Path = Path("figures")) -> list[Path]:
  figure = forget_bias.FIGURE._replace(name="memory", draw=memory, caption=__doc__)
  paths = draw(figure, Path("results/reference"), out)
  print(*paths, sep="\n")
  return paths


if __name__ == "__main__":
  main()
