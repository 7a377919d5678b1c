"""The same as `experiments.word_model`, letter by letter: how far back does a net look to spell?

python -m experiments.character_model
python -m experiments.character_model --corpus=my.txt --updates=500
"""

import sys

from experiments.language.models import LANGUAGE
from experiments.language.settings import DEFAULTS
from experiments.training.settings import TINY
from sweepkit import Experiment, main

EXPERIMENT = Experiment(
  "experiments.character_model",
  __doc__,
  LANGUAGE,
  {
    **DEFAULTS,
    "unit": "char",
    "vocabulary": "0",
    "hidden_size": "128",
    "updates": "2000",
    "length": "100",
    "input_gain": "8",
  },
  seeds=1,
  drawn_along=("learning_rate",),
  seconds=653,
  figure="analysis.language.character_model",
  tiny={**TINY, "corpus": "grammar"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
