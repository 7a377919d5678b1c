"""The ledger as pages: a Markdown table, the same as JSON, and a short table within another page."""

from collections.abc import Iterable, Mapping, Sequence
import json
from pathlib import Path

from analysis import coverage
from analysis.claims.finding import NOT_JUDGED, Finding
from analysis.claims.ledger import CLAIMS, ledger
from analysis.figure import Datasets
from sweepkit.store import ResultsError, block_paths, write_atomically

MEASURED = "measured (mean ± 95 % over seeds; of fewer than five the values)"
# A page that shows the short table has these lines around it.
INTRODUCTIONS = "《循环神经网络(RNN)知识入门》 and 《史上最详细循环神经网络讲解（RNN/LSTM/GRU）》"
BEGIN, END = "<!-- claims: written by analysis.claims -->\n", "<!-- end of claims -->"


def verdict_text(finding: Finding) -> str:
  """Returns the verdict in bold, with its condition."""
  return f"**{finding.verdict}**" + (f": {finding.condition}" if finding.condition else "")


def _markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
  lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
  return "\n".join(["| | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|", *lines])


def table(findings: Mapping[int, Finding]) -> str:
  """Returns the ledger as a Markdown table."""
  rows = []
  for number, finding in findings.items():
    claim = CLAIMS[number]
    rows.append(
      [str(number), claim.text, claim.formula, ", ".join(claim.reads), finding.measured, verdict_text(finding)]
    )
  return _markdown(["claim", "formula", "experiment", MEASURED, "verdict"], rows)


def short_table(findings: Mapping[int, Finding]) -> str:
  """Returns the ledger without formulas and sources, for a page that shows it among other things."""
  rows = [[str(n), CLAIMS[n].text, finding.measured, verdict_text(finding)] for n, finding in findings.items()]
  return _markdown(["claim", MEASURED, "verdict"], rows)


def embed(page: str, findings: Mapping[int, Finding]) -> str:
  """Returns the page with the short table between `BEGIN` and `END`.

  Raises:
    ResultsError: if it lacks them.
  """
  head, begin, rest = page.partition(BEGIN)
  _, end, tail = rest.partition(END)
  if not (begin and end):
    raise ResultsError(f"--readme: the page needs the lines {BEGIN.strip()!r} and {END!r} where the table belongs.")
  return f"{head}{begin}{short_table(findings)}\n{end}{tail}"


def _load(results: Path) -> Datasets:
  """Loads the experiments of all claims, as far as they were run.

  Raises:
    ResultsError: if none was run; the sentence names the command of the first.
  """
  names = sorted({name for claim in CLAIMS.values() for name in claim.reads})
  there = [name for name in names if block_paths(results / name)] or names
  return {name: coverage.load(results / name) for name in there}


def _page(findings: Mapping[int, Finding], data: Datasets) -> str:
  about = {name: "; ".join(filter(None, (d.attrs["checksum"][:12], d.attrs["missing"]))) for name, d in data.items()}
  sources = ", ".join(f"{name} ({text})" for name, text in about.items())
  head = "# Claims of the introductions, judged"
  about_them = f"The claims come from two introductions to recurrent networks, {INTRODUCTIONS}."
  return f"{head}\n\n{about_them}\n\n{table(findings)}\n\nWritten by `python -m analysis.claims` from {sources}.\n"


def _json(findings: Mapping[int, Finding]) -> str:
  listed = [
    {"number": n, "claim": CLAIMS[n].text, "formula": CLAIMS[n].formula, **f._asdict()} for n, f in findings.items()
  ]
  return json.dumps(listed, indent=1, ensure_ascii=False) + "\n"


def write(results: Path, out: Path, readme: str | None = None) -> list[Path]:
  """Writes the ledger of a folder of results, and puts it into the page `readme` if one is given; returns the files written.

  Claims whose experiments were not run are marked as not judged. The page is written only if all claims are judged.

  Raises:
    ResultsError: if no results are there, or the page is missing or lacks the two markers, or a claim for it cannot be judged.
  """
  into = Path(readme) if readme else None
  if into and not into.is_file():
    raise ResultsError(f"--readme: {into} is not a file.")
  data = _load(results)
  entries = ledger(data, results)
  if into and (unjudged := next(((number, why) for number, found, why in entries if found is None), None)):
    raise ResultsError("--readme: claim {} cannot be judged: {}.".format(*unjudged))
  findings = {number: found or Finding(why, NOT_JUDGED) for number, found, why in entries}
  pages = {into: embed(into.read_text(), findings)} if into else {}
  pages |= {out / "claims.md": _page(findings, data), out / "claims.json": _json(findings)}
  out.mkdir(parents=True, exist_ok=True)
  for path, content in pages.items():
    write_atomically(path, content.encode())
  return list(pages)
