"""The two cells of xLSTM, whose input gate is exponential: sLSTM with scalar memories and mLSTM with a matrix memory.

sLSTM, with pre-activations a = x_t W + h_{t-1} R + b of i, f, z, o, where R is block-diagonal over the heads:

    m_t = max(ln f_t + m_{t-1}, a_i)            f_t = σ(a_f) or exp(a_f)
    i'_t = exp(a_i - m_t)
    f'_t = exp(ln f_t + m_{t-1} - m_t)
    c_t = f'_t ⊗ c_{t-1} + i'_t ⊗ tanh(a_z)
    n_t = f'_t ⊗ n_{t-1} + i'_t
    h_t = σ(a_o) ⊗ c_t / n_t

mLSTM, for each head, with q_t, v_t, k_t = x_t W_k / √K + b_k and a_i, a_f, a_o from affine maps of x_t:

    m_t, i'_t, f'_t as above, one number each
    C_t = f'_t C_{t-1} + i'_t k_t v_tᵀ
    n_t = f'_t n_{t-1} + i'_t k_t
    h_t = σ(a_o) ⊗ C_tᵀ q_t / max(|n_tᵀ q_t|, e^{-m_t})

The stabilizer m keeps the exponentials at most 1 and changes no output: the states (c, n, m) and (c e^{-s}, n e^{-s}, m + s)
give the same. Because of it, neither cell declares a `transition`. m_t is a maximum, and f'_t depends on m_{t-1}, so the
stabilized state is not an affine function of the old one. The mLSTM without stabilizer, C_t = f_t C_{t-1} + i_t k_t v_tᵀ, would
be. The sLSTM would not, because its gates see h_{t-1}.

The output of mLSTM is h_t of all heads side by side. The convolution, the output norm and the blocks around the cells are left
out. The paper's C is the transpose of this one.

Reference: Beck et al., "xLSTM: extended long short-term memory", NeurIPS (2024), eqs. 8-17 for sLSTM and eqs. 19-27 for mLSTM.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab._checks import check_choice
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid, tanh
from recurrent_lab.cell import Cell, Halves, holding, join, variants
from recurrent_lab.cells._heads import check_heads, head_size, outer, read, split_heads

MLSTM_OPTIONS = ("input_gain", "bias_scale", "dtype")


class SLSTMParams(NamedTuple):
  """Parameters of the sLSTM."""

  input_kernel: Float[Array, "I 4H"]  # columns of i, f, z, o, in this order
  recurrent_kernel: Float[Array, "K 4H"]  # columns of i, f, z, o; each sees the K = H / heads units of its head
  bias: Float[Array, "4H"]  # entries of i, f, z, o


class SLSTMState(NamedTuple):
  """State of the sLSTM."""

  hidden: Float[Array, "*batch H"]  # h_t
  cell: Float[Array, "*batch H"]  # c_t
  normalizer: Float[Array, "*batch H"]  # n_t
  stabilizer: Float[Array, "*batch H"]  # m_t


class MLSTMParams(NamedTuple):
  """Parameters of the mLSTM."""

  input_kernel: Float[Array, "I 4H+2heads"]  # columns of q, k, v, o, i, f, in this order
  bias: Float[Array, "4H+2heads"]  # entries of q, k, v, o, i, f


class MLSTMState(NamedTuple):
  """State of the mLSTM."""

  memory: Float[Array, "*batch heads K V"]  # C_t
  normalizer: Float[Array, "*batch heads K"]  # n_t
  stabilizer: Float[Array, "*batch heads"]  # m_t


def _log_forget(a: Array, forget: str) -> Array:
  """Returns ln f."""
  return jax.nn.log_sigmoid(a) if forget == "sigmoid" else a


def _gates(a_i: Array, log_f: Array, stabilizer: Array) -> tuple[Array, Array, Array]:
  """Returns i', f' and the new stabilizer m."""
  m = jnp.maximum(log_f + stabilizer, a_i)
  return jnp.exp(a_i - m), jnp.exp(log_f + stabilizer - m), m


def _activities(a_i: Array, a_f: Array, a_o: Array, forget: str) -> dict[str, Activity]:
  """Returns the activities of the gates without stabilizer."""
  gate, exponential = ACTIVATIONS["sigmoid"], lambda a: Activity(jnp.exp(a), a)
  return {
    "input": exponential(a_i),
    "forget": gate.activity(a_f) if forget == "sigmoid" else exponential(a_f),
    "output": gate.activity(a_o),
  }


def _forget_biases(size: int) -> np.ndarray:
  """Returns the biases of f for the units of a head, as in the authors' code."""
  return 5 - 12 * (np.arange(size) / max(size - 1, 1)) ** 0.3


