"""The numbers behind a figure, which is a dataset with one value a seed: a table to read, and a CSV of all of them."""

from collections.abc import Mapping
import csv
import io
from typing import NamedTuple

import numpy as np
import xarray as xr

from analysis import wording
from analysis.style import cell_style
from recurrent_lab.cells import CELLS
from sweepkit.words import FEW, count

COLUMNS, ROWS = 6, 4  # of an axis of numbers, in a table; the CSV has all


class Quantity(NamedTuple):
  """How a variable is called, and how its values over seeds become one entry of a table.

  Attributes:
    label: with its unit.
    over_seeds: "mean" (± 95 %), "median" (lowest to highest), "count" (of those that solved a task); "" for no table.
  """

  label: str
  over_seeds: str = "mean"


QUANTITIES: Mapping[str, Quantity] = {
  "log_norm": Quantity("ln ‖∏ J‖₂ (nats)"),
  "growth_rate": Quantity("growth rate of ln ‖∏ J‖₂ (nats per step)"),
  "mean_field": Quantity("mean field of a large net (nats per step)"),
  "adjoint_growth_rate": Quantity("growth rate of ‖∂L/∂S_k‖ (nats per step)"),
  "largest_exponent": Quantity("largest Lyapunov exponent λ₁ (nats per step)"),
  "exponent": Quantity("Lyapunov exponents (nats per step)"),
  "kaplan_yorke_share": Quantity("Kaplan–Yorke dimension / n"),
  "certified": Quantity("share of certified spectra"),
  "positive_share": Quantity("share of exponents above 0"),
  "rate": Quantity("ln σ_i / lag (nats per step)"),
  "state": Quantity("states S at the end of an orbit", ""),
  "mean_log_slope": Quantity("mean ln tanh′ (nats)"),
  "weights": Quantity("growth rate − mean ln tanh′ (nats per step)"),
  "memory_length": Quantity("memory length (steps)"),
  "share": Quantity("share of the factors in a fiftieth"),
  "share_near_ends": Quantity("share of the factors within 0.1 of 0 or 1"),
  "error": Quantity("error L"),
  "gradient_norm": Quantity("length of the gradient"),
  "longest_step": Quantity("longest step of a descent"),
  "solved": Quantity("seeds that solve it", "count"),
  "solved_at": Quantity("update from which on it is solved", "median"),
  "test_loss": Quantity("error on test data", "median"),
  "log_adjoint": Quantity("ln ‖∂L/∂S_(T−l)‖ − ln ‖∂L/∂S_T‖ (nats)"),
  "product_growth": Quantity("slope of ln ‖∏ J‖_F (nats per step)"),
  "test_nats": Quantity("loss on held-out text (nats per token)"),
  "history_nats": Quantity("loss with a truncated history (nats per token)"),
  "ngram_nats": Quantity("loss of n-grams (nats per token)"),
  "log_product": Quantity("ln (‖∏ J‖_F / √n) (nats)"),
  "final_score": Quantity("share of wrong answers", "median"),
  "ngram_error": Quantity("share of wrong answers of n-grams", "median"),
  "at_first_name": Quantity("gradient at the first name, beside that at the end (nats)", "median"),
  "chrf_by_length": Quantity("chrF of held-out sentences", "median"),
  "log_source_gradient": Quantity("ln ‖∂L/∂x_k‖ at words of the source", "median"),
  "first_log_source_gradient": Quantity("the same before training", "median"),
  "squared_error": Quantity("mean squared error / variance, at the end", "median"),
  "persistence": Quantity("mean squared error / variance of the last value"),
  "linear": Quantity("mean squared error / variance of least squares"),
  "trivial_loss": Quantity("loss of a net that knows when to answer, not what (nats)"),
  "log_scaled_norm": Quantity("ln ‖(W/ρ)^l‖₂ (nats)"),
  "spectral_radius": Quantity("spectral radius of W"),
  "drawn_radius": Quantity("spectral radius of W as drawn, before scaling"),
  "exact": Quantity("share of exact names", "median"),
  "exact_by_digit": Quantity("share of exact names, by digit", "median"),
  "tanh": Quantity("tanh a"),
  "log_slope": Quantity("ln sech² a (nats)"),
  "naive_log_slope": Quantity("ln (1 − tanh² a) in float32 (nats)"),
}


class Table(NamedTuple):
  """A table: `heads` over its columns, of which the first `labels` name a row."""

  caption: str
  labels: int
  heads: list[str]
  rows: list[list[str]]


def name(value: object) -> str:
  """A label of an axis as a person reads it: a cell by its name, numbers with four digits."""
  if isinstance(value, str):
    return cell_style(value).label if value in CELLS else value.replace("_", " ")
  return f"{value:.4g}" if isinstance(value, float) else str(value)


