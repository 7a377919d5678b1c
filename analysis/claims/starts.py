"""Landmarks on what a net starts from: biases of its gates and the identity, and which lags it learns."""

import numpy as np
import xarray as xr

from analysis import wording
from analysis.claims.evidence import (
  ALL_SOLVED,
  by_length,
  compare,
  interval,
  lengths_of,
  most,
  resolved,
  select,
  share,
  solved_runs,
)
from analysis.claims.finding import Finding, of_cases, together
from analysis.claims.landmark import Landmark
from analysis.figure import Datasets
from analysis.landmarks import identity_start
from analysis.style import cell_style

LONG = 100  # steps: the noise-free lag from which Hochreiter & Schmidhuber call it long


def chrono(data: Datasets) -> Finding:
  """Holds if chrono biases solve a lag in more seeds than a bias of 1, at every lag; the intervals must not overlap."""
  runs = select(data["copy_memory"], cell="lstm")
  chrono, one = (solved_runs(runs, forget_bias=bias) for bias in ("chrono", "1"))
  agrees, said = {}, []
  for lag in lengths_of(chrono, one):
    found = compare(chrono.sel(length=lag), one.sel(length=lag))
    agrees[f"{lag}"] = found.is_above
    best = [wording.mean(select(runs, forget_bias=bias, length=lag).best_score) for bias in ("chrono", "1")]
    said.append(f"lag {lag}: solved {found.text}, best share of wrong symbols {best[0]}, against {best[1]}")
  return of_cases(f"chrono against a bias of 1, {'; '.join(said)}", together("at lag", agrees))


def forget_bias(data: Datasets) -> Finding:
  """Holds if a bias of 1 or 2 solves more seeds than 0, wherever the GRU solves more than an LSTM of bias 0, and sooner.

  That is tried at every lag of the noise-free task, and in adding. The updates until it is solved count where all seeds solve it.
  """
  agrees, said = {}, []
  for name, task in (("solvable_lag", "noise-free lag"), ("forget_gap", "adding over")):
    gru = solved_runs(data[name], cell="gru", forget_bias="0")
    lstm = {bias: solved_runs(data[name], cell="lstm", forget_bias=bias) for bias in ("0", "1", "2")}
    for lag in lengths_of(gru, *lstm.values()):
      plain = lstm["0"].sel(length=lag)
      gap = compare(gru.sel(length=lag), plain)
      biased = max((lstm[bias].sel(length=lag) for bias in ("1", "2")), key=lambda one: float(one.mean()))
      closed = compare(biased, plain)
      said.append(f"{task} {lag}: GRU over LSTM {gap.text}; LSTM with the better bias {closed.text}")
      if gap.is_above:
        agrees[f"{task} {lag}"] = closed.is_above
  sooner, times = _sooner(data["forget_gap"])
  agrees |= sooner
  return of_cases(
    "; ".join([*said, *times]), together("at", agrees) or {"anywhere, as the GRU is nowhere better": False}
  )


def _sooner(runs: xr.Dataset) -> tuple[dict[str, bool], list[str]]:
  """Judges the gap in updates until all seeds add, by the intervals of their means, and tells the updates."""
  named = {"GRU": ("gru", "0"), **{f"LSTM with bias {bias}": ("lstm", bias) for bias in ("0", "1", "2")}}
  updates = {label: select(runs, cell=cell, forget_bias=bias).solved_at for label, (cell, bias) in named.items()}
  if any("seed" not in one.dims or one.isnull().any() or one.size < 2 for one in updates.values()):
    return {}, []
  gru, plain, *biased = (interval(one) for one in updates.values())
  told = ", ".join(f"{label} {wording.mean(one)}" for label, one in updates.items())
  closes = any(high < plain[0] for _, high in biased)
  return {"the updates of adding": closes} if gru[1] < plain[0] else {}, [f"updates until adding is solved: {told}"]


def identity_learns(data: Datasets) -> Finding:
  """Holds if rectified units that start at the identity solve both tasks in most seeds."""
  solved = identity_start.numbers(data).solved
  cases: dict[str, bool | None] = {}
  said = []
  for task, title in identity_start.TITLES.items():
    if task not in solved.task.values:
      cases[f"for {title}"] = None
      continue
    by_cell = {cell: solved.sel(cell=cell, task=task).dropna("seed") for cell in solved.cell.values.tolist()}
    cases[f"for {title}"], text = most(by_cell.pop("rnn_relu"))
    others = [f"{cell_style(cell).label} {share(one)}" for cell, one in by_cell.items() if one.size]
    said.append("; ".join([f"{title}: identity start {text}", *others]))
  return of_cases("; ".join(said), cases)


def _best(solved: xr.DataArray) -> xr.DataArray:
  """The seeds with the forget bias that solves the largest share."""
  if "forget_bias" not in solved.dims:
    return solved
  return solved.isel(forget_bias=int(solved.mean("seed").fillna(-1).argmax("forget_bias")))


