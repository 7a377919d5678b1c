"""Figures of the paper: random nets, and where their Jacobian product goes."""

from analysis.study import Study

STUDY = Study(
  name="paper",
  title="Where the product goes",
  question="For which cell, weight, saturation and bias do gradients vanish or explode?",
  make="paper",
  order=10,
)
