"""All claims, and each of them judged by the stored results."""

from collections.abc import Mapping
from pathlib import Path

from analysis import coverage, wording
from analysis.claims import gains, gates, identities
from analysis.claims.finding import Claim, Finding
from analysis.figure import Datasets
from sweepkit.store import ResultsError
from sweepkit.words import count

CLAIMS: Mapping[int, Claim] = {
  claim.number: claim
  for claim in sorted((*identities.CLAIMS, *gains.CLAIMS, *gates.CLAIMS), key=lambda claim: claim.number)
}


def judge(claim: Claim, data: Datasets) -> Finding:
  """Judges a claim by the stored results.

  Raises:
    ResultsError: if a value that it is judged by was not measured.
  """
  try:
    found = claim.judge(data)
    return found._replace(measured=f"{found.measured} ({_seeds(claim, data)})")
  except (AttributeError, IndexError, KeyError, ValueError):  # an axis, or a value on it, is not there
    raise ResultsError(
      f"{' or '.join(claim.reads)} lacks a value that the ledger needs for {claim.text!r}; run the default sweeps."
    ) from None


def _seeds(claim: Claim, data: Datasets) -> str:
  """`8 seeds`, or the seeds of every experiment if they differ."""
  sizes = {name: data[name].sizes["seed"] for name in claim.reads}
  if len(set(sizes.values())) == 1:
    return count(next(iter(sizes.values())), "seed")
  return wording.listed([f"{name}: {count(size, 'seed')}" for name, size in sizes.items()])


def ledger(data: Datasets, results: Path) -> list[tuple[int, Finding | None, str]]:
  """Returns the number of every claim with its finding, or with None and the reason why it was not judged."""
  return [(number, *_entry(claim, data, results)) for number, claim in CLAIMS.items()]


def _entry(claim: Claim, data: Datasets, results: Path) -> tuple[Finding | None, str]:
  if lacking := [name for name in claim.reads if name not in data]:
    commands = " and ".join(coverage.run_command(name, results) for name in lacking)
    return None, f"not measured here; run {commands}"
  try:
    return judge(claim, data), ""
  except ResultsError as error:
    return None, str(error)
