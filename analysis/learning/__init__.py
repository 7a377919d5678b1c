"""Figures and the table of the learning study: trained nets, and whether the Jacobian product decides what they learn."""

from analysis.study import Study

STUDY = Study(
  name="learning",
  title="What is learned",
  question="Does the product decide what a network can learn?",
  make="learning",
  order=20,
)
