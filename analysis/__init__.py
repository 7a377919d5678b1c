"""Draws figures and writes pages from results on disk: the shared kit is here, and every study is a package of figures."""

import os
import sys


def _import_matplotlib() -> None:
  """Imports Matplotlib without the backend of MPLBACKEND, then sets that backend if it is installed.

  Matplotlib reads MPLBACKEND on import and raises for a backend that is not installed. No figure of the lab opens a window, so
  such a backend is no reason to stop. Without the variable there is nothing to do, and help is printed without Matplotlib.
  """
  if "matplotlib" in sys.modules or "MPLBACKEND" not in os.environ:
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
