"""Cells whose state is a matrix per head or several vectors."""

from collections.abc import Mapping
from types import MappingProxyType

from recurrent_lab.cell import Cell
from recurrent_lab.cells.matrices._cfc import CfCBackboneParams, CfCParams, cfc
from recurrent_lab.cells.matrices._delta_net import DeltaNetParams, GatedDeltaNetParams, delta_net
from recurrent_lab.cells.matrices._delta_product import DeltaProductParams, delta_product
from recurrent_lab.cells.matrices._lmu import LMUParams, LMUState, lmu
from recurrent_lab.cells.matrices._ltc import ConductanceLTCParams, LTCParams, conductance_ltc, ltc
from recurrent_lab.cells.matrices._plrnn import PLRNNParams, ShallowPLRNNParams, plrnn
from recurrent_lab.cells.matrices._rwkv import RWKV6Params, RWKV7Params, rwkv6, rwkv7
from recurrent_lab.cells.matrices._titans import TitansParams, titans
from recurrent_lab.cells.matrices._xlstm import MLSTMParams, MLSTMState, SLSTMParams, SLSTMState, mlstm, slstm

#: The cells of this room by name.
CELLS: Mapping[str, Cell] = MappingProxyType(
  {
    "delta_net": delta_net(),
    "gated_delta_net": delta_net(gated=True),
    "delta_product": delta_product(),
    "rwkv6": rwkv6(),
    "rwkv7": rwkv7(),
    "slstm": slstm(),
    "mlstm": mlstm(),
    "titans": titans(),
    "ltc": ltc(),
    "ltc_conductance": conductance_ltc(),
    "cfc": cfc(),
    "cfc_backbone": cfc(backbone=True),
    "lmu": lmu(),
    "plrnn": plrnn(),
    "plrnn_shallow": plrnn(expansion=4),
  }
)

__all__ = [
  "CfCBackboneParams",
  "CfCParams",
  "ConductanceLTCParams",
  "DeltaNetParams",
  "DeltaProductParams",
  "GatedDeltaNetParams",
  "LMUParams",
  "LMUState",
  "LTCParams",
  "MLSTMParams",
  "MLSTMState",
  "PLRNNParams",
  "RWKV6Params",
  "RWKV7Params",
  "SLSTMParams",
  "SLSTMState",
  "ShallowPLRNNParams",
  "TitansParams",
  "cfc",
  "conductance_ltc",
  "delta_net",
  "delta_product",
  "lmu",
  "ltc",
  "mlstm",
  "plrnn",
  "rwkv6",
  "rwkv7",
  "slstm",
  "titans",
]
