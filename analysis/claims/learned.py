"""Landmarks on training: which nets learn which lags, by clipping, initialisation, forget bias and flossing."""

import numpy as np
import xarray as xr

from analysis import wording
from analysis.claims.evidence import Compared, compare, select, share
from analysis.claims.finding import Finding, of_cases, together
from analysis.claims.landmark import Landmark
from analysis.figure import Datasets
from analysis.learning.success import success_rate

LONG = 100  # steps: the noise-free lag from which Hochreiter & Schmidhuber call it long
LONG_ADDITION = 150  # steps of the shortest sequences that Le et al. train
ALL_SOLVED = "all seeds of both solve it"


def _solved(data: xr.Dataset, **wanted: str | float) -> xr.DataArray:
  """The seeds that solved their task, with `length` as an axis; lengths that were not run are left out."""
  solved = select(data, **wanted).solved
  solved = solved if "length" in solved.dims else solved.expand_dims("length")
  over = [name for name in solved.dims if name != "length"]
  return solved.isel(length=solved.notnull().any(over).values)


def _most(solved: xr.DataArray) -> bool:
  """Returns True if the interval of the share lies above one half."""
  return bool(success_rate(solved).low > 0.5)


def _lengths(*groups: xr.DataArray) -> list[int]:
  """The lengths that all groups were run at."""
  return [length for length in groups[0].length.values.tolist() if all(length in group.length for group in groups)]


def _by_length(better: xr.DataArray, worse: xr.DataArray) -> dict[int, Compared | None]:
  """Holds two groups of seeds against each other at every length; None where all seeds of both solve their task."""
  groups = ((length, better.sel(length=length), worse.sel(length=length)) for length in _lengths(better, worse))
  return {length: None if float(min(a.mean(), b.mean())) == 1 else compare(a, b) for length, a, b in groups}


def _resolved(found: dict[int, Compared | None]) -> dict[str, bool]:
  """The lengths that are a case, and whether the first group is above the second there."""
  return {f"{length}": one.is_above for length, one in found.items() if one}


def clipping(data: Datasets) -> Finding:
  """Holds if clipping solves more than plain SGD, and Ω more than clipping, at every length; the intervals must not overlap.

  A length at which all seeds of both solve the task does not count.
  """
  runs: dict[str, str | float] = {"cell": "rnn", "optimizer": "sgd", "learning_rate": 0.01, "init": "flags"}
  plain, clipped, with_omega = (
    _solved(data["temporal_order"], **runs, clip=clip, omega=omega)
    for clip, omega in (("none", 0.0), ("global_norm", 0.0), ("global_norm", 2.0))
  )
  cases: dict[str, bool | None] = {}
  said = []
  for better, worse, label in ((clipped, plain, "clipping over plain SGD"), (with_omega, clipped, "Ω over clipping")):
    found = _by_length(better, worse)
    said += [f"{label}, length {length}: {one.text if one else ALL_SOLVED}" for length, one in found.items()]
    cases |= together(f"for {label} at length", _resolved(found))
  return of_cases("; ".join(said), cases)


def chrono(data: Datasets) -> Finding:
  """Holds if chrono biases solve a lag in more seeds than a bias of 1, at every lag; the intervals must not overlap."""
  runs = select(data["copy_memory"], cell="lstm")
  chrono, one = (_solved(runs, forget_bias=bias) for bias in ("chrono", "1"))
  agrees, said = {}, []
  for lag in _lengths(chrono, one):
    found = compare(chrono.sel(length=lag), one.sel(length=lag))
    agrees[f"{lag}"] = found.is_above
    best = [wording.mean(select(runs, forget_bias=bias, length=lag).best_score) for bias in ("chrono", "1")]
    said.append(f"lag {lag}: solved {found.text}, best share of wrong symbols {best[0]}, against {best[1]}")
  return of_cases(f"chrono against a bias of 1, {'; '.join(said)}", together("at lag", agrees))


def forget_bias(data: Datasets) -> Finding:
  """Holds if a bias of 1 or 2 solves more seeds than 0, at every lag at which the GRU solves more than an LSTM of bias 0."""
  runs = data["solvable_lag"]
  gru = _solved(runs, cell="gru", forget_bias="0")
  lstm = {bias: _solved(runs, cell="lstm", forget_bias=bias) for bias in ("0", "1", "2")}
  agrees, said = {}, []
  for lag in _lengths(gru, *lstm.values()):
    plain = lstm["0"].sel(length=lag)
    gap = compare(gru.sel(length=lag), plain)
    biased = max((lstm[bias].sel(length=lag) for bias in ("1", "2")), key=lambda one: float(one.mean()))
    said.append(f"lag {lag}: GRU over LSTM {gap.text}; LSTM with the better bias {share(biased)}")
    if gap.is_above:
      agrees[f"{lag}"] = compare(biased, plain).is_above
  return of_cases("; ".join(said), together("at lag", agrees) or {"at any lag, as no gap is resolved": False})


