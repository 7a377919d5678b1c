"""Draws any sweep of one or two axes: curves with bands over seeds, or maps with a line where the number is 0.

    python -m analysis.plot --results=results/recurrent_gain --x=ws --value=growth_rate
    python -m analysis.plot --results=results/phase_gates --x=ws --y=forget_bias --value=largest_exponent
    python -m analysis.plot --results=results/recurrent_gain --x=lag --value=log_norm --at=ws=0.5,2,6 --at=cell=rnn,lstm

writes PDF and PNG. There is a line or a map for each cell and for each value of every other setting that varies; --at keeps some
of them. Axes of the number itself, such as the norm or the lag, are taken at their first name or last number unless --at says
otherwise, and the figure tells which. In Python, `analysis.charts` draws the same into axes of your own.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
import sys
from typing import Any

from analysis import command
from analysis.command import Flag
from sweepkit.store import ResultsError

FLAGS: Mapping[str, Flag] = {
  "results": Flag("Folder of the results of one experiment, such as results/recurrent_gain.", "results"),
  "value": Flag("The number to draw, such as growth_rate."),
  "x": Flag("The axis across: a setting that varies, such as ws, or an axis of the number, such as lag."),
  "y": Flag("The axis upwards of a map; without it, curves are drawn."),
  "at": Flag("axis=value, or axis=value,value: draw these values of an axis only.", is_list=True),
  "log": Flag(
    "yes: a logarithmic axis for the number. Axes of settings are logarithmic if their values are spaced so.", "no"
  ),
  "name": Flag("Name of the files, without .pdf; made of the other flags by default."),
}


def labels(texts: Iterable[str]) -> dict[str, list[str]]:
  """Returns the labels to keep by axis, from texts such as `ws=0.5,2`.

  Raises:
    ResultsError: for a text of another form.
  """
  found: dict[str, list[str]] = {}
  for text in texts:
    name, equals, values = text.partition("=")
    if not (name and equals and all(values.split(","))):
      raise ResultsError(f"--at: {text!r} is not of the form axis=value,value, such as ws=0.5,2.")
    found.setdefault(name.strip(), []).extend(value.strip() for value in values.split(","))
  return found


def write(results: Path, out: Path, **given: Any) -> list[Path]:
  """Draws the figure that the flags ask for and returns its files; raises a `ResultsError` for what is not there."""
  if given["log"] not in ("yes", "no"):
    raise ResultsError(f"--log: {given['log']!r} is not allowed; it is yes or no.")
  name = given["name"] or ""
  if name and (Path(name).name != name or not name.isprintable()):
    raise ResultsError(f"--name: {name!r} is not the name of a file; folders are given by --out.")
  from analysis import sweep_figure  # after the flags are checked, since it imports Matplotlib and xarray

  at = labels(given["at"] or ())
  request = sweep_figure.Request(given["value"] or "", given["x"] or "", given["y"], at, given["log"] == "yes", name)
  return sweep_figure.draw(results, out, request)


def main(argv: Sequence[str] | None = None) -> int:
  """Draws the figure from the command line and returns an exit code."""
  return command.run("plot", write, argv, "figures", "the figure", __doc__ or "", FLAGS, draws=True)


if __name__ == "__main__":
  sys.exit(main())
