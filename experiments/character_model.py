"""The same as `experiments.word_model`, letter by letter: how far back does a net look to spell?

python -m experiments.character_model
python -m experiments.character_model --corpus=my.txt --updates=500
"""

import sys

from experiments.language import LANGUAGE
from experiments.runner import Experiment, main
from experiments.word_model import DEFAULTS

EXPERIMENT = Experiment(
  "character_model",
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
  drawn_by="analysis.language.character_model",
  drawn_along=("learning_rate",),
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
