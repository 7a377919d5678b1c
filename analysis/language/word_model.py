"""Word models: perplexity beside n-grams, loss against truncated history, and how far back the last word's gradient reaches.

The n-grams were counted on the same text, unit and vocabulary, and are evaluated on the same windows. A cell that was trained
with several learning rates is shown with the one that did best on the validation text.
"""

from collections.abc import Iterator
from functools import partial
import sys

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.language import counts
from analysis.language.scores import Row, Scores, label
from analysis.numbers import TableSpec
from analysis.selection import only_axes, runs
from analysis.style import PAGE, THEORY, cell_style, new_figure, plot_band
from analysis.wording import each, short, spread


def chosen_rates(data: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
  """Yields every cell with its run at the learning rate whose final loss on the validation text is lowest."""
  data = only_axes(data, "learning_rate")
  for cell in data.cell.values.tolist():
    tried = [one for _, one in runs(data.sel(cell=[cell]), "cell", "learning_rate")]
    if tried:
      yield cell, min(tried, key=lambda one: float(one.final_score.mean()))


def _perplexities(axes: Axes, data: xr.Dataset, ngrams: xr.DataArray | None) -> None:
  orders = np.arange(0) if ngrams is None else ngrams.order.values
  first = orders.max(initial=0) + 1.5  # the place of the first cell
  cells = list(chosen_rates(data))
  for i, (cell, one) in enumerate(cells):
    label, color, marker, _ = cell_style(cell)
    at = first + i
    perplexity = np.exp(one.test_nats.values)
    axes.plot(np.full(perplexity.size, at), perplexity, color=color, marker=marker, linestyle="none", label=label)
    axes.annotate(
      f"{perplexity.mean():.3g}", (at, perplexity.max()), (0, 4), textcoords="offset points", ha="center", fontsize=7
    )
  lowest = min(float(np.exp(one.test_nats.values).min()) for _, one in cells)
  if ngrams is not None:
    axes.plot(orders, np.exp(ngrams.mean("seed")), label="n-gram", **counts.LOOK)
    best = float(np.exp(ngrams.mean("seed")).min())
    lowest = min(lowest, best)
    axes.axhline(best, **(THEORY | {"linestyle": ":"}))
    axes.annotate(f"best n-gram {best:.3g}", (orders.min(), best), (0, -9), textcoords="offset points", fontsize=7)
  axes.set_xticks(
    [*orders, *(first + np.arange(len(cells)))],
    [*map(str, orders), *(cell_style(cell).label for cell, _ in cells)],
  )
  axes.set_yscale("log")
  axes.set_ylim(bottom=0.75 * lowest)
  axes.yaxis.set_minor_locator(LogLocator(subs=(2, 3, 5)))  # more labels would touch
  axes.yaxis.set_major_formatter("{x:g}")
  axes.yaxis.set_minor_formatter("{x:g}")
  axes.tick_params(axis="y", which="minor", labelsize=6)
  axes.set_xlabel("order n of the n-gram; cell")
  axes.set_ylabel(f"perplexity per {'word' if str(data.unit.values) == 'word' else 'character'}")
  axes.set_title("held-out text", loc="left")


def draw(name: str, datasets: Datasets) -> Figure:
  data = datasets[name]
  ngrams = counts.of_text(datasets.get("ngram"), data)
  figure, axes = new_figure(PAGE, 4.6, 2, 2)
  _perplexities(axes[0, 0], data, ngrams)
  history, adjoint, product = axes[0, 1], axes[1, 0], axes[1, 1]
  for cell, one in chosen_rates(data):
    style = cell_style(cell)
    look = {"color": style.color, "marker": style.marker, "linestyle": style.linestyle}
    plot_band(history, one.history.values, one.history_nats, label=style.label, **look)
    lags = one.lag.values
    drawn = look | {"markevery": max(1, lags.size // 8)}
    relative = one.log_adjoint_last - one.log_adjoint_last.isel(lag=0)
    plot_band(adjoint, lags, relative, **drawn)
    plot_band(product, lags, one.log_product, **drawn)
  if ngrams is not None:
    seen = ngrams.order.values - 1
    history.plot(seen[seen > 0], ngrams.mean("seed").values[seen > 0], label="n-gram", **counts.LOOK)
  history.set_xscale("log", base=2)
  history.xaxis.set_major_formatter("{x:g}")
  history.set_xlabel("tokens of history given")
  history.set_ylabel("nats per token")
  history.set_title("loss against truncated history", loc="left")
  adjoint.set_title("gradient of the last token's loss", loc="left")
  adjoint.set_ylabel(r"$\ln\|\partial L_T/\partial S_{T-l}\|-\ln\|\partial L_T/\partial S_T\|$")
  product.set_title("product of Jacobians along the text", loc="left")
  product.set_ylabel(r"$\ln\,(\|\;\prod\;J\;\|_F\,/\sqrt{n})$")
  for panel in (adjoint, product):
    panel.set_xlabel("lag $l$ (tokens)")
  figure.legend(*history.get_legend_handles_labels(), loc="outside upper center", ncols=5)
  return figure


def numbers(name: str, datasets: Datasets) -> xr.Dataset:
  data = datasets[name]
  ngrams = counts.of_text(datasets.get("ngram"), data)
  variables = ["test_nats", "history_nats", "log_adjoint_last", "log_product"]
  cells = [one[variables].reset_coords(drop=True).expand_dims(cell=[cell]) for cell, one in chosen_rates(data)]
  shown = xr.concat(cells, "cell", join="outer").rename(log_adjoint_last="log_adjoint")
  relative = shown.log_adjoint - shown.log_adjoint.isel(lag=0)
  shown = shown.assign(log_adjoint=relative)
  return shown if ngrams is None else shown.assign(ngram_nats=ngrams.mean("seed").reset_coords(drop=True))


def finding(shown: xr.Dataset) -> str:
  models = each(shown[["test_nats"]], lambda one: short(float(np.exp(one.test_nats).mean())))
  if "ngram_nats" not in shown or not shown.ngram_nats.notnull().any():
    return f"Perplexity of the held-out text: {models}."
  best = shown.ngram_nats.isel(order=int(shown.ngram_nats.argmin("order")))
  return (
    f"Perplexity of the held-out text: {models}, beside {short(float(np.exp(best)))} for the {int(best.order)}-gram."
  )


def rows(name: str, datasets: Datasets) -> Iterator[Row]:
  data = only_axes(datasets[name], "learning_rate")
  for (cell, rate), one in runs(data, "cell", "learning_rate"):
    yield f"{label(cell)}, rate {rate:g}", spread(np.exp(one.test_nats)), f"{spread(np.exp(one.first_nats))} untrained"


TABLES = {
  "log_adjoint": TableSpec("ln ‖∂L/∂S_(T−l)‖ − ln ‖∂L/∂S_T‖ (nats)"),
  "ngram_nats": TableSpec("loss of n-grams (nats per token)"),
}
FIGURE = FigureSpec(
  name="word_model",
  reads=("word_model",),
  overlays=("ngram",),
  caption=__doc__,
  draw=partial(draw, "word_model"),
  numbers=partial(numbers, "word_model"),
  finding=finding,
  tables=TABLES,
  order=10,
  title="How far back does a word model look?",
  over_seeds="band",
)
SCORES = Scores("word_model", "perplexity of the test text, per word", partial(rows, "word_model"), order=10)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
