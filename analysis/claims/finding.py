"""A claim as a value, and the finding on it: measured numbers, a verdict, and its condition."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from analysis import wording
from analysis.figure import Datasets

HOLDS, CONDITIONAL, FAILS = "holds", "holds under conditions", "fails"
NOT_JUDGED = "not judged"
LONG = 30  # words, above which a condition is two sentences


class Finding(NamedTuple):
  """The verdict on a claim, with the numbers that it rests on.

  Attributes:
    measured: the numbers.
    verdict: one of `HOLDS`, `CONDITIONAL` and `FAILS`; a ledger may print other words for them.
    condition: where the claim holds and where it does not, with numbers; given with `CONDITIONAL` and with no other verdict.
  """

  measured: str
  verdict: str
  condition: str = ""


Judge = Callable[[Datasets], Finding]  # `datasets by experiment -> Finding`


class Judged(Protocol):
  """The part that claims of every ledger share.

  Attributes:
    number: its place in the ledger.
    text: the statement.
    reads: experiments whose results judge it.
    judge: the function that judges it; None if there is none yet.
    commands: names of the experiments that measure it, each with its flags.
  """

  @property
  def number(self) -> int: ...
  @property
  def text(self) -> str: ...
  @property
  def reads(self) -> Sequence[str]: ...
  @property
  def judge(self) -> Judge | None: ...
  @property
  def commands(self) -> Sequence[str]: ...


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
  judge: Judge

  @property
  def commands(self) -> Sequence[str]:
    """Names of the experiments that measure it, whose default grids are enough."""
    return self.reads


def of_cases(measured: str, cases: Mapping[str, bool | None]) -> Finding:
  """Returns the finding on a claim that was tried in several named cases: it holds in all, in none, or in those named.

  Args:
    measured: the numbers.
    cases: whether the claim holds, by case. None stands for a case that was not measured; it lets a claim hold under conditions
      at best, and does not save one that holds in no other case.

  Raises:
    ValueError: if no case was measured.
  """
  named = lambda wanted: [case for case, holds in cases.items() if (None if holds is None else bool(holds)) is wanted]
  kept, broken, unknown = named(True), named(False), named(None)
  if not (kept or broken):
    raise ValueError("No case was measured.")
  if not kept:
    return Finding(measured, FAILS)
  if not (broken or unknown):
    return Finding(measured, HOLDS)
  said = f"it holds {places(kept)}"
  if broken:
    is_long = len(said.split()) + len(places(broken).split()) > LONG
    said += f". It does not hold {places(broken)}" if is_long else f", and not {places(broken)}"
  return Finding(measured, CONDITIONAL, said + (f"; not measured: {places(unknown)}" if unknown else ""))


def together(label: str, holds: Mapping[str, bool]) -> dict[str, bool | None]:
  """Returns one case for all places where a claim holds, and one for all where it does not.

  >>> together("at g =", {"1": True, "2": True, "3": False})
  {'at g = 1 and 2': True, 'at g = 3': False}
  """
  named = {wanted: [place for place, is_so in holds.items() if is_so == wanted] for wanted in (True, False)}
  return {f"{label} {wording.listed(found)}": wanted for wanted, found in named.items() if found}


def places(cases: Sequence[str]) -> str:
  """Names up to four cases; of more it says how many there are, the first and the last."""
  return wording.listed(cases) if len(cases) <= 4 else f"in {len(cases)} cases from {cases[0]} to {cases[-1]}"


FEW = 3  # nets that a verdict names


def counted(what: str, holds: Mapping[str, bool]) -> dict[str, bool | None]:
  """Returns one case for all nets in which a claim holds, and one for all others. The numbers beside the verdict name them."""
  if len(holds) <= FEW:
    return together(f"for {what} of", holds)
  counts = {True: sum(holds.values()), False: len(holds) - sum(holds.values())}
  return {f"for {what} of {n} of {len(holds)} kinds of nets": wanted for wanted, n in counts.items() if n}