def zero_slstm(params: SLSTMParams, batch_shape: tuple[int, ...] = ()) -> SLSTMState:
  """Returns a state of zeros."""
  zeros = jnp.zeros((*batch_shape, params.bias.shape[0] // 4), params.bias.dtype)
  return SLSTMState(zeros, zeros, zeros, zeros)


@variants
def slstm(heads: int = 1, forget: str = "sigmoid") -> Cell:
  """Returns an sLSTM. Its state is an `SLSTMState`, its output h `[*batch, H]`.

  Args:
    heads: the number of heads, which divides H. Units see the old h of their own head only.
    forget: `sigmoid` or `exp`, the nonlinearity of the forget gate.

  Raises:
    ValueError: for fewer than one head or another `forget`.
  """
  check_heads(heads)
  check_choice("forget", forget, ("sigmoid", "exp"))

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> SLSTMParams:
    """Draws parameters. The options are those of `InitOptions`. Raises `ValueError` if heads do not divide H.

    `forget_bias` is added to f and `write_bias` to i. The default forget biases are the authors', 5 - 12 (j / (K - 1))^0.3 for
    unit j of the K in its head: memory timescales from 150 steps down to 1. The authors' recurrent kernel starts at 0, which is
    `recurrent_gain=0`.
    """
    sizes = {"input_size": input_size, "hidden_size": hidden_size}
    initializers.parse_options(sizes, options)
    size = head_size(hidden_size, heads)
    o = initializers.parse_options(sizes, options, forget_bias=np.tile(_forget_biases(size), heads))
    k_input, k_recurrent, k_bias = jax.random.split(key, 3)
    bias = initializers.add_to_gate(initializers.bias(k_bias, 4 * hidden_size, o), 0, 4, o.write_bias)
    return SLSTMParams(
      input_kernel=initializers.input_kernel(k_input, input_size, 4 * hidden_size, o),
      recurrent_kernel=initializers.recurrent_kernel(k_recurrent, size, 4 * heads, o),
      bias=initializers.add_to_gate(bias, 1, 4, o.forget_bias),
    )

  def affine(params: SLSTMParams, state: SLSTMState, x: Float[Array, "*batch I"]) -> Float[Array, "*batch gates"]:
    """Returns the pre-activations of i, f, z, o."""
    h = split_heads(state.hidden, heads)
    kernel = params.recurrent_kernel.reshape(h.shape[-1], 4, heads, h.shape[-1])
    recurrent = jnp.einsum("...nd,dgne->...gne", h, kernel)
    return x @ params.input_kernel + params.bias + recurrent.reshape(*h.shape[:-2], -1)

  def pointwise(
    params: SLSTMParams, state: SLSTMState, a: Float[Array, "*batch gates"]
  ) -> tuple[SLSTMState, Float[Array, "*batch H"]]:
    a_i, a_f, a_z, a_o = jnp.split(a, 4, axis=-1)
    i, f, m = _gates(a_i, _log_forget(a_f, forget), state.stabilizer)
    c = f * state.cell + i * tanh(a_z)
    n = f * state.normalizer + i
    h = sigmoid(a_o) * c / n
    return SLSTMState(h, c, n, m), h

  def probe(params: SLSTMParams, state: SLSTMState, x: Array) -> dict[str, Activity]:
    """Returns the activities of the gates, without stabilizer, and of the candidate."""
    a_i, a_f, a_z, a_o = jnp.split(affine(params, state, x), 4, axis=-1)
    return {**_activities(a_i, a_f, a_o, forget), "candidate": ACTIVATIONS["tanh"].activity(a_z)}

  halves = Halves(affine, pointwise)
  output = lambda params, state: state.hidden
  return holding(SLSTMParams, Cell(init, zero_slstm, join(halves), probe, halves, output, gated=True))


def projections(params: MLSTMParams, x: Array, heads: int) -> tuple[Array, ...]:
  """Returns q, k, v and the pre-activations of o, i, f."""
  size = (params.bias.shape[0] - 2 * heads) // 4
  a = x @ params.input_kernel + params.bias
  q, k, v, a_o, a_i, a_f = jnp.split(a, [size, 2 * size, 3 * size, 4 * size, 4 * size + heads], axis=-1)
  scale = (size // heads) ** -0.5  # acts on the keys without their bias
  return q, scale * k + (1 - scale) * params.bias[size : 2 * size], v, a_o, a_i, a_f


@variants
def mlstm(heads: int = 1, forget: str = "sigmoid") -> Cell:
  """Returns an mLSTM. Its state is an `MLSTMState` with K = V = H / heads, its output h `[*batch, H]`.

  Args:
    heads: the number of heads, which divides H.
    forget: `sigmoid` or `exp`, the nonlinearity of the forget gate.

  Raises:
    ValueError: for fewer than one head or another `forget`.
  """
  check_heads(heads)
  check_choice("forget", forget, ("sigmoid", "exp"))

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> MLSTMParams:
    """Draws parameters. The options are those in `MLSTM_OPTIONS`. Raises `ValueError` if heads do not divide H.

    As in the authors' code, i and f do not see the input at first. The biases of f rise from 3 to 6 over the heads, and those of
    i have standard deviation 0.1.
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, MLSTM_OPTIONS)
    head_size(hidden_size, heads)
    k_input, k_bias, k_gate = jax.random.split(key, 3)
    width = 4 * hidden_size + 2 * heads
    gates = jnp.concatenate(
      [0.1 * jax.random.normal(k_gate, (heads,), o.dtype), jnp.linspace(3, 6, heads, dtype=o.dtype)]
    )
    return MLSTMParams(
      input_kernel=initializers.input_kernel(k_input, input_size, width, o).at[:, -2 * heads :].set(0),
      bias=initializers.bias(k_bias, width, o).at[-2 * heads :].add(gates),
    )

  def initial_state(params: MLSTMParams, batch_shape: tuple[int, ...] = ()) -> MLSTMState:
    """Returns a state of zeros."""
    size = (params.bias.shape[0] - 2 * heads) // 4 // heads
    zeros = lambda *own: jnp.zeros((*batch_shape, heads, *own), params.bias.dtype)
    return MLSTMState(zeros(size, size), zeros(size), zeros())

  def step(
    params: MLSTMParams, state: MLSTMState, x: Float[Array, "*batch I"]
  ) -> tuple[MLSTMState, Float[Array, "*batch H"]]:
    """Returns the new state and h_t."""
    q, k, v, a_o, a_i, a_f = projections(params, x, heads)
    q, k, v = (split_heads(part, heads) for part in (q, k, v))
    i, f, m = _gates(a_i, _log_forget(a_f, forget), state.stabilizer)
    memory = f[..., None, None] * state.memory + outer(i[..., None] * k, v)
    n = f[..., None] * state.normalizer + i[..., None] * k
    size = jnp.maximum(jnp.abs(jnp.sum(n * q, axis=-1)), jnp.exp(-m))
    return MLSTMState(memory, n, m), sigmoid(a_o) * read(memory, q / size[..., None])

  def probe(params: MLSTMParams, state: MLSTMState, x: Array) -> dict[str, Activity]:
    """Returns the activities of the gates, without stabilizer."""
    del state  # the gates see only the input
    *_, a_o, a_i, a_f = projections(params, x, heads)
    return _activities(a_i, a_f, a_o, forget)

  return holding(MLSTMParams, Cell(init, initial_state, step, probe, gated=True, options=MLSTM_OPTIONS))
