"""Settings of a random net and of what it is driven by."""

import dataclasses

from experiments.portrait.own import TABLE, settings_of_own
from recurrent_lab.initializers import RECURRENT_INITS
from sweepkit.settings import FINITE, NON_NEGATIVE, POSITIVE_INT, Setting, Settings, one_of

INPUTS = ("white", "zero")

# The names are those of the flags and of the dimensions of the results.
SETTINGS: Settings = {
  "cells": Setting(
    str,
    "rnn,lstm,gru",
    "cells to compare",
    TABLE.__contains__,
    TABLE.allowed,
    dimension="cell",
    table=TABLE,
    canonical=TABLE.find,
    brings=settings_of_own,
  ),
  "hidden_size": Setting(int, "64", "units H", *POSITIVE_INT, units="1", symbol="H"),
  "input_size": Setting(int, "16", "inputs I", *POSITIVE_INT, units="1"),
  "seq_len": Setting(int, "200", "steps T", lambda v: v >= 4, "a whole number of 4 or more", units="steps", symbol="T"),
  "input": Setting(
    str,
    "white",
    "white: Gaussian, independent at every step; zero: none, from a Gaussian initial state",
    *one_of(INPUTS),
  ),
  "recurrent_init": Setting(str, "gaussian", "the recurrent kernel at gain 1", *one_of(tuple(RECURRENT_INITS))),
  "ws": Setting(
    float, "1", "recurrent gain W_s: entries have standard deviation W_s / √H", *FINITE, True, units="1", is_axis=True
  ),
  "input_scale": Setting(float, "1", "standard deviation of the inputs", *NON_NEGATIVE, True, units="1", is_axis=True),
  "bias_scale": Setting(float, "0", "standard deviation of the biases", *NON_NEGATIVE, True, units="1", is_axis=True),
  "bias": Setting(float, "0", "added to the bias of every pre-activation", *FINITE, True, units="1", is_axis=True),
  "forget_bias": Setting(
    float, "0", "bias of the gate that keeps the state (LSTM f, GRU z)", *FINITE, True, units="1", is_axis=True
  ),
}


# Sizes that are small enough for a test.
TINY = {"hidden_size": "4", "input_size": "2", "seq_len": "12"}


@dataclasses.dataclass(frozen=True)
class Net:
  """The settings of a random net that determine its compiled program. The gains and biases are traced.

  Attributes:
    cell: its name in `own.TABLE`.
    hidden_size: units H.
    input_size: inputs I.
    seq_len: steps T.
    input: one of `INPUTS`.
    recurrent_init: one of `RECURRENT_INITS`.
    x64: whether it computes in float64.
  """

  cell: str
  hidden_size: int
  input_size: int
  seq_len: int
  input: str
  recurrent_init: str
  x64: bool
