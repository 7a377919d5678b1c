"""A table of how other libraries store the weights of a cell.

Each of their arrays is a grid of blocks. Each block holds the numbers of one gate in one field of the lab's params:

    ours = sign · theirs + shift

The gates of the lab are `i f g o` (LSTM) and `r z n` with h_t = (1 - z_t) ⊗ n_t + z_t ⊗ h_{t-1} (GRU). Its kernels are
`(in, out)`. If two blocks belong to the same gate and field, they are added: torch and Keras have two biases where one is enough.

The files of this folder hold the tables, by family of libraries. What shapes and names do not show stands at the top of each:
numbers that are added at run time, gates that are interleaved, and names that mislead.
"""

from collections.abc import Mapping
from types import MappingProxyType

from recurrent_lab.interop.layouts.layout import Block, Layers, Layout, Packing, Part
from recurrent_lab.interop.layouts.of_graphs import CHAINER, DYNET, KERAS, MXNET, TENSORFLOW
from recurrent_lab.interop.layouts.of_jax import BRAINSTATE, EQUINOX, FLAX, HAIKU, RNN_JAX
from recurrent_lab.interop.layouts.of_runtimes import COREML, NCNN, ONNX, OPENVINO
from recurrent_lab.interop.layouts.of_torch import MLX, OF_TORCH, PADDLE, TINYGRAD
from recurrent_lab.interop.layouts.xlstm import XLSTM

#: The layouts of the weights of other libraries, by the full name of the cell.
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
  {
    **FLAX,
    **OF_TORCH,
    **HAIKU,
    **KERAS,
    **EQUINOX,
    **BRAINSTATE,
    **RNN_JAX,
    **PADDLE,
    **MLX,
    **TINYGRAD,
    **XLSTM,
    **TENSORFLOW,
    **CHAINER,
    **MXNET,
    **DYNET,
    **ONNX,
    **OPENVINO,
    **NCNN,
    **COREML,
  }
)

# Cells that have no counterpart in the lab, with the reason.
REFUSED: Mapping[str, str] = MappingProxyType(
  {
    "flax.linen.MGUCell": "it resets after the recurrent product, and the lab's minimal gated unit before it",
    "flax.linen.ConvLSTMCell": "the lab has no convolutions",
    "equinox.nn.RNNCell": "Equinox has no simple recurrent cell",
    "chainer.links.StatefulGRU": "it leaves out its recurrent biases at the first step; after set_state with zeros, or if they "
    "are 0, it is chainer.links.StatelessGRU",
    "rnn_jax.cells.GatedRecurrentUnitCell": "its candidate has the kernels of the update gate, so it is not a GRU",
  }
)

__all__ = ["LAYOUTS", "REFUSED", "Block", "Layers", "Layout", "Packing", "Part"]
