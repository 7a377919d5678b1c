"""The initial weights that other libraries draw by default, as parameters of the lab's cells.

A recipe draws the kernels and biases of one class of another library, and names the cell of the lab that computes the same
function of them. What a library adds at run time, such as 1 to the pre-activation of the forget gate, is part of the bias here.
The random numbers are the lab's own, so the distributions are equal and single draws are not.

`docs/library_defaults.md` lists every recipe with the release of the package that it was checked against.
"""

from collections.abc import Mapping, Sequence
import math
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab._checks import check_choice
from recurrent_lab._kernels import (
  BY_UNITS,
  CUT_NORMAL,
  GLOROT_NORMAL,
  GLOROT_UNIFORM,
  LECUN_NORMAL,
  ORTHOGONAL,
  WHOLE_NORMAL,
  Kernels,
  Matrix,
)
from recurrent_lab.cells import GRUParams, LSTMParams, ResetBeforeGRUParams, RNNParams
from recurrent_lab.initializers import parse_options

# The gates of each cell in the order of its columns, and the class of its parameters.
GATES: Mapping[str, str] = {"rnn": "h", "rnn_relu": "h", "lstm": "ifgo", "gru": "rzn", "gru_reset_before": "rzn"}
PARAMS: Mapping[str, Any] = {
  "rnn": RNNParams,
  "rnn_relu": RNNParams,
  "lstm": LSTMParams,
  "gru": GRUParams,
  "gru_reset_before": ResetBeforeGRUParams,
}
KEEPS = {"ifgo": "f", "rzn": "z"}  # the gate that keeps the state


class Recipe(NamedTuple):
  """The default initialisation of a recurrent class of another library.

  `get_cell(recipe.cell)._replace(init=recipe.init)` is a cell that starts as that class does.

  Attributes:
    cell: the name in `CELLS` of the cell that computes the same function of the parameters.
    kernels: how the kernels are drawn.
    biases: the number of bias vectors, each uniform on ±1/√H, that the class adds to every gate. 0 if biases are constant.
    shift: gates and the constant that is part of their bias, whether the class stores it or adds it at run time.
  """

  cell: str
  kernels: Kernels
  biases: int = 0
  shift: tuple[tuple[str, float], ...] = ()

  def init(
    self, key: Key[Array, ""], input_size: int, hidden_size: int, dtype: Any = jnp.float32
  ) -> RNNParams | LSTMParams | GRUParams | ResetBeforeGRUParams:
    """Draws the parameters of `get_cell(recipe.cell)`.

    Raises:
      ValueError: for a size below 1, or a dtype that is not floating.
    """
    sizes = {"input_size": input_size, "hidden_size": hidden_size}
    dtype = parse_options(sizes, {"dtype": dtype}, ("dtype",)).dtype
    work = jnp.promote_types(dtype, jnp.float32)  # JAX has no QR in half precision
    k_kernels, k_outer, k_inner = jax.random.split(key, 3)
    kernels = self.kernels.draw(k_kernels, input_size, hidden_size, work)
    biases = self._biases(k_outer, k_inner, hidden_size, work)
    return PARAMS[self.cell](*(field.astype(dtype) for field in (*kernels, *biases)))

  def _biases(self, k_outer: Array, k_inner: Array, units: int, dtype: Any) -> tuple[Float[Array, "_"], ...]:
    """Returns `bias` `[kH]`, and for a GRU that resets after the product also `recurrent_bias` `[H]`.

    The second vector of torch and Paddle, and the `bias_n` of Equinox and MLX, belong to n inside of the reset product.
    """
    gates, shift = GATES[self.cell], dict(self.shift)
    bias = jnp.repeat(jnp.asarray([shift.get(gate, 0.0) for gate in gates], dtype), units)
    draw = lambda key: jax.random.uniform(key, bias.shape, dtype, -(units**-0.5), units**-0.5)
    inner = draw(k_inner) if self.biases else jnp.zeros_like(bias)
    if self.biases:
      bias = bias + draw(k_outer)
    if self.cell == "gru":
      bias = bias.at[: 2 * units].add(inner[: 2 * units]) if self.biases > 1 else bias
      return bias, inner[2 * units :]
    return (bias + inner if self.biases > 1 else bias,)

  def options(self, input_size: int, hidden_size: int) -> dict[str, Any]:
    """Returns the options with which the cell's own `init` draws weights of the same standard deviations.

    They are exact where the class draws all gates alike. Gates that differ get their root mean square. A constant on another
    gate than the one that keeps the state is left out. A block of a wide orthogonal matrix becomes a Gaussian one.
    """
    own, recurrent = self.kernels.deviations(input_size, hidden_size)
    matrix = self.kernels.recurrent
    is_orthogonal = matrix is not None and matrix.is_orthogonal and set(self.kernels.groups) == {1}
    vectors = (self.biases + 1) / 2 if self.cell == "gru" and self.biases else self.biases
    return {
      "recurrent_gain": 1.0 if is_orthogonal else recurrent * math.sqrt(hidden_size),
      "recurrent_init": "orthogonal" if is_orthogonal else "gaussian",
      "input_gain": own * math.sqrt(input_size),
      "bias_scale": math.sqrt(vectors / (3 * hidden_size)),
      "forget_bias": dict(self.shift).get(KEEPS.get(GATES[self.cell], ""), 0.0),
    }


