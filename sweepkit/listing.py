"""All experiments of this folder: their names, the size of their default grids and the time these take."""

from collections.abc import Mapping
import importlib
from pathlib import Path
import pkgutil
import textwrap

from sweepkit.experiment import Experiment, default_size, first_line
from sweepkit.words import duration

# Wall time with the defaults, from nothing, in one process: of the whole command, or of the kept runs added up
# (results/reference). An experiment that is missing here has not been measured.
MACHINE = "two cores of an x86-64 server with other work to do, jax 0.10.2"
SECONDS: Mapping[str, float] = {
  # whole commands, the faster of two where there were two
  "activation_choice": 30,
  "captions": 89,
  "error_surface": 9,
  "forecast": 165,
  "forget_bias": 139,
  "identities": 40,
  "lyapunov": 63,
  "mean_field": 84,
  "next_item": 96,
  "ngram": 9,
  "ngram_tasks": 58,
  "one_unit": 6,
  "phase_gates": 38,
  "phase_input": 18,
  "recurrent_gain": 75,
  "small_gain": 22,
  "tanh_saturation": 88,
  "transient_growth": 53,
  "translation": 82,
  "vowels": 110,
  "zero_or_one": 7,
  # kept runs
  "adding": 2265,
  "character_model": 653,
  "copy_memory": 1385,
  "flossing": 826,
  "recall": 810,
  "solvable_lag": 1014,
  "tagging": 1029,
  "temporal_order": 608,
  "word_model": 1611,  # that of the RNN at another learning rate
}


def modules() -> list[str]:
  """The names of all modules beside this one."""
  return sorted(
    module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if module.name != "__main__"
  )


def experiments() -> dict[str, Experiment]:
  """Every experiment by name: whatever module holds one."""
  found = {name: getattr(importlib.import_module(f"experiments.{name}"), "EXPERIMENT", None) for name in modules()}
  return {name: experiment for name, experiment in found.items() if isinstance(experiment, Experiment)}


def expected_time(experiment: Experiment) -> str:
  """Of the default grid."""
  return duration(SECONDS[experiment.name]) if experiment.name in SECONDS else "not measured"


def listing(width: int | None = None) -> str:
  """A line for each experiment, cut to a width if there is one: name, default size, time, what it shows."""
  rows = {
    kind: [
      (name, default_size(experiment), expected_time(experiment), first_line(experiment))
      for name, experiment in experiments().items()
      if ("updates" in experiment.measure.settings) == is_training
    ]
    for kind, is_training in (("Measurements", False), ("Training", True))
  }
  every = [row for kind in rows.values() for row in kind]
  widths = [max(len(row[i]) for row in every) for i in range(3)]
  lines = []
  for kind, members in rows.items():
    lines += [f"{kind}:"]
    for row in members:
      line = "  ".join([*(text.ljust(size) for text, size in zip(row, widths, strict=False)), row[3]])
      lines.append(line if width is None or len(line) <= width else f"{line[: width - 1].rstrip()}…")
    lines.append("")
  about = f"The times are those of the default grids on {MACHINE}."
  return "\n".join([*lines, *textwrap.wrap(about, width or 120)])
