"""A claim as a value, and the finding on it: measured numbers, a verdict, and its condition."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from analysis import wording
from analysis.figure import Datasets

HOLDS, CONDITIONAL, FAILS = "holds", "holds under conditions", "fails"
NOT_JUDGED = "not judged"


class Finding(NamedTuple):
  """The verdict on a claim, with the numbers that it rests on.

  Attributes:
    measured: the numbers.
    verdict: one of `HOLDS`, `CONDITIONAL` and `FAILS`.
    condition: where the claim holds and where it does not, with numbers; given with `CONDITIONAL` and with no other verdict.
  """

  measured: str
  verdict: str
  condition: str = ""


class Claim(NamedTuple):
  """A statement of the introductions and how it is judged.

  Attributes:
    number: its place in the ledger.
    text: the statement.
    formula: the same as an equation.
    reads: experiments whose results judge it.
    judge: `datasets by experiment -> Finding`.
  """

  number: int
  text: str
  formula: str
  reads: Sequence[str]
  judge: Callable[[Datasets], Finding]


def of_cases(measured: str, cases: Mapping[str, bool]) -> Finding:
  """Returns the finding on a claim that was tried in several named cases: it holds in all, in none, or in those named."""
  kept, broken = ([case for case, holds in cases.items() if holds == wanted] for wanted in (True, False))
  if not (kept and broken):
    return Finding(measured, HOLDS if kept else FAILS)
  return Finding(measured, CONDITIONAL, f"it holds {places(kept)}, and not {places(broken)}")


def places(cases: Sequence[str]) -> str:
  """Names up to four cases; of more it says how many there are, the first and the last."""
  return wording.listed(cases) if len(cases) <= 4 else f"in {len(cases)} cases from {cases[0]} to {cases[-1]}"
