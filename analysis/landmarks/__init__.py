"""Figures of the landmarks study: known results about recurrent nets, measured on small nets that a laptop can hold."""

from analysis.study import Study

STUDY = Study(
  name="landmarks",
  title="Landmarks",
  question="Which known results about recurrent networks hold in small nets, and how far?",
  make="landmarks",
  order=25,
)
