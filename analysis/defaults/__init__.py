"""Figures of the defaults of libraries: what their initial weights do to gradients before any training."""

from analysis.study import Study

STUDY = Study(
  name="defaults",
  title="Defaults of libraries",
  question="How far does the same class of net remember at the default weights of each library?",
  make="defaults",
  order=16,
)
