"""Cells whose units do not see each other, and cells that are diagonal in their state."""

from collections.abc import Mapping
from types import MappingProxyType

from recurrent_lab.cell import Cell
from recurrent_lab.cells.elementwise._gla import GLAParams, HGRN2Params, gla, hgrn2
from recurrent_lab.cells.elementwise._hgrn import HGRNParams, RealHGRNParams, hgrn
from recurrent_lab.cells.elementwise._lin_oss import LinOSSParams, lin_oss
from recurrent_lab.cells.elementwise._linear_attention import (
  LinearAttentionParams,
  LinearAttentionState,
  RetNetParams,
  linear_attention,
  retnet,
)
from recurrent_lab.cells.elementwise._lru import LRUParams, lru
from recurrent_lab.cells.elementwise._mamba2 import Mamba2Params, mamba2
from recurrent_lab.cells.elementwise._min_gru import MinGRUParams, min_gru
from recurrent_lab.cells.elementwise._min_lstm import MinLSTMParams, min_lstm
from recurrent_lab.cells.elementwise._qrnn import FPoolingQRNNParams, IFOPoolingQRNNParams, QRNNParams, qrnn
from recurrent_lab.cells.elementwise._rg_lru import RGLRUParams, rg_lru
from recurrent_lab.cells.elementwise._s4d import S4DParams, s4d
from recurrent_lab.cells.elementwise._s5 import S5Params, s5
from recurrent_lab.cells.elementwise._s6 import S6Params, s6
from recurrent_lab.cells.elementwise._sru import SRUParams, sru
from recurrent_lab.cells.elementwise._unicornn import UnICORNNParams, UnICORNNState, unicornn

#: The cells of this room by name.
CELLS: Mapping[str, Cell] = MappingProxyType(
  {
    "min_gru": min_gru,
    "min_lstm": min_lstm,
    "qrnn": qrnn(),
    "qrnn_f": qrnn("f"),
    "qrnn_ifo": qrnn("ifo"),
    "sru": sru,
    "lru": lru,
    "rg_lru": rg_lru,
    "s4d": s4d(),
    "s5": s5,
    "lin_oss": lin_oss(),
    "lin_oss_mixed": lin_oss("mixed"),
    "hgrn": hgrn(),
    "hgrn_real": hgrn("real"),
    "s6": s6(),
    "mamba2": mamba2(),
    "retnet": retnet(),
    "retnet_rotary": retnet(rotary=True),
    "linear_attention": linear_attention(),
    "gla": gla(),
    "hgrn2": hgrn2(),
    "unicornn": unicornn(),
  }
)

__all__ = [
  "FPoolingQRNNParams",
  "GLAParams",
  "HGRN2Params",
  "HGRNParams",
  "IFOPoolingQRNNParams",
  "LRUParams",
  "LinOSSParams",
  "LinearAttentionParams",
  "LinearAttentionState",
  "Mamba2Params",
  "MinGRUParams",
  "MinLSTMParams",
  "QRNNParams",
  "RGLRUParams",
  "RealHGRNParams",
  "RetNetParams",
  "S4DParams",
  "S5Params",
  "S6Params",
  "SRUParams",
  "UnICORNNParams",
  "UnICORNNState",
  "gla",
  "hgrn",
  "hgrn2",
  "lin_oss",
  "linear_attention",
  "lru",
  "mamba2",
  "min_gru",
  "min_lstm",
  "qrnn",
  "retnet",
  "rg_lru",
  "s4d",
  "s5",
  "s6",
  "sru",
  "unicornn",
]
