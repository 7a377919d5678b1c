"""A landmark: a published result about recurrent nets, the setting it was found in, and how the lab measures it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from analysis import coverage
from analysis.claims.finding import NOT_JUDGED, Finding, Judge
from analysis.figure import Datasets
from analysis.provenance import values_text

# Settings that the page names, in this order; other settings are as in the experiment's file.
SETTINGS = {
  "cell": "cell",
  "hidden_size": "units",
  "seq_len": "steps",
  "length": "length",
  "ws": "gain",
  "leak": "leak",
  "forget_bias": "forget bias",
  "batch": "batch",
  "updates": "updates",
  "optimizer": "optimizer",
  "learning_rate": "learning rate",
}


class Landmark(NamedTuple):
  """A published result and how it is judged.

  Attributes:
    number: its place in the ledger.
    text: the published claim, with its numbers.
    source: authors, year, and the place in their paper where it is known.
    published: the setting of the paper.
    reads: experiments whose results judge it; empty if none measures it yet.
    judge: `datasets by experiment -> Finding`; None if there is none yet.
    commands: names of the experiments that measure it, each with its flags.
    prediction: the expectation before the run, in the words of the experiments (`Expect:`); empty if none was written down.
    differs: how the setting here differs from that of the paper.
  """

  number: int
  text: str
  source: str
  published: str
  reads: Sequence[str] = ()
  judge: Judge | None = None
  commands: Sequence[str] = ()
  prediction: str = ""
  differs: str = ""


def claim(one: Landmark, finding: Finding, data: Datasets) -> str:
  """Returns the published claim with its source."""
  return f"{one.text} ({one.source})"


def setting(one: Landmark, finding: Finding, data: Datasets) -> str:
  """Returns the settings of the results, as they are stored."""
  return "; ".join(f"{name}: {_settings(data[name])}" for name in _measured(one, finding)) or "–"


def _measured(one: Landmark, finding: Finding) -> Sequence[str]:
  """The experiments whose results judge it, or none if it is not judged."""
  return one.reads if finding.verdict != NOT_JUDGED else ()


def _place(value: Any) -> tuple[float, str]:
  """Numbers by size, whether they are stored as such or as text, and words after them."""
  try:
    return float(value), ""
  except ValueError:
    return np.inf, str(value)


def _settings(data: xr.Dataset) -> str:
  parts = []
  for name, label in SETTINGS.items():
    if name in data.coords:
      values = list(dict.fromkeys(np.atleast_1d(data[name].values).tolist()))  # a sparse dataset repeats them
      values = values if name == "cell" else sorted(values, key=_place)
      parts.append(f"{len(values)} cells" if name == "cell" and len(values) > 4 else f"{label} {values_text(values)}")
  return ", ".join([*parts, "float64" if bool(np.all(data.x64)) else "float32"])


def commands(one: Landmark, finding: Finding, data: Datasets) -> str:
  """Returns the commands that repeat it."""
  named = (coverage.run_command(*command.split()[:1], "results", *command.split()[1:]) for command in one.commands)
  return "<br>".join(f"`{text.replace(' --out=results', '')}`" for text in named) or "–"


def minutes(one: Landmark, finding: Finding, data: Datasets) -> str:
  """Returns the time that the results took in one process, in minutes, by experiment."""
  times = {name: data[name].attrs["wall_seconds"] / 60 for name in _measured(one, finding)}
  return ", ".join(f"{name} {time:.1f}" for name, time in times.items()) or "–"
