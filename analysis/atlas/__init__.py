"""Figures of the atlas: every cell under the same instruments, before any training."""

from analysis.study import Study

STUDY = Study(
  name="atlas",
  title="The atlas of cells",
  question="Where do the gradients of every recurrent cell go, and how far does it remember?",
  make="atlas",
  order=15,
)
