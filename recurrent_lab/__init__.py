"""A laboratory for the gradient dynamics of recurrent networks: pure cells, and instruments that take any of them."""

from recurrent_lab import _xla, cells, instruments, sequences, tasks, theory, training, transitions
from recurrent_lab._xla import MiscompilationWarning
from recurrent_lab.activations import ACTIVATIONS, Activity, Saturation, log_sech2, saturation
from recurrent_lab.cell import Cell, variants
from recurrent_lab.cells import (
  CELLS,
  GRUParams,
  LSTMParams,
  LSTMState,
  RNNParams,
  get_cell,
  gru,
  hopfield,
  indrnn,
  lstm,
  peephole_lstm,
  recommended,
  rnn,
  simplified_lstm,
)
from recurrent_lab.combinators import (
  BidirectionalParams,
  DropoutParams,
  LearnedStateParams,
  bidirectional_unroll,
  draw_masks,
  dropout,
  init_bidirectional,
  learned_state,
  stack,
)
from recurrent_lab.initializers import chrono
from recurrent_lab.instruments import (
  NORMS,
  Growth,
  LyapunovSpectrum,
  ScaledMatrix,
  adjoint_log_norms,
  entropy_rate,
  gradient_by_lag,
  growth_rate,
  jacobian_product,
  kaplan_yorke_dimension,
  log_frobenius_norm,
  log_spectral_norm,
  lyapunov_spectrum,
  memory_length,
  participation_ratio,
  positive_share,
  product_log_norms,
  product_log_singular_values,
  products_by_lag,
  state_blocks,
  state_jacobians,
)
from recurrent_lab.readouts import ReadoutParams, WithReadoutParams, init_readout, readout, with_readout
from recurrent_lab.sequences import (
  NewtonRun,
  activities,
  newton_unroll,
  ngram,
  scan_unroll,
  trajectory,
  truncated_unroll,
  unroll,
)
from recurrent_lab.sequences import alignment as sequence
from recurrent_lab.training import reverse_unroll

_xla.protect()

# Less common names are imported from their package: parameters of rarer cells from `cells`, regularizers from `training`.
__all__ = [  # noqa: RUF022 - by room, not by the alphabet
  # Rooms
  "cells",
  "instruments",
  "sequences",
  "sequence",
  "ngram",
  "tasks",
  "theory",
  "training",
  "transitions",
  # Cells
  "CELLS",
  "Cell",
  "GRUParams",
  "LSTMParams",
  "LSTMState",
  "RNNParams",
  "get_cell",
  "gru",
  "hopfield",
  "indrnn",
  "lstm",
  "peephole_lstm",
  "rnn",
  "simplified_lstm",
  "variants",
  # Initialization and activations
  "ACTIVATIONS",
  "Activity",
  "Saturation",
  "chrono",
  "log_sech2",
  "recommended",
  "saturation",
  # Cells made of cells, and readouts
  "BidirectionalParams",
  "DropoutParams",
  "LearnedStateParams",
  "ReadoutParams",
  "WithReadoutParams",
  "bidirectional_unroll",
  "draw_masks",
  "dropout",
  "init_bidirectional",
  "init_readout",
  "learned_state",
  "readout",
  "stack",
  "with_readout",
  # Sequences
  "NewtonRun",
  "activities",
  "newton_unroll",
  "reverse_unroll",
  "scan_unroll",
  "trajectory",
  "truncated_unroll",
  "unroll",
  # Jacobian products
  "NORMS",
  "ScaledMatrix",
  "jacobian_product",
  "log_frobenius_norm",
  "log_spectral_norm",
  "product_log_norms",
  "product_log_singular_values",
  "products_by_lag",
  "state_blocks",
  "state_jacobians",
  # Growth, spectra and attractors
  "Growth",
  "LyapunovSpectrum",
  "entropy_rate",
  "growth_rate",
  "kaplan_yorke_dimension",
  "lyapunov_spectrum",
  "memory_length",
  "participation_ratio",
  "positive_share",
  # Gradients
  "adjoint_log_norms",
  "gradient_by_lag",
  # Warnings
  "MiscompilationWarning",
]
