"""Figures: results on disk become pictures; nothing is computed here that an experiment should have measured."""

import os
import sys


def _import_matplotlib() -> None:
  """Imports Matplotlib, which reads MPLBACKEND then and raises for a backend that is not installed.

  No figure of the lab opens a window, so a backend that cannot be used is no reason to stop; one that can stays the user's.
  """
  if "matplotlib" in sys.modules:
    return
  wanted = os.environ.pop("MPLBACKEND", None)
  try:
    import matplotlib
  finally:
    if wanted is not None:
      os.environ["MPLBACKEND"] = wanted
  if wanted:
    try:
      matplotlib.rcParams["backend"] = wanted
    except ValueError:
      return


_import_matplotlib()