def identity_start(data: Datasets) -> Finding:
  """Holds if an RNN of rectified units that starts at the identity adds in most seeds, at every length from 150 on."""
  solved = _solved(data["adding"], cell="rnn_relu", recurrent_init="identity", layers=1)
  added = {length: solved.sel(length=length) for length in solved.length.values.tolist() if length >= LONG_ADDITION}
  said = "; ".join(f"adding over {length} steps: {share(one)}" for length, one in added.items())
  cases = together("for adding over steps", {f"{length}": _most(one) for length, one in added.items()})
  return of_cases(said, {**cases, "on pixels in sequence": None})


def long_lags(data: Datasets) -> Finding:
  """Holds if the best LSTM solves every noise-free lag in most seeds, to 100 and beyond, and adds where the RNN does not."""
  lstm = _solved(data["solvable_lag"], cell="lstm")
  solves, lags, added = {}, [], []
  for lag in lstm.length.values.tolist():
    best = lstm.sel(length=lag)
    if "forget_bias" in best.dims:
      best = best.isel(forget_bias=int(best.mean("seed").argmax("forget_bias")))
    solves[f"{lag}"] = _most(best)
    lags.append(f"lag {lag}: {share(best)} (b_f = {best.forget_bias.item()})")
  cases = together("for the LSTM at lag", solves)
  if max(lstm.length.values) < LONG:
    cases[f"at lags of {LONG} and more"] = None
  cases["for the RNN on noise-free lags"] = None
  of_cell = {cell: _solved(data["adding"], cell=cell, layers=1) for cell in ("lstm", "rnn")}
  for length in _lengths(*of_cell.values()):
    found = compare(*(one.sel(length=length) for one in of_cell.values()))
    cases[f"for the LSTM over the RNN in adding over {length} steps"] = found.is_above
    added.append(f"LSTM over RNN, adding over {length} steps: {found.text}")
  biases = np.atleast_1d(lstm.forget_bias).size
  return of_cases("; ".join([f"LSTM with the best of {biases} forget biases, {'; '.join(lags)}", *added]), cases)


def flossing(data: Datasets) -> Finding:
  """Holds if flossing solves more seeds of the RNN at every delay, except where all seeds of both solve it."""
  runs = data["flossing"]
  most = max(np.atleast_1d(runs.floss).tolist())
  with_flossing, plain = (_solved(runs, cell="rnn", floss=updates) for updates in (most, 0))
  found = _by_length(with_flossing, plain)
  said = "; ".join(f"delay {delay}: {one.text if one else ALL_SOLVED}" for delay, one in found.items())
  return of_cases(f"flossing against plain training, {said}", together("at delay", _resolved(found)))


LANDMARKS = (
  Landmark(
    7,
    "In temporal order, success falls with length first for SGD, then for SGD with clipping, and last with clipping and Ω.",
    "Pascanu, Mikolov & Bengio 2013, section 4.1",
    "tanh net, 50 units, rate 0.01, lengths to 200",
    ("temporal_order",),
    clipping,
    ("temporal_order --clip=none", "temporal_order", "temporal_order --omega=2"),
    "with Ω all seeds succeed where with clipping alone less than half do. Clipping itself is no gain here",
    "lengths to 30",
  ),
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
    ("solvable_lag",),
    forget_bias,
    ("solvable_lag", "solvable_lag --cells=gru --forget_bias=0"),
    differs="one noise-free memory task",
  ),
  Landmark(
    10,
    "An RNN of rectified units that starts at the identity learns to add over 150 to 300 steps, and to read pixels in sequence.",
    "Le, Jaitly & Hinton 2015",
    "adding, digits as 784 pixels",
    ("adding",),
    identity_start,
    ("adding --cells=rnn_relu --init=flags --recurrent_init=identity --length=150",),
    differs="adding alone",
  ),
  Landmark(
    11,
    "An LSTM bridges noise-free lags of 100 steps and more, which an RNN does not.",
    "Hochreiter & Schmidhuber 1997, experiments 2a and 4",
    "noise-free lags and adding, trained until solved",
    ("solvable_lag", "adding"),
    long_lags,
    ("solvable_lag", "adding"),
    "the longest solved lag grows with the forget bias as the memory length does.",
    "1000 updates for the noise-free lags; the RNN is compared in adding alone",
  ),
  Landmark(
    12,
    "Flossing before and during training raises the success of RNNs at delays at which plain training fails.",
    "Engelken 2023",
    "80 units, batch 16, T = 300, 75 exponents flossed, delays to 70",
    ("flossing",),
    flossing,
    ("flossing",),
    "λ₁ at 0 after flossing and near it ever after; longer delays for the RNN, none for LSTM and GRU, which it rather slows.",
    "32 units, 16 exponents flossed, before training alone, delays to 32",
  ),
  Landmark(
    15,
    "Lyapunov spectra of trained nets predict their accuracy.",
    "Vogt et al. 2022",
    "small tasks, whole spectra",
    differs="the stored training runs follow λ₁ alone",
  ),
)
