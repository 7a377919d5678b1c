"""The page: texts, numbers, styles and scripts in one file."""

import base64
from collections.abc import Mapping
import gzip
import json
from pathlib import Path
import tomllib
from typing import Any

import jinja2
from markupsafe import Markup

from analysis import coverage
from analysis.claims import CLAIMS, INTRODUCTIONS
from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS
from analysis.explorer import contents, library
from analysis.explorer.nets import AXES
from analysis.figure import Datasets, source_of
from sweepkit.store import ResultsError
from sweepkit.words import FEW

HERE = Path(__file__).parent
SCRIPTS = ("state.js", "charts.js", "panels.js", "page.js")
WORD_OF = {HOLDS: "holds", CONDITIONAL: "conditions", FAILS: "fails"}  # keys of words.toml, and classes of the style
MOST = 8_000_000  # bytes of the page

# The sweeps of `make paper` that the page shows, those that it shows besides, and what only its claims read.
PAPER = ("recurrent_gain", "tanh_saturation", "forget_bias", contents.SPECTRA, "zero_or_one")
READS = tuple(
  dict.fromkeys(
    [*PAPER, *contents.SWEEPS, contents.RECOMMENDED, *(name for claim in CLAIMS.values() for name in claim.reads)]
  )
)


def _texts(name: str) -> dict[str, Any]:
  return tomllib.loads((HERE / name).read_text("utf-8"))


def claims(data: Datasets, results: Path, chinese: Mapping[str, str]) -> list[contents.Json]:
  """Returns the claims of the introductions in both languages, each with its verdict."""
  return [
    {
      "number": number,
      "en": CLAIMS[number].text,
      "zh": chinese[str(number)],
      "measured": why if finding is None else finding.measured,
      "verdict": "unknown" if finding is None else WORD_OF[finding.verdict],
      "condition": "" if finding is None else finding.condition,
    }
    for number, finding, why in INTRODUCTIONS.entries(data, results)
  ]


def numbers(data: Datasets, results: Path) -> contents.Json:
  """Returns everything that the scripts of the page read.

  Raises:
    ResultsError: if there are no random nets to choose from.
  """
  shown = contents.all_of(data)
  if not shown["groups"]:
    raise ResultsError(
      f"The folder holds none of the sweeps of random nets that the page shows: {', '.join(contents.SWEEPS)}"
    )
  story = _texts("story.toml")
  lacking = [name for name in PAPER if name not in data]
  return {
    **shown,
    "surface": contents.surface(data["zero_or_one"]) if "zero_or_one" in data else [],
    "story": [{**step, "lacks": step["needs"] not in data} for step in story["step"]],
    "claims": claims(data, results, story["claims"]),
    "missing": [{"name": name, "command": coverage.run_command(name, results)} for name in lacking],
    "words": _texts("words.toml"),
    "few": FEW,
  }


def packed(found: contents.Json) -> str:
  """Returns the numbers as base64 of compressed JSON."""
  text = json.dumps(found, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
  return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def page(data: Datasets, results: Path) -> str:
  """Returns the page.

  Raises:
    ResultsError: if there is nothing to show, the plotting library is not installed, or the page would be too large.
  """
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
  )
  uplot = library.read()
  text = environment.get_template("page.html.j2").render(
    folder=str(results),
    library=library.Library(*map(Markup, uplot)),
    style=Markup((HERE / "page.css").read_text("utf-8")),
    scripts=[Markup((HERE / name).read_text("utf-8")) for name in SCRIPTS],
    data=packed(numbers(data, results)),
    axes=AXES,
    norms=contents.NORMS,
    sources=source_of({name: data[name] for name in READS if name in data}),
    incomplete=" ".join(
      f"Incomplete: {m} of {d.attrs['source']}." for d in data.values() if (m := d.attrs.get("missing"))
    ),
    version=library.VERSION,
  )
  if (size := len(text.encode())) > MOST:
    raise ResultsError(
      f"the page would have {size / 1e6:.0f} MB, and {MOST / 1e6:.0f} are allowed; keep fewer points in a folder"
    )
  return text
