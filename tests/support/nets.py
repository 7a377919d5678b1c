"""Settings of a made-up study of recurrent nets, which nothing computes."""

from sweepkit.settings import FINITE, NON_NEGATIVE, POSITIVE_INT, Setting, Settings, one_of

SETTINGS: Settings = {
  "cells": Setting(str, "rnn,lstm,gru", "cells to compare", *one_of(("rnn", "lstm", "gru")), dimension="cell"),
  "hidden_size": Setting(int, "64", "units", *POSITIVE_INT, units="1", symbol="H"),
  "seq_len": Setting(int, "200", "steps", lambda v: v >= 4, "a whole number of 4 or more", units="steps", symbol="T"),
  "ws": Setting(float, "1", "recurrent gain", *FINITE, traced=True, units="1", is_axis=True),
  "input_scale": Setting(float, "1", "scale of inputs", *NON_NEGATIVE, traced=True, units="1", is_axis=True),
}
