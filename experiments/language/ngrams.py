"""The settings of count models, and the quantity that they store."""

from experiments.training import SETTINGS
from sweepkit import Quantity, Setting
from sweepkit.settings import POSITIVE_INT, Settings, one_of

COUNTS: Settings = {
  "cells": Setting(str, "ngram", "the model", *one_of(("ngram",)), dimension="cell"),
  "length": SETTINGS["length"],
  "order": Setting(int, "1,2,3,4,5", "n: the model sees n - 1 tokens", *POSITIVE_INT, units="tokens"),
}

NATS = Quantity("loss on the test text", "nats per token")
