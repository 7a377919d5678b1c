"""The update gate recurrent network: a GRU without the reset gate.

    c_t = tanh(x_t W_c + h_{t-1} U_c + b_c)
    g_t = σ(x_t W_g + h_{t-1} U_g + b_g)
    h_t = g_t ⊗ h_{t-1} + (1 - g_t) ⊗ c_t

Reference: Collins, Sohl-Dickstein & Sussillo, "Capacity and trainability in recurrent neural networks", ICLR (2017).
"""

from typing import NamedTuple

from jaxtyping import Array, Float

from recurrent_lab.cell import Cell
from recurrent_lab.cells._gates import Gates, coupled


class UGRNNParams(NamedTuple):
  """Parameters of the update gate network."""

  input_kernel: Float[Array, "I 2H"]  # columns of c, g, in this order
  recurrent_kernel: Float[Array, "H 2H"]  # columns of c, g
  bias: Float[Array, "2H"]  # entries of c, g


#: The update gate network. Its state is h `[*batch, H]`, which is also its output.
ugrnn: Cell = coupled(UGRNNParams, Gates("cg", "cg", keeps="g"), "tanh")
