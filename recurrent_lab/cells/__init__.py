"""The cells, with one family per file, and the table `CELLS` of cells by name.

The families that the lab began with are here. The others are in three rooms: `dense`, `elementwise` and `matrices`. All names can
be imported from here. A factory makes variants that are not in the table: `gru(reset="before", activation="relu")`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from jaxtyping import Array, Key

from recurrent_lab._checks import check_choice
from recurrent_lab.cell import Cell
from recurrent_lab.cells import dense, elementwise, matrices
from recurrent_lab.cells._gru import GRUParams, ResetBeforeGRUParams, gru
from recurrent_lab.cells._hopfield import HopfieldParams, hopfield
from recurrent_lab.cells._indrnn import IndRNNParams, indrnn
from recurrent_lab.cells._lstm import (
  CoupledLSTMParams,
  InputCoupledLSTMParams,
  LSTMParams,
  LSTMState,
  NoForgetLSTMParams,
  lstm,
)
from recurrent_lab.cells._peephole_lstm import (
  CoupledPeepholeLSTMParams,
  InputCoupledPeepholeLSTMParams,
  NoForgetPeepholeLSTMParams,
  PeepholeLSTMParams,
  peephole_lstm,
)
from recurrent_lab.cells._projected_lstm import ProjectedLSTMParams, projected_lstm
from recurrent_lab.cells._rnn import RNNParams, rnn
from recurrent_lab.cells._simplified_lstm import SimplifiedLSTMParams, simplified_lstm
from recurrent_lab.cells.dense import *  # noqa: F403
from recurrent_lab.cells.elementwise import *  # noqa: F403
from recurrent_lab.cells.matrices import *  # noqa: F403
from recurrent_lab.initializers import chrono
from recurrent_lab.options import shared_options

#: The cells by the name that `--cells` takes.
CELLS: Mapping[str, Cell] = MappingProxyType(
  {
    "rnn": rnn(),
    "rnn_relu": rnn("relu"),
    "rnn_linear": rnn("identity"),
    "rnn_sigmoid": rnn("sigmoid"),
    "rnn_leaky_relu": rnn("leaky_relu"),
    "rnn_softsign": rnn("softsign"),
    "rnn_hard_tanh": rnn("hard_tanh"),
    "lstm": lstm(),
    "lstm_sigmoid_input": lstm(input_node="sigmoid"),
    "lstm_1997": lstm(forget="none"),
    "lstm_coupled": lstm(forget="coupled"),
    "peephole_lstm": peephole_lstm(),
    "peephole_lstm_coupled": peephole_lstm(forget="coupled"),
    "gru": gru(),
    "gru_reset_before": gru(reset="before"),
    "simplified_lstm": simplified_lstm(),
    "simplified_lstm_linear": simplified_lstm("identity"),
    "indrnn": indrnn(),
    "indrnn_tanh": indrnn("tanh"),
    "hopfield": hopfield(),
    **dense.CELLS,
    **elementwise.CELLS,
    **matrices.CELLS,
  }
)


def get_cell(name: str) -> Cell:
  """Returns the cell of that name. Raises `ValueError` with the valid names if there is none."""
  check_choice("Cell", name, CELLS)
  return CELLS[name]


def recommended(cell: Cell | str, key: Key[Array, ""], hidden_size: int, longest: float | int) -> dict[str, Any]:
  """Returns init options with which a cell can learn over `longest` steps.

  - A cell with its own recommendation (`Cell.recommend`) gets that.
  - Other gated cells with a forget bias get orthogonal kernels, and chrono biases that spread the memory timescales of the units
    up to `longest`.
  - All other cells get an orthogonal kernel of gain 1. It preserves lengths, so gradients shrink only where tanh' < 1.
  - Options that a cell has not are left out.

  Args:
    cell: any cell, or a name in `CELLS`.
    key: the random key of the chrono biases.
    hidden_size: the number of units H.
    longest: the number of steps over which the net has to remember.

  Raises:
    ValueError: for an unknown name, or for a gated cell with a forget bias if `longest` is not above 2.
  """
  cell = get_cell(cell) if isinstance(cell, str) else cell
  if cell.recommend is not None:
    return cell.recommend(key, hidden_size, longest)
  biases = chrono(key, hidden_size, longest) if cell.gated and "forget_bias" in cell.options else {}
  options = {"recurrent_init": "orthogonal", **biases}
  has = shared_options(cell)
  return {name: value for name, value in options.items() if name in has}


__all__ = [
  "CELLS",
  "CoupledLSTMParams",
  "CoupledPeepholeLSTMParams",
  "GRUParams",
  "HopfieldParams",
  "IndRNNParams",
  "InputCoupledLSTMParams",
  "InputCoupledPeepholeLSTMParams",
  "LSTMParams",
  "LSTMState",
  "NoForgetLSTMParams",
  "NoForgetPeepholeLSTMParams",
  "PeepholeLSTMParams",
  "ProjectedLSTMParams",
  "RNNParams",
  "ResetBeforeGRUParams",
  "SimplifiedLSTMParams",
  "dense",
  "elementwise",
  "get_cell",
  "gru",
  "hopfield",
  "indrnn",
  "lstm",
  "matrices",
  "peephole_lstm",
  "projected_lstm",
  "recommended",
  "rnn",
  "simplified_lstm",
]
__all__ += dense.__all__
__all__ += elementwise.__all__
__all__ += matrices.__all__
