"""Word models: perplexity beside n-grams, loss against truncated history, and how far back the last word's gradient reaches.

The n-grams are those counted on the same text, unit and vocabulary, asked over the same windows. Of several learning rates a cell
is shown with the one that did best on the validation text.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
import sys

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.coverage import run_command
from analysis.figure import Datasets, Plot, Unfit, main, only_axes, runs
from analysis.style import PAGE, THEORY, cell_style, new_figure, plot_band
from analysis.words import each, short

COUNTS = THEORY | {"marker": "x", "markersize": 4}
SAME = ("corpus", "unit", "vocabulary", "length")  # what models and counts must share


def counts_beside(counts: xr.Dataset | None, data: xr.Dataset) -> xr.DataArray | None:
  """The n-grams' nats per token by order, of the text that the models were trained on; None where none were counted.

  Raises:
    Unfit: if they were not counted there, with the command that counts them.
  """
  if counts is None:
    return None
  text = {name: data[name].values.item() for name in SAME}
  chosen = counts
  for name, value in text.items():
    chosen = chosen.expand_dims(name) if name not in chosen.dims else chosen
    if value not in chosen[name].values:
      flags = [f"--{name}={value}" for name, value in text.items()]
      command = run_command("ngram", Path(counts.attrs["source"]).parent, *flags)
      raise Unfit(counts, f"lacks the text of {data.attrs['source']} ({command})")
    chosen = chosen.sel({name: value})
  return only_axes(chosen, "order").isel(cell=0).test_nats


def chosen_rates(data: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
  """Every cell with the run of that learning rate whose loss on the validation text was the lowest at its end."""
  data = only_axes(data, "learning_rate")
  for cell in data.cell.values.tolist():
    tried = [one for _, one in runs(data.sel(cell=[cell]), "cell", "learning_rate")]
    if tried:
      yield cell, min(tried, key=lambda one: float(one.final_score.mean()))


def _perplexities(axes: Axes, data: xr.Dataset, counts: xr.DataArray | None) -> None:
  orders = np.arange(0) if counts is None else counts.order.values
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
  if counts is not None:
    axes.plot(orders, np.exp(counts.mean("seed")), label="n-gram", **COUNTS)
    best = float(np.exp(counts.mean("seed")).min())
    lowest = min(lowest, best)
    axes.axhline(best, **(THEORY | {"linestyle": ":"}))
    axes.annotate(f"best n-gram {best:.3g}", (orders.min(), best), (0, -9), textcoords="offset points", fontsize=7)
  axes.set_xticks(
    [*orders, *(first + np.arange(len(cells)))],
    [*map(str, orders), *(cell_style(cell).label for cell, _ in cells)],
  )
  axes.set_yscale("log")
  axes.set_ylim(bottom=0.75 * lowest)
  axes.yaxis.set_major_formatter("{x:g}")
  axes.yaxis.set_minor_formatter("{x:g}")
  axes.tick_params(axis="y", which="minor", labelsize=6)
  axes.set_xlabel("order n of the n-gram; cell")
  axes.set_ylabel(f"perplexity per {'word' if str(data.unit.values) == 'word' else 'character'}")
  axes.set_title("held-out text", loc="left")


def draw(name: str, datasets: Datasets) -> Figure:
  data = datasets[name]
  counts = counts_beside(datasets.get("ngram"), data)
  figure, axes = new_figure(PAGE, 4.6, 2, 2)
  _perplexities(axes[0, 0], data, counts)
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
  if counts is not None:
    seen = counts.order.values - 1
    history.plot(seen[seen > 0], counts.mean("seed").values[seen > 0], label="n-gram", **COUNTS)
  history.set_xscale("log", base=2)
  history.xaxis.set_major_formatter("{x:g}")
  history.set_xlabel("tokens of history that are given")
  history.set_ylabel("nats per token")
  history.set_title("loss against truncated history", loc="left")
  adjoint.set_title("gradient of the last token's loss", loc="left")
  adjoint.set_ylabel(r"$\ln\|\partial L_T/\partial S_{T-l}\|-\ln\|\partial L_T/\partial S_T\|$")
  product.set_title("product of Jacobians along the text", loc="left")
  product.set_ylabel(r"$\ln(\|\prod J\|_F/\sqrt{n})$")
  for panel in (adjoint, product):
    panel.set_xlabel("lag $l$ (tokens)")
  figure.legend(*history.get_legend_handles_labels(), loc="outside upper center", ncols=5)
  return figure


def numbers(name: str, datasets: Datasets) -> xr.Dataset:
  data = datasets[name]
  counts = counts_beside(datasets.get("ngram"), data)
  variables = ["test_nats", "history_nats", "log_adjoint_last", "log_product"]
  cells = [one[variables].reset_coords(drop=True).expand_dims(cell=[cell]) for cell, one in chosen_rates(data)]
  shown = xr.concat(cells, "cell", join="outer").rename(log_adjoint_last="log_adjoint")
  relative = shown.log_adjoint - shown.log_adjoint.isel(lag=0)
  shown = shown.assign(log_adjoint=relative)
  return shown if counts is None else shown.assign(ngram_nats=counts.mean("seed").reset_coords(drop=True))


def finding(shown: xr.Dataset) -> str:
  models = each(shown[["test_nats"]], lambda one: short(float(np.exp(one.test_nats).mean())))
  if "ngram_nats" not in shown or not shown.ngram_nats.notnull().any():
    return f"Perplexity of the held-out text: {models}."
  best = shown.ngram_nats.isel(order=int(shown.ngram_nats.argmin("order")))
  return (
    f"Perplexity of the held-out text: {models}, beside {short(float(np.exp(best)))} for the {int(best.order)}-gram."
  )


PLOT = Plot(
  "word_model",
  ("word_model", "ngram"),
  partial(draw, "word_model"),
  __doc__,
  partial(numbers, "word_model"),
  finding,
  ("ngram",),
)

if __name__ == "__main__":
  sys.exit(main(PLOT))
