"""Figures as the report shows them: the picture and its numbers, as data within the page, and its words as safe HTML."""

import base64
from collections.abc import Iterator
import io
import re
from typing import NamedTuple
from urllib.parse import quote

import markupsafe
from matplotlib.figure import Figure

from analysis.figure import Datasets, FigureSpec, notes, parts, render, statement
from analysis.numbers import Table, tables, to_csv

INLINE = 300_000  # bytes; a larger SVG becomes a PNG, and a larger CSV a file beside the page


class Picture(NamedTuple):
  """A figure on the page."""

  name: str
  title: str
  finding: str
  caption: list[str]  # paragraphs
  source: str  # data URI of the picture
  width: int  # pixels
  tables: list[Table]
  href: str  # its CSV: a data URI, or the name of a file beside the page
  size: str  # size of the CSV


def _uri(kind: str, content: bytes) -> str:
  return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _encoded(figure: Figure, name: str, source: str) -> tuple[str, int]:
  """The figure as a data URI, and its width in pixels."""
  svg, png = io.BytesIO(), io.BytesIO()
  figure.savefig(svg, format="svg", metadata={"Title": name, "Source": source, "Date": None, "Creator": None})
  width = round(96 * figure.get_figwidth())
  if len(svg.getvalue()) <= INLINE:
    return _uri("image/svg+xml", svg.getvalue()), width
  figure.savefig(png, format="png", metadata={"Title": name, "Source": source, "Software": None})
  return _uri("image/png", png.getvalue()), width


def typeset(text: str) -> markupsafe.Markup:
  """Returns text as safe HTML, with subscripts, powers of ten and minus signs, and equations that are not broken over lines."""
  text = str(markupsafe.escape(text))
  subscript = r"(?:(?<![^\W\d])([^\W\d_])|(‖))_(?:\{(\S+?)\}|\((\S+?)\)|([A-Za-z0-9]))(?![A-Za-z0-9_])"
  text = re.sub(subscript, _subscript, text)
  text = re.sub(r"(?<![\w)>])-(?=[\d∞])", "−", text)
  text = re.sub(r"(?<=\d)e([+-]\d+)", lambda match: f"·10<sup>{int(match[1])}</sup>".replace("-", "−"), text)
  text = re.sub(r"(?<=\d) %", "\u00a0%", text).replace("∏ ", "∏\u00a0")
  return markupsafe.Markup(text.replace(" = ", "\u00a0=\u00a0").replace(" ± ", "\u00a0±\u00a0"))


def _subscript(match: re.Match[str]) -> str:
  base, below = filter(None, match.groups())
  return f"{base}<sub>{below.replace('-', '−')}</sub>"


def drawn(spec: FigureSpec, datasets: Datasets) -> Iterator[tuple[Picture, dict[str, bytes]]]:
  """Yields the figures that results make, each with its data that is too large for the page, by name of file.

  Raises:
    ResultsError: if they cannot be drawn from these results.
  """
  for part, data, said in parts(spec, datasets):
    source, width = render(part, data, _encoded, said)
    shown = part.numbers(data)
    csv = to_csv(shown)
    is_inline = len(csv) <= INLINE
    href = f"data:text/csv;charset=utf-8,{quote(csv, safe=',')}" if is_inline else f"data/{part.name}.csv"
    paragraphs = [" ".join(text.split()) for text in part.caption.strip().split("\n\n")]
    if seeds := statement(part, data):
      paragraphs.append(f"{seeds[0].upper()}{seeds[1:]}.")
    size = f"{max(1, round(len(csv) / 1000))} kB"
    told = " ".join([part.finding(shown), *(f"{note[0].upper()}{note[1:]}." for note in (*said, *notes(part, data)))])
    made = Picture(part.name, part.heading, told, paragraphs, source, width, tables(shown, part.tables), href, size)
    yield made, {} if is_inline else {href: csv}
