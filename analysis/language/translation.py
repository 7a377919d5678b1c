"""Translation by encoder and decoder: quality by length of the source, beside a dictionary; gradient at the source's words."""

from collections.abc import Iterator
import sys
from typing import Any

from matplotlib.figure import Figure
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.language.scores import Row, Scores, label
from analysis.numbers import TableSpec
from analysis.selection import only_axes, runs
from analysis.style import PAGE, THEORY, cell_style, legend_line, new_figure, plot_seeds
from analysis.wording import each, short, spread

BESIDE = {"dictionary": "--", "source": ":"}
NAMES = {"dictionary": "word by word", "source": "the source itself"}
BEFORE: dict[str, Any] = {"linestyle": ":", "marker": "none"}


def draw(datasets: Datasets) -> Figure:
  data = only_axes(datasets["translation"])
  figure, (axes,) = new_figure(PAGE, 2.7, 1, 2)
  data = data.dropna("source_length", how="all", subset=["chrf_by_length"])  # lengths that no source has
  lengths, distances = data.source_length.values, data.source_distance.values
  for (cell,), one in runs(data, "cell"):
    label, color, marker, linestyle = cell_style(cell)
    look: dict[str, Any] = {"color": color, "marker": marker, "linestyle": linestyle}
    net = one.chrf_by_length.sel(translator="net").transpose("source_length", "seed")
    plot_seeds(axes[0], lengths, net, label=label, **look)
    for name, how in (("log_source_gradient", look), ("first_log_source_gradient", look | BEFORE)):
      plot_seeds(axes[1], distances, one[name].transpose("source_distance", "seed"), **how)
  for translator, linestyle in BESIDE.items():
    beside = data.chrf_by_length.sel(translator=translator).max(["cell", "seed"])
    axes[0].plot(lengths, beside, label=NAMES[translator], **(THEORY | {"linestyle": linestyle}))
  axes[0].set_ylim(0, 103)
  axes[0].set_xticks(lengths)
  axes[0].set_xlabel("words of the source (at most)")
  axes[0].set_ylabel("chrF of held-out sentences")
  axes[0].set_title("quality by length", loc="left")
  axes[1].set_xlabel("words before the last of the source")
  axes[1].set_ylabel(r"$\ln\|\partial L/\partial x_k\|$")
  axes[1].set_title("gradient at the words of long sources", loc="left")
  handles, labels = axes[0].get_legend_handles_labels()
  figure.legend(
    [*handles, legend_line(color="0.4", **BEFORE)], [*labels, "before training"], loc="outside upper center", ncols=6
  )
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  data = only_axes(datasets["translation"])
  data = data.dropna("source_length", how="all", subset=["chrf_by_length"])
  return data[["chrf_by_length", "log_source_gradient", "first_log_source_gradient"]]


def finding(shown: xr.Dataset) -> str:
  longest = shown[["chrf_by_length"]].isel(source_length=-1).median("seed")
  chrf = each(longest, lambda one: short(float(one.chrf_by_length.sel(translator="net"))))
  beside = short(float(longest.chrf_by_length.sel(translator="dictionary").max()))
  words = int(longest.source_length)
  return f"On the longest sources, of up to {words} words, chrF is {chrf}; translated word by word it is {beside}."


def rows(datasets: Datasets) -> Iterator[Row]:
  for (cell,), one in runs(only_axes(datasets["translation"]), "cell"):
    chrf = {str(t): one.chrf.sel(translator=t) for t in one.translator.values}
    beside = f"word by word {spread(chrf['dictionary'][:1])}, the source {spread(chrf['source'][:1])}"
    yield label(cell), f"{spread(chrf['net'])}; exact {spread(one.exact.sel(translator='net'), 100)} %", beside


FIGURE = FigureSpec(
  name="translation",
  reads=("translation",),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "chrf_by_length": TableSpec(over_seeds="median"),
    "log_source_gradient": TableSpec(over_seeds="median"),
    "first_log_source_gradient": TableSpec(
      "ln of the norm of the loss's gradient by a word of the source, before training (nats)", over_seeds="median"
    ),
  },
  order=60,
  title="Do translations get worse with the length of the sentence?",
  over_seeds="seeds",
)
SCORES = Scores("translation", "chrF of held-out sentences", rows, order=60)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
