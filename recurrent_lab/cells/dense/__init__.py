"""Cells with a dense recurrence on a vector, or on two."""

from collections.abc import Mapping
from types import MappingProxyType

from recurrent_lab.cell import Cell
from recurrent_lab.cells.dense._antisymmetric_rnn import (
  AntisymmetricRNNParams,
  GatedAntisymmetricRNNParams,
  antisymmetric_rnn,
)
from recurrent_lab.cells.dense._brc import BRCParams, NBRCParams, brc, nbrc
from recurrent_lab.cells.dense._cfn import CFNParams, cfn
from recurrent_lab.cells.dense._clockwork_rnn import ClockworkRNNParams, ClockworkState, clockwork_rnn
from recurrent_lab.cells.dense._cornn import CoRNNParams, CoRNNState, cornn
from recurrent_lab.cells.dense._fast_rnn import FastGRNNParams, FastRNNParams, fast_grnn, fast_rnn
from recurrent_lab.cells.dense._intersection_rnn import IntersectionRNNParams, intersection_rnn
from recurrent_lab.cells.dense._janet import JANETParams, janet
from recurrent_lab.cells.dense._leaky_rnn import LeakyRNNParams, leaky_rnn
from recurrent_lab.cells.dense._lem import LEMParams, LEMState, lem
from recurrent_lab.cells.dense._li_gru import LiGRUParams, li_gru
from recurrent_lab.cells.dense._lipschitz_rnn import LipschitzRNNParams, lipschitz_rnn
from recurrent_lab.cells.dense._mgu import MGUParams, mgu
from recurrent_lab.cells.dense._minimal_rnn import MinimalRNNParams, minimal_rnn
from recurrent_lab.cells.dense._multiplicative_lstm import MultiplicativeLSTMParams, multiplicative_lstm
from recurrent_lab.cells.dense._mut import MUT1Params, MUT2Params, MUT3Params, mut1, mut2, mut3
from recurrent_lab.cells.dense._nas import NASParams, nas
from recurrent_lab.cells.dense._orthogonal_rnn import OrthogonalRNNParams, orthogonal_rnn
from recurrent_lab.cells.dense._ran import RANParams, ran
from recurrent_lab.cells.dense._recurrent_highway import RecurrentHighwayParams, recurrent_highway
from recurrent_lab.cells.dense._scrn import SCRNParams, SCRNState, scrn
from recurrent_lab.cells.dense._star import StarParams, star
from recurrent_lab.cells.dense._ugrnn import UGRNNParams, ugrnn
from recurrent_lab.cells.dense._unitary_rnn import UnitaryRNNParams, unitary_rnn

#: The cells of this room by name.
CELLS: Mapping[str, Cell] = MappingProxyType(
  {
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
  }
)

__all__ = [
  "AntisymmetricRNNParams",
  "BRCParams",
  "CFNParams",
  "ClockworkRNNParams",
  "ClockworkState",
  "CoRNNParams",
  "CoRNNState",
  "FastGRNNParams",
  "FastRNNParams",
  "GatedAntisymmetricRNNParams",
  "IntersectionRNNParams",
  "JANETParams",
  "LEMParams",
  "LEMState",
  "LeakyRNNParams",
  "LiGRUParams",
  "LipschitzRNNParams",
  "MGUParams",
  "MUT1Params",
  "MUT2Params",
  "MUT3Params",
  "MinimalRNNParams",
  "MultiplicativeLSTMParams",
  "NASParams",
  "NBRCParams",
  "OrthogonalRNNParams",
  "RANParams",
  "RecurrentHighwayParams",
  "SCRNParams",
  "SCRNState",
  "StarParams",
  "UGRNNParams",
  "UnitaryRNNParams",
  "antisymmetric_rnn",
  "brc",
  "cfn",
  "clockwork_rnn",
  "cornn",
  "fast_grnn",
  "fast_rnn",
  "intersection_rnn",
  "janet",
  "leaky_rnn",
  "lem",
  "li_gru",
  "lipschitz_rnn",
  "mgu",
  "minimal_rnn",
  "multiplicative_lstm",
  "mut1",
  "mut2",
  "mut3",
  "nas",
  "nbrc",
  "orthogonal_rnn",
  "ran",
  "recurrent_highway",
  "scrn",
  "star",
  "ugrnn",
  "unitary_rnn",
]
