"""Do recurrent word models beat n-grams, and how far back does each of them look?

Claim (Mikolov et al., 2010; the introductions): a recurrent net predicts the next word better than counts of the last few. Trains
one-hot word models on a text and measures the perplexity of held-out text, the loss against truncated history, and the gradient
by lag. `experiments.ngram` measures the counts on the same tokens and split.

    python -m experiments.word_model
    python -m experiments.word_model --vocabulary=2000 --hidden_size=64 --updates=1000     a minute or two per cell
    python -m experiments.word_model --k1=1 --k2=4 --optimizer=sgd --learning_rate=1 --hidden_size=100     the classic setting

`--corpus=FILE` reads any text, and `--vocabulary` must not exceed the number of its words.

Reference for the classic setting (8000 words, 100 units, back 4 steps): Britz, "Recurrent neural networks tutorial" (2015).
"""

import sys

from experiments.language.models import LANGUAGE
from experiments.language.settings import DEFAULTS
from experiments.training.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.word_model",
  __doc__,
  LANGUAGE,
  {"hidden_size": "128", "updates": "3000", **DEFAULTS},
  seeds=1,
  drawn_along=("learning_rate",),
  seconds=1611,
  figure="analysis.language.word_model",
  tiny={**TINY, "corpus": "grammar", "vocabulary": "0"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