def _uniform(cell: str, biases: int) -> Recipe:
  return Recipe(cell, Kernels(BY_UNITS, BY_UNITS, (len(GATES[cell]),)), biases)


def _apart(cell: str, own: Matrix, recurrent: Matrix, *shift: tuple[str, float]) -> Recipe:
  """Returns a recipe with a matrix for each gate."""
  return Recipe(cell, Kernels(own, recurrent, (1,) * len(GATES[cell])), shift=shift)


def _together(cell: str, own: Matrix, recurrent: Matrix, *shift: tuple[str, float]) -> Recipe:
  """Returns a recipe with one matrix for all gates."""
  return Recipe(cell, Kernels(own, recurrent, (len(GATES[cell]),)), shift=shift)


def _over_both(cell: str, matrix: Matrix, groups: Sequence[int], *shift: tuple[str, float]) -> Recipe:
  """Returns a recipe with one matrix over inputs and state, for each group of gates."""
  return Recipe(cell, Kernels(matrix, None, tuple(groups)), shift=shift)


_TENSORFLOW = "tensorflow.compat.v1.nn.rnn_cell"
_OPEN = ("f", 1.0)  # stored by Keras and Chainer, added at run time by Haiku, brainstate and TensorFlow

_OWN: Mapping[str, Recipe] = {
  "torch.nn.LSTM": _uniform("lstm", 2),
  "equinox.nn.LSTMCell": _uniform("lstm", 1),
  "flax.linen.LSTMCell": _apart("lstm", LECUN_NORMAL, ORTHOGONAL),
  "flax.nnx.OptimizedLSTMCell": _together("lstm", LECUN_NORMAL, ORTHOGONAL),
  "chainer.links.NStepLSTM": _apart("lstm", WHOLE_NORMAL, WHOLE_NORMAL),
  "keras.layers.LSTM": _together("lstm", GLOROT_UNIFORM, ORTHOGONAL, _OPEN),
  f"{_TENSORFLOW}.LSTMCell": _over_both("lstm", GLOROT_UNIFORM, (4,), _OPEN),
  "brainstate.nn.LSTMCell": _over_both("lstm", GLOROT_NORMAL, (4,), _OPEN),
  "haiku.LSTM": _over_both("lstm", CUT_NORMAL, (4,), _OPEN),
  "chainer.links.LSTM": _apart("lstm", WHOLE_NORMAL, WHOLE_NORMAL, _OPEN),
  "torch.nn.GRU": _uniform("gru", 2),
  "equinox.nn.GRUCell": _uniform("gru", 1),
  "flax.linen.GRUCell": _apart("gru", LECUN_NORMAL, ORTHOGONAL),
  "flax.nnx.GRUCell": _together("gru", LECUN_NORMAL, ORTHOGONAL),
  "chainer.links.NStepGRU": _apart("gru", WHOLE_NORMAL, WHOLE_NORMAL),
  "keras.layers.GRU": _together("gru", GLOROT_UNIFORM, ORTHOGONAL),
  "keras.layers.GRU(reset_after=False)": _together("gru_reset_before", GLOROT_UNIFORM, ORTHOGONAL),
  f"{_TENSORFLOW}.GRUCell": _over_both("gru_reset_before", GLOROT_UNIFORM, (2, 1), ("r", 1.0), ("z", 1.0)),
  "brainstate.nn.GRUCell": _over_both("gru_reset_before", ORTHOGONAL, (2, 1)),
  "haiku.GRU": _together("gru_reset_before", LECUN_NORMAL, LECUN_NORMAL),
  "chainer.links.GRU": _apart("gru_reset_before", WHOLE_NORMAL, WHOLE_NORMAL),
  "torch.nn.RNN": _uniform("rnn", 2),
  "mlx.nn.RNN": _uniform("rnn", 1),
  "flax.linen.SimpleCell": _apart("rnn", LECUN_NORMAL, ORTHOGONAL),
  "keras.layers.SimpleRNN": _apart("rnn", GLOROT_UNIFORM, ORTHOGONAL),
  f"{_TENSORFLOW}.BasicRNNCell": _over_both("rnn", GLOROT_UNIFORM, (1,)),
  "chainer.links.NStepRNNTanh": _apart("rnn", WHOLE_NORMAL, WHOLE_NORMAL),
  "haiku.VanillaRNN": _apart("rnn_relu", CUT_NORMAL, CUT_NORMAL),
  "brainstate.nn.ValinaRNNCell": _over_both("rnn_relu", GLOROT_NORMAL, (1,)),
  "chainer.links.NStepRNNReLU": _apart("rnn_relu", WHOLE_NORMAL, WHOLE_NORMAL),
}

