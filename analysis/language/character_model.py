"""Character models: perplexity beside n-grams, loss against truncated history, and gradient and Jacobian product by lag."""

from functools import partial
import sys

from analysis.figure import FigureSpec, main
from analysis.language.scores import Scores
from analysis.language.word_model import TABLES, draw, finding, numbers, rows

FIGURE = FigureSpec(
  name="character_model",
  reads=("character_model",),
  overlays=("ngram",),
  caption=__doc__,
  draw=partial(draw, "character_model"),
  numbers=partial(numbers, "character_model"),
  finding=finding,
  tables=TABLES,
  order=20,
  title="How far back does a character model look?",
  over_seeds="band",
)
SCORES = Scores(
  "character_model", "perplexity of the test text, per character", partial(rows, "character_model"), order=20
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