def _entry(values: np.ndarray, over_seeds: str) -> str:
  """One entry of a table, from values over seeds or from a single one."""
  known = values[~np.isnan(values)]
  endless = int(np.isinf(known).sum())
  if known.size < 2:
    return wording.short(known[0]) if known.size else "–"
  if over_seeds == "count":
    return f"{int(known.sum())} of {known.size}"
  if endless:
    return f"∞ in {endless} of {known.size}"
  if over_seeds == "mean":
    return wording.mean(xr.DataArray(known, dims="seed"))
  return "{} ({} to {})".format(
    *(wording.short(float(value)) for value in (np.median(known), known.min(), known.max()))
  )


def _over_seeds(quantity: Quantity, seeds: int) -> str:
  """Names the statistic of a table's entries and the number of seeds."""
  of_mean = "mean ± 95 %" if seeds >= FEW else "every value"
  said = {"mean": of_mean, "median": "median, lowest to highest", "count": ""}[quantity.over_seeds]
  return f"{said} of {count(seeds, 'seed')}".strip() if seeds > 1 else count(seeds, "seed")


def _thinned(values: xr.DataArray, axis: str, most: int) -> xr.DataArray:
  """Evenly spaced values of an axis of numbers, the first and the last among them; of other axes all."""
  if values[axis].dtype.kind not in "iuf" or values.sizes[axis] <= most:
    return values
  return values.isel({axis: sorted({int(i) for i in np.linspace(0, values.sizes[axis] - 1, most).round()})})


def table(values: xr.DataArray) -> Table:
  """A variable as a table: its last axis across, combinations of the others down, some of the values of long axes."""
  quantity = QUANTITIES.get(str(values.name), Quantity(str(values.name).replace("_", " ")))
  values = values.squeeze([axis for axis in values.dims if values.sizes[axis] == 1 and axis not in ("seed", "cell")])
  axes = [str(axis) for axis in values.dims if axis != "seed"]
  *down, across = axes or [""]
  for axis in axes:
    values = values.dropna(axis, how="all")
  everything = values.size
  for axis in axes:
    values = _thinned(values, axis, COLUMNS if axis == across else ROWS)
  labels = {axis: values[axis].values.tolist() for axis in axes}
  entries = values.transpose(*axes, ...).values.reshape(*map(len, labels.values()), -1)
  rows = []
  for at in np.ndindex(entries.shape[: len(down)]):
    row = entries[at] if across else entries[None]
    if not np.isnan(row).all():
      names = [name(labels[axis][i]) for axis, i in zip(down, at, strict=True)]
      rows.append([*names, *(_entry(entry, quantity.over_seeds) for entry in row)])
  notes = [_over_seeds(quantity, values.sizes["seed"])] if "seed" in values.dims else []
  notes += ["some of the values"] * (values.size < everything)
  caption = "; ".join(part for part in (quantity.label, *notes) if part)
  heads = [wording.axis_name(axis) for axis in down]
  if across:
    # A cell needs no word before its name.
    heads += [
      f"{'' if across == 'cell' else wording.axis_name(across)} {name(label)}".strip() for label in labels[across]
    ]
  return Table(caption, len(down), heads if across else ["value"], rows)


def tables(shown: xr.Dataset) -> list[Table]:
  """A table for every variable that has a value, and is to have one."""
  in_csv_alone = [name for name, quantity in QUANTITIES.items() if not quantity.over_seeds]
  return [table(v) for v in shown.data_vars.values() if v.name not in in_csv_alone and v.notnull().any()]


def to_csv(shown: xr.Dataset) -> bytes:
  """All values, a line for each but the seeds, which stand beside each other after what has one `value` for all of them."""
  axes = list(dict.fromkeys(str(axis) for values in shown.data_vars.values() for axis in values.dims if axis != "seed"))
  heads = ["value"] * any("seed" not in values.dims for values in shown.data_vars.values())
  heads += [f"seed {seed}" for seed in shown.seed.values.tolist()] if "seed" in shown.dims else []
  buffer = io.StringIO()
  writer = csv.DictWriter(buffer, ["quantity", *axes, *heads], restval="", lineterminator="\n")
  writer.writeheader()
  for variable, values in shown.data_vars.items():
    own = [str(axis) for axis in values.dims if axis != "seed"]
    over = heads[-shown.sizes["seed"] :] if "seed" in values.dims else heads[:1]
    array = values.transpose(*own, ...).values.reshape(*(values.sizes[axis] for axis in own), -1)
    labels = {axis: values[axis].values.tolist() for axis in own}
    for at in np.ndindex(array.shape[:-1]):
      if not np.isnan(array[at]).all():
        where = {axis: labels[axis][i] for axis, i in zip(own, at, strict=True)}
        numbers = {head: f"{value:.7g}" for head, value in zip(over, array[at], strict=True) if not np.isnan(value)}
        writer.writerow({"quantity": variable, **where, **numbers})
  return buffer.getvalue().encode()
