"""The cells, with one family per file, and the table `CELLS` of cells by name.

A factory makes variants that are not in the table: `gru(reset="before", activation="relu")`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from jaxtyping import Array, Key

from recurrent_lab._checks import check_choice
from recurrent_lab.cell import Cell
from recurrent_lab.cells._antisymmetric_rnn import (
  AntisymmetricRNNParams,
  GatedAntisymmetricRNNParams,
  antisymmetric_rnn,
)
from recurrent_lab.cells._brc import BRCParams, NBRCParams, brc, nbrc
from recurrent_lab.cells._cfc import CfCBackboneParams, CfCParams, cfc
from recurrent_lab.cells._cfn import CFNParams, cfn
from recurrent_lab.cells._clockwork_rnn import ClockworkRNNParams, ClockworkState, clockwork_rnn
from recurrent_lab.cells._cornn import CoRNNParams, CoRNNState, cornn
from recurrent_lab.cells._delta_net import DeltaNetParams, GatedDeltaNetParams, delta_net
from recurrent_lab.cells._delta_product import DeltaProductParams, delta_product
from recurrent_lab.cells._fast_rnn import FastGRNNParams, FastRNNParams, fast_grnn, fast_rnn
from recurrent_lab.cells._gla import GLAParams, HGRN2Params, gla, hgrn2
from recurrent_lab.cells._gru import GRUParams, ResetBeforeGRUParams, gru
from recurrent_lab.cells._hgrn import HGRNParams, RealHGRNParams, hgrn
from recurrent_lab.cells._hopfield import HopfieldParams, hopfield
from recurrent_lab.cells._indrnn import IndRNNParams, indrnn
from recurrent_lab.cells._intersection_rnn import IntersectionRNNParams, intersection_rnn
from recurrent_lab.cells._janet import JANETParams, janet
from recurrent_lab.cells._leaky_rnn import LeakyRNNParams, leaky_rnn
from recurrent_lab.cells._lem import LEMParams, LEMState, lem
from recurrent_lab.cells._li_gru import LiGRUParams, li_gru
from recurrent_lab.cells._lin_oss import LinOSSParams, lin_oss
from recurrent_lab.cells._linear_attention import (
  LinearAttentionParams,
  LinearAttentionState,
  RetNetParams,
  linear_attention,
  retnet,
)
from recurrent_lab.cells._lipschitz_rnn import LipschitzRNNParams, lipschitz_rnn
from recurrent_lab.cells._lmu import LMUParams, LMUState, lmu
from recurrent_lab.cells._lru import LRUParams, lru
from recurrent_lab.cells._lstm import CoupledLSTMParams, LSTMParams, LSTMState, NoForgetLSTMParams, lstm
from recurrent_lab.cells._ltc import ConductanceLTCParams, LTCParams, conductance_ltc, ltc
from recurrent_lab.cells._mamba2 import Mamba2Params, mamba2
from recurrent_lab.cells._mgu import MGUParams, mgu
from recurrent_lab.cells._min_gru import MinGRUParams, min_gru
from recurrent_lab.cells._min_lstm import MinLSTMParams, min_lstm
from recurrent_lab.cells._minimal_rnn import MinimalRNNParams, minimal_rnn
from recurrent_lab.cells._multiplicative_lstm import MultiplicativeLSTMParams, multiplicative_lstm
from recurrent_lab.cells._mut import MUT1Params, MUT2Params, MUT3Params, mut1, mut2, mut3
from recurrent_lab.cells._nas import NASParams, nas
from recurrent_lab.cells._orthogonal_rnn import OrthogonalRNNParams, orthogonal_rnn
from recurrent_lab.cells._peephole_lstm import (
  CoupledPeepholeLSTMParams,
  NoForgetPeepholeLSTMParams,
  PeepholeLSTMParams,
  peephole_lstm,
)
from recurrent_lab.cells._plrnn import PLRNNParams, ShallowPLRNNParams, plrnn
from recurrent_lab.cells._qrnn import FPoolingQRNNParams, IFOPoolingQRNNParams, QRNNParams, qrnn
from recurrent_lab.cells._ran import RANParams, ran
from recurrent_lab.cells._recurrent_highway import RecurrentHighwayParams, recurrent_highway
from recurrent_lab.cells._rg_lru import RGLRUParams, rg_lru
from recurrent_lab.cells._rnn import RNNParams, rnn
from recurrent_lab.cells._rwkv import RWKV6Params, RWKV7Params, rwkv6, rwkv7
from recurrent_lab.cells._s4d import S4DParams, s4d
from recurrent_lab.cells._s5 import S5Params, s5
from recurrent_lab.cells._s6 import S6Params, s6
from recurrent_lab.cells._scrn import SCRNParams, SCRNState, scrn
from recurrent_lab.cells._simplified_lstm import SimplifiedLSTMParams, simplified_lstm
from recurrent_lab.cells._sru import SRUParams, sru
from recurrent_lab.cells._star import StarParams, star
from recurrent_lab.cells._titans import TitansParams, titans
from recurrent_lab.cells._ugrnn import UGRNNParams, ugrnn
from recurrent_lab.cells._unicornn import UnICORNNParams, UnICORNNState, unicornn
from recurrent_lab.cells._unitary_rnn import UnitaryRNNParams, unitary_rnn
from recurrent_lab.cells._xlstm import MLSTMParams, MLSTMState, SLSTMParams, SLSTMState, mlstm, slstm
from recurrent_lab.initializers import chrono

#: The cells by the name that `--cells` takes.
CELLS: Mapping[str, Cell] = MappingProxyType(
  {
    # The families that the lab began with
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
    # Dense recurrence on a vector
    "mgu": mgu,
    "janet": janet(),
    "minimal_rnn": minimal_rnn,
    "ugrnn": ugrnn,
    "cfn": cfn,
    "ran": ran,
    "li_gru": li_gru,
    "star": star,
    "intersection_rnn": intersection_rnn,
    "mut1": mut1,
    "mut2": mut2,
    "mut3": mut3,
    "fast_rnn": fast_rnn,
    "fast_grnn": fast_grnn,
    "brc": brc,
    "nbrc": nbrc,
    "multiplicative_lstm": multiplicative_lstm,
    "recurrent_highway": recurrent_highway(),
    "scrn": scrn(),
    "scrn_output": scrn("output"),
    "nas": nas,
    "clockwork_rnn": clockwork_rnn(),
    # Element-wise recurrence, most of it linear in the state
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
    "leaky_rnn": leaky_rnn(),
    "antisymmetric_rnn": antisymmetric_rnn(),
    "gated_antisymmetric_rnn": antisymmetric_rnn(gated=True),
    "lem": lem(),
    "cornn": cornn(),
    "cornn_implicit": cornn(implicit=True),
    "orthogonal_rnn": orthogonal_rnn(),
    "orthogonal_rnn_cayley": orthogonal_rnn("cayley"),
    "lipschitz_rnn": lipschitz_rnn(),
    "unitary_rnn": unitary_rnn(),
    # Element-wise recurrence, most of it linear in the state
    "min_gru": min_gru,
    "unicornn": unicornn(),
    # Matrices as states, and several vectors
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


def get_cell(name: str) -> Cell:
  """Returns the cell of that name. Raises `ValueError` with the valid names if there is none."""
  check_choice("Cell", name, CELLS)
  return CELLS[name]


def recommended(cell: Cell | str, key: Key[Array, ""], hidden_size: int, longest: float | int) -> dict[str, Any]:
  """Returns init options with which a cell can learn over `longest` steps.

  - A cell with its own recommendation (`Cell.recommend`) gets that.
  - Other gated cells get orthogonal kernels, and chrono biases that spread the memory timescales of the units up to `longest`.
  - All other cells get an orthogonal kernel of gain 1. It preserves lengths, so gradients shrink only where tanh' < 1.
  - Options that a cell has not are left out.

  Args:
    cell: any cell, or a name in `CELLS`.
    key: the random key of the chrono biases.
    hidden_size: the number of units H.
    longest: the number of steps over which the net has to remember.

  Raises:
    ValueError: for an unknown name, or for a gated cell if `longest` is not above 2.
  """
  cell = get_cell(cell) if isinstance(cell, str) else cell
  if cell.recommend is not None:
    return cell.recommend(key, hidden_size, longest)
  biases = chrono(key, hidden_size, longest) if cell.gated else {}
  options = {"recurrent_init": "orthogonal", **biases}
  return {name: value for name, value in options.items() if name in cell.options}


__all__ = [
  "CELLS",
  "AntisymmetricRNNParams",
  "BRCParams",
  "CFNParams",
  "CfCBackboneParams",
  "CfCParams",
  "ClockworkRNNParams",
  "ClockworkState",
  "CoRNNParams",
  "CoRNNState",
  "ConductanceLTCParams",
  "CoupledLSTMParams",
  "CoupledPeepholeLSTMParams",
  "DeltaNetParams",
  "DeltaProductParams",
  "FPoolingQRNNParams",
  "FastGRNNParams",
  "FastRNNParams",
  "GLAParams",
  "GRUParams",
  "GatedAntisymmetricRNNParams",
  "GatedDeltaNetParams",
  "HGRN2Params",
  "HGRNParams",
  "HopfieldParams",
  "IFOPoolingQRNNParams",
  "IndRNNParams",
  "IntersectionRNNParams",
  "JANETParams",
  "LEMParams",
  "LEMState",
  "LMUParams",
  "LMUState",
  "LRUParams",
  "LSTMParams",
  "LSTMState",
  "LTCParams",
  "LeakyRNNParams",
  "LiGRUParams",
  "LinOSSParams",
  "LinearAttentionParams",
  "LinearAttentionState",
  "LipschitzRNNParams",
  "MGUParams",
  "MLSTMParams",
  "MLSTMState",
  "MUT1Params",
  "MUT2Params",
  "MUT3Params",
  "Mamba2Params",
  "MinGRUParams",
  "MinLSTMParams",
  "MinimalRNNParams",
  "MultiplicativeLSTMParams",
  "NASParams",
  "NBRCParams",
  "NoForgetLSTMParams",
  "NoForgetPeepholeLSTMParams",
  "OrthogonalRNNParams",
  "PLRNNParams",
  "PeepholeLSTMParams",
  "QRNNParams",
  "RANParams",
  "RGLRUParams",
  "RNNParams",
  "RWKV6Params",
  "RWKV7Params",
  "RealHGRNParams",
  "RecurrentHighwayParams",
  "ResetBeforeGRUParams",
  "RetNetParams",
  "S4DParams",
  "S5Params",
  "S6Params",
  "SCRNParams",
  "SCRNState",
  "SLSTMParams",
  "SLSTMState",
  "SRUParams",
  "ShallowPLRNNParams",
  "SimplifiedLSTMParams",
  "StarParams",
  "TitansParams",
  "UGRNNParams",
  "UnICORNNParams",
  "UnICORNNState",
  "UnitaryRNNParams",
  "antisymmetric_rnn",
  "brc",
  "cfc",
  "cfn",
  "clockwork_rnn",
  "conductance_ltc",
  "cornn",
  "delta_net",
  "delta_product",
  "fast_grnn",
  "fast_rnn",
  "get_cell",
  "gla",
  "gru",
  "hgrn",
  "hgrn2",
  "hopfield",
  "indrnn",
  "intersection_rnn",
  "janet",
  "leaky_rnn",
  "lem",
  "li_gru",
  "lin_oss",
  "linear_attention",
  "lipschitz_rnn",
  "lmu",
  "lru",
  "lstm",
  "ltc",
  "mamba2",
  "mgu",
  "min_gru",
  "min_lstm",
  "minimal_rnn",
  "mlstm",
  "multiplicative_lstm",
  "mut1",
  "mut2",
  "mut3",
  "nas",
  "nbrc",
  "orthogonal_rnn",
  "peephole_lstm",
  "plrnn",
  "qrnn",
  "ran",
  "recommended",
  "recurrent_highway",
  "retnet",
  "rg_lru",
  "rnn",
  "rwkv6",
  "rwkv7",
  "s4d",
  "s5",
  "s6",
  "scrn",
  "simplified_lstm",
  "slstm",
  "sru",
  "star",
  "titans",
  "ugrnn",
  "unicornn",
  "unitary_rnn",
]