# Classes that draw as another one does.
_SAME: Mapping[str, str] = {
  "torch.nn.LSTMCell": "torch.nn.LSTM",
  "torch.nn.GRUCell": "torch.nn.GRU",
  "torch.nn.RNNCell": "torch.nn.RNN",
  "paddle.nn.LSTM": "torch.nn.LSTM",
  "paddle.nn.GRU": "torch.nn.GRU",
  "paddle.nn.SimpleRNN": "torch.nn.RNN",
  "mlx.nn.LSTM": "equinox.nn.LSTMCell",
  "mlx.nn.GRU": "equinox.nn.GRUCell",
  "flax.linen.OptimizedLSTMCell": "flax.linen.LSTMCell",
  "flax.nnx.LSTMCell": "flax.linen.LSTMCell",
  "flax.nnx.SimpleCell": "flax.linen.SimpleCell",
  "keras.layers.LSTMCell": "keras.layers.LSTM",
  "keras.layers.GRUCell": "keras.layers.GRU",
  "keras.layers.GRUCell(reset_after=False)": "keras.layers.GRU(reset_after=False)",
  "keras.layers.SimpleRNNCell": "keras.layers.SimpleRNN",
  "chainer.links.StatelessLSTM": "chainer.links.LSTM",
  "chainer.links.StatelessGRU": "chainer.links.GRU",
  f"{_TENSORFLOW}.BasicLSTMCell": f"{_TENSORFLOW}.LSTMCell",
}

#: The recipes by the full name of the class. Classes that draw alike share one object.
RECIPES: Mapping[str, Recipe] = MappingProxyType({**_OWN, **{name: _OWN[other] for name, other in _SAME.items()}})


def init_like(name: str) -> Recipe:
  """Returns the default initialisation of a recurrent class of another library.

  Args:
    name: the full name of the class, such as `torch.nn.GRU` or `keras.layers.GRU(reset_after=False)`.
      Keras within TensorFlow is Keras.

  Raises:
    ValueError: for another name, with the names that are known.
  """
  name = name.removeprefix("tf.") if name.startswith("tf.keras.") else name
  check_choice("Class", name, RECIPES)
  return RECIPES[name]
