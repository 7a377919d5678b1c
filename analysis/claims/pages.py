"""A ledger as pages: Markdown tables, the same as JSON, and a short table within another page."""

from collections.abc import Iterable, Mapping, Sequence
import json
from pathlib import Path
from typing import Any

from analysis import coverage
from analysis.claims.finding import NOT_JUDGED, Finding
from analysis.claims.introductions import INTRODUCTIONS
from analysis.claims.landmarks import LANDMARKS
from analysis.claims.ledger import Cell, Ledger
from analysis.figure import Datasets
from analysis.provenance import wall_seconds
from sweepkit.store import ResultsError, block_paths, write_atomically
from sweepkit.store.files import make_folder

LEDGERS: Mapping[str, Ledger[Any]] = {ledger.name: ledger for ledger in (INTRODUCTIONS, LANDMARKS)}


def markers(ledger: Ledger[Any]) -> tuple[str, str]:
  """Returns the two lines that a page has around the short table of a ledger."""
  return f"<!-- {ledger.name}: written by analysis.claims -->\n", f"<!-- end of {ledger.name} -->"


def _markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
  lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
  return "\n".join(["| | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|", *lines])


def table(
  ledger: Ledger[Any], columns: Mapping[str, Cell[Any]], findings: Mapping[int, Finding], data: Datasets
) -> str:
  """Returns these columns of a ledger as a Markdown table."""
  rows = [
    [str(n), *(cell(ledger.claims[n], finding, data) for cell in columns.values())] for n, finding in findings.items()
  ]
  return _markdown(list(columns), rows)


def embed(ledger: Ledger[Any], page: str, findings: Mapping[int, Finding], data: Datasets) -> str:
  """Returns the page with the short table of a ledger between its two markers.

  Raises:
    ResultsError: if it lacks them.
  """
  opening, closing = markers(ledger)
  head, begin, rest = page.partition(opening)
  _, end, tail = rest.partition(closing)
  if not (begin and end):
    raise ResultsError(
      f"--readme: the page needs the lines {opening.strip()!r} and {closing!r} where the table belongs."
    )
  return f"{head}{begin}{table(ledger, ledger.short, findings, data)}\n{end}{tail}"


def _load(ledger: Ledger[Any], results: Path) -> Datasets:
  """Loads the experiments of all claims, as far as they were run, each with its `wall_seconds`.

  Raises:
    ResultsError: if none was run; the sentence names the command of the first.
  """
  names = sorted({name for claim in ledger.claims.values() for name in claim.reads})
  there = [name for name in names if block_paths(results / name)] or names
  loaded = {name: coverage.load(results / name) for name in there}
  return {name: data.assign_attrs(wall_seconds=wall_seconds(results / name)) for name, data in loaded.items()}


def _page(ledger: Ledger[Any], findings: Mapping[int, Finding], data: Datasets) -> str:
  about = {name: "; ".join(filter(None, (d.attrs["checksum"][:12], d.attrs["missing"]))) for name, d in data.items()}
  sources = "\n".join(f"- {name} ({text})" for name, text in about.items())
  parts = [f"# {ledger.title}", ledger.about]
  for heading, columns in ledger.tables.items():
    parts += [f"## {heading}"] * bool(heading) + [table(ledger, columns, findings, data)]
  chosen = "" if ledger is INTRODUCTIONS else f" --ledger={ledger.name}"
  return "\n\n".join([*parts, f"Written by `python -m analysis.claims{chosen}` from", f"{sources}\n"])


def _json(ledger: Ledger[Any], findings: Mapping[int, Finding], data: Datasets) -> str:
  listed = []
  for n, finding in findings.items():
    stored = {name: cell(ledger.claims[n], finding, data) for name, cell in ledger.stored.items()}
    listed.append({"number": n, **stored, **finding._replace(verdict=ledger.words[finding.verdict])._asdict()})
  return json.dumps(listed, indent=1, ensure_ascii=False) + "\n"


def _chosen(name: str | None) -> Ledger[Any]:
  if name is not None and name not in LEDGERS:
    raise ResultsError(f"--ledger: {name!r} is not a ledger; the ledgers are {' and '.join(LEDGERS)}.")
  return LEDGERS[name] if name is not None else INTRODUCTIONS


def write(results: Path, out: Path, readme: str | None = None, ledger: str | None = None) -> list[Path]:
  """Writes a ledger from a folder of results, and puts it into the page `readme` if one is given; returns the files written.

  Claims whose experiments were not run are marked as not judged. The page is written only if all claims are judged.

  Args:
    results: the folder of results.
    out: where the pages are written.
    readme: a page that shows the short table.
    ledger: its name; that of the introductions by default.

  Raises:
    ResultsError: if there is no such ledger, or no results are there, or the page is missing or lacks the two markers, or a
      claim for it cannot be judged.
  """
  chosen, into = _chosen(ledger), Path(readme) if readme else None
  if into and not into.is_file():
    raise ResultsError(f"--readme: {into} is not a file.")
  data = _load(chosen, results)
  entries = chosen.entries(data, results)
  if into and (unjudged := next(((number, why) for number, found, why in entries if found is None), None)):
    raise ResultsError("--readme: claim {} cannot be judged: {}.".format(*unjudged))
  findings = {number: found or Finding(why, NOT_JUDGED) for number, found, why in entries}
  pages = {into: embed(chosen, into.read_text(), findings, data)} if into else {}
  pages |= {
    out / f"{chosen.name}.md": _page(chosen, findings, data),
    out / f"{chosen.name}.json": _json(chosen, findings, data),
  }
  make_folder(out)
  for path, content in pages.items():
    write_atomically(path, content.encode())
  return list(pages)
