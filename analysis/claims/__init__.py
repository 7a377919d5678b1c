"""Ledgers of claims: what was said, what was measured, and whether it holds; one file per group of claims.

The claims import JAX and xarray, so they are imported when they are asked for and not for a page of help.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
  "CLAIMS": "introductions",
  "INTRODUCTIONS": "introductions",
  "LANDMARKS": "landmarks",
  "Ledger": "ledger",
  "judge": "ledger",
}


def __getattr__(name: str) -> Any:
  if name not in __all__:
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
  return getattr(importlib.import_module(f"analysis.claims.{_HOMES.get(name, 'finding')}"), name)
