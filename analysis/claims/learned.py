"""Landmarks on training: which nets learn which lags with clipping, Ω and flossing, and what spectra tell of it."""

import numpy as np

from analysis.claims.evidence import ALL_SOLVED, by_length, resolved, solved_runs
from analysis.claims.finding import Finding, of_cases, together
from analysis.claims.landmark import Landmark
from analysis.figure import Datasets
from analysis.landmarks import flossing_in_training, trained_spectra
from analysis.selection import only_axes
from analysis.style import cell_style


def clipping(data: Datasets) -> Finding:
  """Holds if clipping solves more than plain SGD, and Ω more than clipping, at every length; the intervals must not overlap.

  A length at which all seeds of both solve the task does not count.
  """
  runs: dict[str, str | float] = {"cell": "rnn", "optimizer": "sgd", "learning_rate": 0.01, "init": "flags"}
  plain, clipped, with_omega = (
    solved_runs(data["temporal_order"], **runs, clip=clip, omega=omega)
    for clip, omega in (("none", 0.0), ("global_norm", 0.0), ("global_norm", 2.0))
  )
  cases: dict[str, bool | None] = {}
  said = []
  for better, worse, label in ((clipped, plain, "clipping over plain SGD"), (with_omega, clipped, "Ω over clipping")):
    found = by_length(better, worse)
    said += [f"{label}, length {length}: {one.text if one else ALL_SOLVED}" for length, one in found.items()]
    cases |= together(f"for {label} at length", resolved(found))
  return of_cases("; ".join(said), cases)


def flossing(data: Datasets) -> Finding:
  """Holds if flossing before training, and also between updates, solves more seeds of the RNN, where not all of both do."""
  runs = data["flossing"]
  most_updates = max(np.atleast_1d(runs.floss).tolist())
  with_flossing, plain = (solved_runs(runs, cell="rnn", floss=updates) for updates in (most_updates, 0))
  found = by_length(with_flossing, plain)
  said = [f"delay {delay}: {one.text if one else ALL_SOLVED}" for delay, one in found.items()]
  cases = together("for flossing before training at delay", resolved(found))
  between = flossing_in_training.numbers(data).solved
  for name in (name for name in between.flossing.values.tolist() if name != "plain"):
    larger = by_length(*(between.sel(flossing=one).dropna("length", how="all") for one in (name, "plain")))
    said += [f"80 units, {name}, delay {delay}: {one.text if one else ALL_SOLVED}" for delay, one in larger.items()]
    cases |= together(f"for 80 units with flossing {name} training at delay", resolved(larger))
  if not any("between" in name for name in between.flossing.values.tolist()):
    cases["flossing between updates"] = None
  return of_cases(f"flossing against plain training, {'; '.join(said)}", cases)


def spectra_tell(data: Datasets) -> Finding:
  """Holds for a cell if the rank correlation of errors and their prediction from trained spectra is above 0, by its interval."""
  nets = only_axes(data["trained_spectra"], "ws")
  holds, said = {}, []
  for cell in nets.cell.values.tolist():
    one = nets.sel(cell=cell).dropna("index", how="all")
    after, before = (trained_spectra.correlation(one, kind) for kind in trained_spectra.KINDS)
    texts = [trained_spectra.correlation_text(band) for band in (after, before)]
    label = cell_style(cell).label
    if np.isfinite(after.low):
      holds[label] = bool(after.low > 0)
    said.append(f"{label} {texts[0]}, from the spectrum before training {texts[1]}")
  return of_cases(
    f"rank correlation of the error and its prediction by nets of other gains: {'; '.join(said)}",
    together("for", holds),
  )


BETWEEN = "flossing_in_training --floss=200 --floss_every=500 --floss_updates=50"

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
    12,
    "Flossing before and during training raises the success of RNNs at delays at which plain training fails.",
    "Engelken 2023",
    "80 units, batch 16, T = 300, 75 exponents flossed, delays to 70",
    ("flossing", "flossing_in_training"),
    flossing,
    ("flossing", "flossing_in_training", BETWEEN),
    "λ₁ at 0 after flossing and near it ever after; longer delays for the RNN, none for LSTM and GRU, which it rather slows.",
    "32 units, 16 exponents flossed, before training alone, delays to 32; with 80 units as published 3000 updates, delays to "
    "40, 200 updates of flossing before training with a QR every five steps",
  ),
  Landmark(
    15,
    "Lyapunov spectra of trained nets predict their accuracy.",
    "Vogt et al. 2022",
    "small tasks, whole spectra",
    ("trained_spectra",),
    spectra_tell,
    ("trained_spectra",),
    "a prediction of the error from the spectrum after training, fitted to the nets of all other gains, is in rank order with it "
    "for each cell.",
    "digits of 64 pixels, 32 units, gains from 0.25 to 3, a linear regression in place of an autoencoder",
  ),
)
