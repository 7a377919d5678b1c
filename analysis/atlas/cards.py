"""The page of the atlas: a table of all cells that can be sorted, and a card for each cell.

python -m analysis.atlas.cards --results=results/atlas --out=figures/atlas

writes atlas.html. A card holds the equations of the cell and its paper, its numbers with intervals over seeds, its saturation by
gate, and the implementations to which it is held. Small pictures show its Jacobian product, its spectrum, and its growth rate by
gain, by forget bias and by timescale.
"""

from collections.abc import Mapping, Sequence
import inspect
import json
from pathlib import Path
import re
import sys
from typing import Any, NamedTuple

import jax
import jinja2
import xarray as xr

from analysis import command, figure
from analysis.atlas import _pictures as pictures
from analysis.atlas import _timings
from analysis.atlas._entries import NOT_MEASURED, Entry, entry, timed
from analysis.atlas._kinds import KINDS, kind, label
from analysis.atlas._pictures import Picture
from analysis.atlas._sweeps import Sweeps, sweeps
from analysis.figure import Datasets
from analysis.selection import only_axes
from analysis.study import PageSpec
import recurrent_lab as rl
from sweepkit.store import write_atomically
from sweepkit.store.files import make_folder

ORACLES = Path(__file__).parents[2] / "docs" / "oracles.json"

#: Columns of the table: name of the number -> its heading.
COLUMNS: Mapping[str, str] = {
  "growth_rate": "growth rate (nats per step)",
  "frobenius": "of the Frobenius norm",
  "largest_exponent": "λ₁ (nats per step)",
  "first_lag_below": "first lag below 1/e",
  "memory_length": "−1 / rate (steps)",
  "adjoint_growth_rate": "adjoint slope (nats per step)",
  "participation_ratio": "participation ratio",
  "certified": "certified spectra",
  "critical_gain": "critical gain",
  "gaussian": "growth rate at gain 1",
  "mean_field": "its mean field",
  "parameters": "parameters",
  "state_size": "state",
  "forward": "forward (µs per step)",
  "gradient": "with gradient (µs per step)",
}
#: Columns of the table of saturation: field of `Saturation` -> its heading.
SATURATION: Mapping[str, str] = {
  "mean_slope": "mean slope",
  "share_high": "above 0.95",
  "share_low": "below 0.05",
}


class Card(NamedTuple):
  """Everything that the page says of one cell."""

  name: str
  title: str
  kind: str
  color: str
  about: str  # the docstring of its module
  numbers: Mapping[str, Entry]
  gates: Mapping[str, Mapping[str, Entry]]  # nonlinearity -> field of `SATURATION` -> its number
  pictures: Sequence[Picture]
  oracles: Sequence[Mapping[str, Any]]


def saturation(one: xr.Dataset) -> dict[str, dict[str, Entry]]:
  """Returns the saturation of each nonlinearity that a cell has, by its name."""
  has = [gate for gate in one.gate.values.tolist() if one.mean_slope.sel(gate=gate).notnull().any()]
  return {gate: {field: entry(one[field].sel(gate=gate, drop=True)) for field in SATURATION} for gate in has}


def equations(name: str) -> str:
  """Returns the docstring of the module of a cell, which is where its params are defined. Its paragraphs are single lines."""
  params = jax.eval_shape(lambda key: rl.get_cell(name).init(key, 1, 16), jax.random.key(0))
  text = inspect.cleandoc(sys.modules[type(params).__module__].__doc__ or "")
  return re.sub(r"(?<!\n)\n(?:  )?(?=[^\s-])", " ", text)


def card(name: str, one: xr.Dataset, swept: Sweeps, times: Mapping[str, _timings.Timings]) -> Card:
  """Returns the card of a cell, without its oracles."""
  spectral = one.sel(norm="spectral", drop=True)
  measured = {
    **{column: spectral[column] for column in ("growth_rate", "first_lag_below", "memory_length")},
    "frobenius": one.growth_rate.sel(norm="frobenius", drop=True),
    "largest_exponent": one.exponent.isel(index=0, drop=True),
    **{
      column: one[column]
      for column in ("adjoint_growth_rate", "participation_ratio", "certified", "parameters", "state_size")
    },
  }
  numbers = {column: entry(values) for column, values in measured.items()}
  numbers |= swept.numbers(name)
  numbers |= {passes: timed(one.times.get(name)) for passes, one in times.items()}
  shown = [pictures.product(label(name), one.log_norm), pictures.spectrum(label(name), one.exponent)]
  return Card(
    name,
    label(name),
    kind(name),
    KINDS[kind(name)][0],
    equations(name),
    {column: numbers.get(column, NOT_MEASURED) for column in COLUMNS},
    saturation(one),
    [*shown, *swept.pictures(name)],
    (),
  )


def content(datasets: Datasets) -> str:
  """Returns the page.

  Raises:
    ResultsError: if results vary in a setting that the page has no place for.
  """
  data = only_axes(datasets["atlas"])
  oracles = json.loads(ORACLES.read_text()) if ORACLES.exists() else []
  times = {passes: _timings.timings(passes) for passes in _timings.PASSES}
  swept = sweeps(datasets)
  cards = [
    card(cell, data.sel(cell=cell), swept, times)._replace(oracles=[one for one in oracles if one["cell"] == cell])
    for cell in data.cell.values.tolist()
  ]
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
  )
  environment.filters["minus"] = lambda text: re.sub(r"(?<![\w)])-(?=[\d∞])", "−", text)
  return environment.get_template("cards.html.j2").render(
    cards=cards,
    columns=COLUMNS,
    saturation=SATURATION,
    sources=[(figure.source_of({name: found}), found) for name, found in datasets.items()],
    notes=swept.notes,
    timed=next((one.about for one in times.values() if one.about), ""),
    seeds=data.sizes["seed"],
    steps=int(data.lag.max()),
    sizes=data,
    width=pictures.WIDTH,
    height=pictures.HEIGHT,
  )


WEB_PAGE = PageSpec(
  name="atlas",
  title="The atlas, cell by cell",
  about="a table of all cells that can be sorted, and a card for each cell.",
  reads=("atlas",),
  overlays=("critical_gain", "open_gates", "timescales", "atlas_mean_field"),
  content=content,
)


def write(results: Path, out: Path) -> list[Path]:
  """Writes the page and returns its path.

  Raises:
    ResultsError: if there are no results of the atlas, or results vary in a setting that the page has no place for.
  """
  text = content(figure.load(WEB_PAGE, results))
  make_folder(out)
  write_atomically(out / "atlas.html", text.encode())
  return [out / "atlas.html"]


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the page from the command line and returns an exit code."""
  return command.run("atlas.cards", write, argv, "figures", "the page", __doc__ or "")


if __name__ == "__main__":
  sys.exit(main())
