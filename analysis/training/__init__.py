"""Figures of the trained atlas: what its cells learn at equal parameters, and whether it was seen before training."""

from analysis.study import Study

STUDY = Study(
  name="training",
  title="The trained atlas",
  question="Does what is measured before training rank the cells as training does?",
  make="atlas-training",
  order=17,
)
