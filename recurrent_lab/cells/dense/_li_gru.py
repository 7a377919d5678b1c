"""The light GRU: a single gate, and a relu candidate.

    z_t = σ(x_t W_z + h_{t-1} U_z + b_z)
    c_t = relu(x_t W_c + h_{t-1} U_c + b_c)
    h_t = z_t ⊗ h_{t-1} + (1 - z_t) ⊗ c_t

The batch normalisation of the paper is left out, because it couples the sequences of a batch.

Reference: Ravanelli, Brakel, Omologo & Bengio, "Light gated recurrent units for speech recognition", IEEE Trans. Emerging Topics
in Comp. Intelligence 2 (2018).
"""

from typing import NamedTuple

from jaxtyping import Array, Float

from recurrent_lab.cell import Cell
from recurrent_lab.cells._gates import Gates, coupled


class LiGRUParams(NamedTuple):
  """Parameters of the light GRU."""

  input_kernel: Float[Array, "I 2H"]  # columns of z, c, in this order
  recurrent_kernel: Float[Array, "H 2H"]  # columns of z, c
  bias: Float[Array, "2H"]  # entries of z, c


#: The light GRU. Its state is h `[*batch, H]`, which is also its output.
li_gru: Cell = coupled(LiGRUParams, Gates("zc", "zc", keeps="z"), "relu")
