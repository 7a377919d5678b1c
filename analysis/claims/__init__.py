"""Ledgers of claims: what was said, what was measured, and whether it holds; one file per group of claims."""

from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS, NOT_JUDGED, Claim, Finding
from analysis.claims.introductions import CLAIMS, INTRODUCTIONS
from analysis.claims.landmarks import LANDMARKS
from analysis.claims.ledger import Ledger, judge

__all__ = [
  "CLAIMS",
  "CONDITIONAL",
  "FAILS",
  "HOLDS",
  "INTRODUCTIONS",
  "LANDMARKS",
  "NOT_JUDGED",
  "Claim",
  "Finding",
  "Ledger",
  "judge",
]
