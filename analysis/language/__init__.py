"""Figures and the table of the language study: text and other sequences, each cell beside a simple baseline."""

from analysis.study import Study

STUDY = Study(
  name="language",
  title="Language and other sequences",
  question="How far back do recurrent networks look in text and other sequences?",
  make="language",
  order=30,
)
