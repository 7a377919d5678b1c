"""Draws a figure for your own paper, in your column width and your colours, from stored results.

    python -m examples.figure_for_a_paper

The figure shows the memory of RNN, LSTM and GRU against the forget-gate bias, from the stored sweep in `results/reference`.
"""

from pathlib import Path

from matplotlib.figure import Figure

from analysis.figure import Datasets, draw
from analysis.paper import forget_bias
from analysis.selection import only_axes
from analysis.style import cell_style, new_figure, plot_band

COLUMN = 252 / 72.27  # inches: \the\columnwidth of your document in points, divided by 72.27
COLORS = {"rnn": "#882255", "lstm": "#117733", "gru": "#332288"}


def memory(datasets: Datasets) -> Figure:
  """Draws the growth rate against the forget bias. A memory of 10 steps is a rate of -0.1 nats per step."""
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
