"""Character models, drawn as word models are."""

from functools import partial
import sys

from analysis.figure import Plot, main
from analysis.word_model import draw

PLOT = Plot("character_model", ("character_model", "ngram"), partial(draw, "character_model"))

if __name__ == "__main__":
  sys.exit(main(PLOT))
