"""The page of the atlas: a table of all cells that can be sorted, and a card for each cell.

python -m analysis.atlas.cards --results=results/atlas --out=figures/atlas

writes atlas.html. A card holds the equations of the cell and its paper, its numbers with 95 % intervals over seeds, the norm of
its Jacobian product by lag, and the implementations to which it is held.
"""

from collections.abc import Mapping, Sequence
import inspect
import json
from pathlib import Path
import sys
from typing import Any, NamedTuple

import jinja2
import numpy as np
import xarray as xr

from analysis import command, figure
from analysis.atlas._kinds import KINDS, kind, label
from analysis.figure import Datasets
from analysis.selection import only_axes
from analysis.study import PageSpec
from analysis.style import confidence_band
from analysis.wording import short
import recurrent_lab as rl
from sweepkit.store import write_atomically
from sweepkit.store.files import writing

ORACLES = Path(__file__).parents[2] / "docs" / "oracles.json"
LOWEST, HIGHEST = -12.0, 6.0  # nats, the range of the small pictures
WIDTH, HEIGHT = 220, 90  # pixels

#: Columns of the table: name of the number -> its heading.
COLUMNS: Mapping[str, str] = {
  "growth_rate": "growth rate (nats per step)",
  "frobenius": "of the Frobenius norm",
  "largest_exponent": "λ₁ (nats per step)",
  "first_lag_below": "first lag below 1/e",
  "memory_length": "-1 / rate (steps)",
  "adjoint_growth_rate": "adjoint slope (nats per step)",
  "participation_ratio": "participation ratio",
  "certified": "certified spectra",
  "parameters": "parameters",
  "state_size": "state",
}


class Entry(NamedTuple):
  """A number of a cell: the value that sorts it, and the text that shows it."""

  value: float
  text: str


class Card(NamedTuple):
  """Everything that the page says of one cell."""

  name: str
  title: str
  kind: str
  color: str
  about: str  # the docstring of its module
  numbers: Mapping[str, Entry]
  spectral: str  # points of the line of the small picture
  frobenius: str
  oracles: Sequence[Mapping[str, Any]]


def entry(values: xr.DataArray) -> Entry:
  """Returns the median over seeds, and beside it the 95 % interval of the mean where the seeds differ."""
  middle = float(values.median("seed"))
  if not np.isfinite(values).all() or float(values.std("seed")) == 0:
    return Entry(middle, short(middle) if np.isfinite(middle) else "∞" if middle > 0 else "–")
  band = confidence_band(values)
  return Entry(middle, f"{short(middle)} ({short(float(band.low))} to {short(float(band.high))})")


def line(norms: xr.DataArray) -> str:
  """Returns the mean over seeds by lag as the points of an SVG line."""
  mean = norms.mean("seed").values
  known = np.flatnonzero(np.isfinite(mean))
  x = WIDTH * known / max(1, len(mean) - 1)
  y = HEIGHT * (HIGHEST - np.clip(mean[known], LOWEST, HIGHEST)) / (HIGHEST - LOWEST)
  return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def card(name: str, one: xr.Dataset, oracles: Sequence[Mapping[str, Any]]) -> Card:
  """Returns the card of a cell."""
  spectral = one.sel(norm="spectral", drop=True)
  numbers = {
    **{column: spectral[column] for column in ("growth_rate", "first_lag_below", "memory_length")},
    "frobenius": one.growth_rate.sel(norm="frobenius", drop=True),
    "largest_exponent": one.exponent.isel(index=0, drop=True),
    **{
      column: one[column]
      for column in ("adjoint_growth_rate", "participation_ratio", "certified", "parameters", "state_size")
    },
  }
  module = sys.modules[rl.get_cell(name).probe.__module__]
  return Card(
    name,
    label(name),
    kind(name),
    KINDS[kind(name)][0],
    inspect.cleandoc(module.__doc__ or ""),
    {column: entry(numbers[column]) for column in COLUMNS},
    line(spectral.log_norm),
    line(one.log_norm.sel(norm="frobenius")),
    [oracle for oracle in oracles if oracle["cell"] == name],
  )


def content(datasets: Datasets) -> str:
  """Returns the page.

  Raises:
    ResultsError: if there are no results of the atlas, or they vary in a setting other than the cell.
  """
  data = only_axes(datasets["atlas"])
  oracles = json.loads(ORACLES.read_text()) if ORACLES.exists() else []
  cards = [card(cell, data.sel(cell=cell), oracles) for cell in data.cell.values.tolist()]
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
  )
  return environment.get_template("cards.html.j2").render(
    cards=cards,
    columns=COLUMNS,
    seeds=data.sizes["seed"],
    steps=int(data.lag.max()),
    width=WIDTH,
    height=HEIGHT,
    zero=HEIGHT * HIGHEST / (HIGHEST - LOWEST),
  )


WEB_PAGE = PageSpec(
  name="atlas",
  title="The atlas, cell by cell",
  about="a table of all cells that can be sorted, and a card for each cell.",
  reads=("atlas",),
  content=content,
)


def write(results: Path, out: Path) -> list[Path]:
  """Writes the page and returns its path.

  Raises:
    ResultsError: if there are no results of the atlas, or they vary in a setting other than the cell.
  """
  text = content(figure.load(WEB_PAGE, results))
  with writing(out):
    out.mkdir(parents=True, exist_ok=True)
  write_atomically(out / "atlas.html", text.encode())
  return [out / "atlas.html"]


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the page from the command line and returns an exit code."""
  return command.run("atlas.cards", write, argv, "figures", "the page", __doc__ or "")


if __name__ == "__main__":
  sys.exit(main())
