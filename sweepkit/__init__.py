"""A kit for sweeps: flags become a grid of points, points become compiled calls, calls become immutable files.

It knows nothing of what it measures. An `Experiment` brings a measure and its settings; `main` runs it from the command line,
`sweep` from Python, and `load_results` returns what is stored.
"""

import importlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

# LAPACK's own threads and XLA's compete for the same cores: a QR of 128 columns then takes a hundred times longer.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# While `python -m` is still importing, Ctrl-C ends it without a traceback. The launcher listens to the signal afterwards.
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
  signal.signal(signal.SIGINT, signal.SIG_DFL)

from sweepkit.experiment import Experiment  # after the environment is set
from sweepkit.measure import Measure, Quantity, RunMeasure
from sweepkit.named import Named
from sweepkit.options import UsageError
from sweepkit.points import Point
from sweepkit.settings import Setting
from sweepkit.store import ResultsError, as_grid, load_results, portable, restored, table

if TYPE_CHECKING:
  from sweepkit.from_python import sweep
  from sweepkit.runner import launch, main

_LATER = {
  "launch": "runner",
  "main": "runner",
  "sweep": "from_python",
}  # they import JAX, which a page of help does without


def __getattr__(name: str) -> Any:
  if name not in _LATER:
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
  return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)


__all__ = [
  "Experiment",
  "Measure",
  "Named",
  "Point",
  "Quantity",
  "ResultsError",
  "RunMeasure",
  "Setting",
  "UsageError",
  "as_grid",
  "launch",
  "load_results",
  "main",
  "portable",
  "restored",
  "sweep",
  "table",
]
