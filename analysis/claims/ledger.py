"""A ledger: claims, the words of their verdicts, and the columns of their page; and each claim judged by the stored results."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
import shlex
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from analysis import coverage, wording
from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS, NOT_JUDGED, Finding, Judged
from analysis.figure import Datasets
from sweepkit.store import ResultsError
from sweepkit.words import count

C = TypeVar("C", bound=Judged)
Cell = Callable[[C, Finding, Datasets], str]  # (claim, its finding, datasets by experiment) -> what a column shows


class Ledger(NamedTuple, Generic[C]):
  """Claims that are judged together and stand on one page.

  Attributes:
    name: of its files; with it the command `analysis.claims` chooses a ledger.
    title: of its page.
    about: where its claims come from, in one or more sentences.
    claims: by number, in their order.
    words: what a page prints for `HOLDS`, `CONDITIONAL`, `FAILS` and `NOT_JUDGED`.
    tables: the columns of every table of its page, each by its head; a table by its heading, which may be empty.
    short: the columns of its table within another page.
    stored: the fields of its JSON, beside the number and the finding.
  """

  name: str
  title: str
  about: str
  claims: Mapping[int, C]
  words: Mapping[str, str]
  tables: Mapping[str, Mapping[str, Cell[C]]]
  short: Mapping[str, Cell[C]]
  stored: Mapping[str, Cell[C]]

  def entries(self, data: Datasets, results: Path) -> list[tuple[int, Finding | None, str]]:
    """Returns the number of every claim with its finding, or with None and the reason why it was not judged."""
    return [(number, *_entry(claim, data, results)) for number, claim in self.claims.items()]

  def verdict(self, finding: Finding) -> str:
    """Returns the verdict in bold and in the words of the ledger, with its condition."""
    return f"**{self.words[finding.verdict]}**" + (f": {finding.condition}" if finding.condition else "")


UNASKED = "no experiment of the lab measures it yet"
PLAIN_WORDS = {word: word for word in (HOLDS, CONDITIONAL, FAILS, NOT_JUDGED)}


def judge(claim: Judged, data: Datasets, results: str | Path = "results") -> Finding:
  """Judges a claim by the stored results of a folder.

  Raises:
    ResultsError: if a value that it is judged by was not measured, or it has no judge yet.
  """
  if claim.judge is None:
    raise ResultsError(f"{' or '.join(claim.reads)} has results, but nothing judges them yet")
  try:
    found = claim.judge(data)
    return found._replace(measured=f"{found.measured} ({_seeds(claim, data)})")
  except (AttributeError, IndexError, KeyError, ValueError):  # an axis, or a value on it, is not there
    raise ResultsError(
      f"{' or '.join(claim.reads)} lacks a value that this claim needs; run {_run(claim.commands, results)}"
    ) from None


def _seeds(claim: Judged, data: Datasets) -> str:
  """`8 seeds`, or the seeds of every experiment if they differ."""
  sizes = {name: np.unique(data[name].seed).size for name in claim.reads}
  if len(set(sizes.values())) == 1:
    return count(next(iter(sizes.values())), "seed")
  return wording.listed([f"{name}: {count(size, 'seed')}" for name, size in sizes.items()])


def _run(commands: Sequence[str], results: str | Path) -> str:
  """The commands that run these experiments, joined by `and`."""
  split = map(shlex.split, commands)
  return " and ".join(coverage.run_command(name, results, *flags) for name, *flags in split)


def _entry(claim: Judged, data: Datasets, results: Path) -> tuple[Finding | None, str]:
  if not claim.reads:
    return None, f"not measured here; run {_run(claim.commands, results)}" if claim.commands else UNASKED
  if lacking := [name for name in claim.reads if name not in data]:
    return None, f"not measured here; run {_run([c for c in claim.commands if c.split()[0] in lacking], results)}"
  try:
    return judge(claim, data, results), ""
  except ResultsError as error:
    return None, str(error)
