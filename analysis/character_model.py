"""Character models, as word models: perplexity beside n-grams, loss against truncated history, gradient and product by lag."""

from functools import partial
import sys

from analysis.figure import Plot, main
from analysis.word_model import draw, finding, numbers

NAME = "character_model"
PLOT = Plot(NAME, (NAME, "ngram"), partial(draw, NAME), __doc__, partial(numbers, NAME), finding, ("ngram",))

if __name__ == "__main__":
  sys.exit(main(PLOT))
