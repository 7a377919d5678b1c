"""Equinox: its recurrent cells. It has no simple recurrent cell."""

import equinox as eqx
import jax
import numpy as np

from oracles.defaults.statistics import Fields

PACKAGE = "equinox"


def lstm(seed: int, inputs: int, units: int) -> Fields:
  cell = eqx.nn.LSTMCell(inputs, units, key=jax.random.key(seed))
  return {
    "input_kernel": np.asarray(cell.weight_ih).T,
    "recurrent_kernel": np.asarray(cell.weight_hh).T,
    "bias": np.asarray(cell.bias),
  }


def gru(seed: int, inputs: int, units: int) -> Fields:
  cell = eqx.nn.GRUCell(inputs, units, key=jax.random.key(seed))
  return {
    "input_kernel": np.asarray(cell.weight_ih).T,
    "recurrent_kernel": np.asarray(cell.weight_hh).T,
    "bias": np.asarray(cell.bias),
    "recurrent_bias": np.asarray(cell.bias_n),
  }


CLASSES = {"equinox.nn.LSTMCell": lstm, "equinox.nn.GRUCell": gru}