def long_lags(data: Datasets) -> Finding:
  """Holds if the best LSTM solves every noise-free lag in most seeds, to 100 and beyond, and the RNN not, nor adding."""
  lstm = solved_runs(data["solvable_lag"], cell="lstm")
  solves, lags = {}, []
  for lag in lstm.length.values.tolist():
    best = _best(lstm.sel(length=lag))
    solves[f"{lag}"], text = most(best.dropna("seed"))
    lags.append(f"lag {lag}: {text} (b_f = {best.forget_bias.item()})")
  cases = together("for the LSTM at lag", solves)
  if max(lstm.length.values) < LONG:
    cases[f"at lags of {LONG} and more"] = None
  above, said = _over_rnn(data, lstm)
  cases |= above
  biases = np.atleast_1d(lstm.forget_bias).size
  return of_cases("; ".join([f"LSTM with the best of {biases} forget biases, {'; '.join(lags)}", *said]), cases)


def _over_rnn(data: Datasets, lstm: xr.DataArray) -> tuple[dict[str, bool | None], list[str]]:
  """Compares the LSTM with the RNN at noise-free lags and in adding, as cases and in words."""
  cases: dict[str, bool | None] = {"for the RNN on noise-free lags": None}
  said = []
  if "rnn" in np.atleast_1d(data["solvable_lag"].cell):
    rnn = solved_runs(data["solvable_lag"], cell="rnn", forget_bias="0")
    best = xr.concat([_best(lstm.sel(length=lag)).drop_vars("forget_bias") for lag in lengths_of(lstm, rnn)], "length")
    found = by_length(best, rnn)
    said += [f"LSTM over RNN, lag {lag}: {one.text if one else ALL_SOLVED}" for lag, one in found.items()]
    cases = together("for the LSTM over the RNN at lag", resolved(found))
  of_cell = {cell: solved_runs(data["adding"], cell=cell, layers=1) for cell in ("lstm", "rnn")}
  for length in lengths_of(*of_cell.values()):
    one = compare(*(group.sel(length=length) for group in of_cell.values()))
    cases[f"for the LSTM over the RNN in adding over {length} steps"] = one.is_above
    said.append(f"LSTM over RNN, adding over {length} steps: {one.text}")
  return cases, said


BESIDE_IDENTITY = (
  "identity_start --cells=rnn,lstm --recurrent_init=gaussian --input_gain=1 --output_gain=1 --forget_bias=1 "
  "--optimizer=adam --learning_rate=0.001 --updates=5000"
)

LANDMARKS = (
  Landmark(
    8,
    "In the copy task, an LSTM with chrono biases solves lags at which a forget bias of 1 stays at the baseline.",
    "Tallec & Ollivier 2018, figure 3",
    "128 units, RMSprop, rate 0.001, lags to 500",
    ("copy_memory",),
    chrono,
    ("copy_memory",),
    "chrono leaves the trivial loss first and ends lowest; 3000 updates are too few to solve the task with any of them.",
    "64 units, Adam, 3000 updates, shorter lags",
  ),
  Landmark(
    9,
    "A forget bias of 1 or 2 closes the gap between LSTM and GRU.",
    "Jozefowicz, Zaremba & Sutskever 2015",
    "several tasks",
    ("solvable_lag", "forget_gap"),
    forget_bias,
    (
      "solvable_lag",
      "solvable_lag --cells=gru --forget_bias=0",
      "forget_gap",
      "forget_gap --cells=gru --forget_bias=0",
    ),
    "the GRU adds in all seeds within 3000 updates, the LSTM with a bias of 0 in less than half of them",
    "two memory tasks",
  ),
  Landmark(
    10,
    "An RNN of rectified units that starts at the identity learns to add over 150 to 300 steps, and to read pixels in sequence.",
    "Le, Jaitly & Hinton 2015",
    "100 units, batch 16, SGD; adding over 150 to 300 steps, digits as 784 pixels",
    ("identity_start",),
    identity_learns,
    ("identity_start", BESIDE_IDENTITY),
    "the rectified net adds over 150 steps in most of five seeds within 5000 updates, and the tanh net in none.",
    "Adam for the tanh net and the LSTM; one rate of SGD for the rectified net; digits of 64 pixels",
  ),
  Landmark(
    11,
    "An LSTM bridges noise-free lags of 100 steps and more, which an RNN does not.",
    "Hochreiter & Schmidhuber 1997, experiments 2a and 4",
    "noise-free lags and adding, trained until solved",
    ("solvable_lag", "adding"),
    long_lags,
    ("solvable_lag", "solvable_lag --cells=rnn --forget_bias=0", "adding"),
    "the longest solved lag grows with the forget bias as the memory length does.",
    "1000 updates for the noise-free lags",
  ),
)
