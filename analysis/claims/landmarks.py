"""The ledger of landmarks: published results about recurrent nets, and how far the stored results reproduce them."""

from collections.abc import Mapping

from analysis.claims import dynamics, gradients, learned, starts, structure
from analysis.claims.finding import CONDITIONAL, FAILS, HOLDS, NOT_JUDGED
from analysis.claims.landmark import Landmark, claim, commands, minutes, setting
from analysis.claims.ledger import Cell, Ledger

_CLAIM: Mapping[str, Cell[Landmark]] = {"published result": claim}
_JUDGED: Mapping[str, Cell[Landmark]] = {
  "measured (mean ± 95 % of Student's t, share with 95 % of Wilson; of fewer than five seeds the values)": (
    lambda one, finding, data: finding.measured
  ),
  "verdict": lambda one, finding, data: LANDMARKS.verdict(finding),
}
_SETTING: Mapping[str, Cell[Landmark]] = {
  "published setting": lambda one, finding, data: one.published,
  "setting here": setting,
  "difference": lambda one, finding, data: one.differs or "–",
  "prediction": lambda one, finding, data: one.prediction or "–",
  "commands": commands,
  "minutes": minutes,
}

_ALL = (*dynamics.LANDMARKS, *gradients.LANDMARKS, *learned.LANDMARKS, *starts.LANDMARKS, *structure.LANDMARKS)

LANDMARKS: Ledger[Landmark] = Ledger(
  name="landmarks",
  title="Landmarks of the field, judged",
  about=(
    "Published results about gradients and dynamics of recurrent nets, with the verdict that code derives from stored results. "
    "A result is not reproduced if the numbers contradict it or the intervals cannot resolve it. The row then says which, and "
    "how many seeds would. Minutes are those of one process for all stored results of an experiment. `make landmarks` runs every "
    "command of a measured row."
  ),
  claims={one.number: one for one in sorted(_ALL, key=lambda one: one.number)},
  words={
    HOLDS: "reproduced",
    CONDITIONAL: "reproduced under conditions",
    FAILS: "not reproduced",
    NOT_JUDGED: "not measured",
  },
  tables={"Verdicts": {**_CLAIM, **_JUDGED}, "Settings, predictions and commands": _SETTING},
  short={**_CLAIM, **_JUDGED},
  stored={
    "landmark": lambda one, finding, data: one.text,
    "source": lambda one, finding, data: one.source,
    **_SETTING,
  },
)
