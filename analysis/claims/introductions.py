"""The ledger of what the introductions claim."""

from collections.abc import Mapping

from analysis.claims import gains, gates, identities
from analysis.claims.finding import Claim
from analysis.claims.ledger import PLAIN_WORDS, Cell, Ledger

MEASURED = "measured (mean ± 95 % over seeds; of fewer than five the values)"

CLAIMS: Mapping[int, Claim] = {
  claim.number: claim
  for claim in sorted((*identities.CLAIMS, *gains.CLAIMS, *gates.CLAIMS), key=lambda claim: claim.number)
}

_TEXT: Mapping[str, Cell[Claim]] = {"claim": lambda claim, finding, data: claim.text}
_FORMULA: Mapping[str, Cell[Claim]] = {"formula": lambda claim, finding, data: claim.formula}
_JUDGED: Mapping[str, Cell[Claim]] = {
  MEASURED: lambda claim, finding, data: finding.measured,
  "verdict": lambda claim, finding, data: INTRODUCTIONS.verdict(finding),
}
_EXPERIMENT: Mapping[str, Cell[Claim]] = {"experiment": lambda claim, finding, data: ", ".join(claim.reads)}

INTRODUCTIONS: Ledger[Claim] = Ledger(
  name="claims",
  title="Claims of the introductions, judged",
  about=(
    "The claims come from two introductions to recurrent networks, 《循环神经网络(RNN)知识入门》 and "
    "《史上最详细循环神经网络讲解（RNN/LSTM/GRU）》."
  ),
  claims=CLAIMS,
  words=PLAIN_WORDS,
  tables={"": {**_TEXT, **_FORMULA, **_EXPERIMENT, **_JUDGED}},
  short={**_TEXT, **_JUDGED},
  stored={**_TEXT, **_FORMULA},
)
