"""The claims ledger: what the introductions say, what was measured, and whether it holds; one file per group of claims."""

from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS, NOT_JUDGED, Claim, Finding
from analysis.claims.ledger import CLAIMS, judge, ledger

__all__ = ["CLAIMS", "CONDITIONAL", "FAILS", "HOLDS", "NOT_JUDGED", "Claim", "Finding", "judge", "ledger"]
