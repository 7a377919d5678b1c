"""Draws all figures of the language study, from training runs and counts.

python -m analysis.language --results=results --out=figures
"""

import sys

from analysis import captions, character_model, forecast, next_item, recall, tagging, translation, vowels, word_model
from analysis.figure import main

LANGUAGE = tuple(
  module.PLOT
  for module in (
    # What is next, and how far back it is looked for, ...
    word_model,
    character_model,
    recall,
    next_item,
    # ... what a word means, what it is in another language, ...
    tagging,
    translation,
    # ... and series and images beyond text.
    vowels,
    captions,
    forecast,
  )
)

if __name__ == "__main__":
  sys.exit(main(*LANGUAGE, doc=__doc__))
