"""The Legendre memory unit: an RNN around a linear memory, which holds the last θ steps of a number u in Legendre polynomials.

    u_t = x_t e_x + h_{t-1} e_h + m_{t-1} e_m
    m_t = m_{t-1} Āᵀ + u_t B̄ᵀ
    h_t = tanh(x_t W + h_{t-1} U + m_t V)

where Ā and B̄ are constants. They are the upper rows of exp([A B; 0 0] / θ), which is the zero-order hold, for

    A_ij = (2i + 1) (-1 if i < j else (-1)^{i-j+1}),   B_i = (2i + 1) (-1)^i,   i, j = 0 … d - 1

The memory is linear given u_t, but u_t depends on h_{t-1}, so the cell declares no `transition`. It has no biases.

Reference: Voelker, Kajić & Eliasmith, "Legendre memory units: continuous-time representation in recurrent neural networks",
NeurIPS (2019), eqs. 1, 2, 4, 6 and 7, where vectors are columns.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, tanh
from recurrent_lab.cell import Cell, holding, variants

OPTIONS = ("recurrent_gain", "recurrent_init", "input_gain", "dtype")


class LMUParams(NamedTuple):
  """Parameters of the Legendre memory unit with a memory of order d."""

  input_kernel: Float[Array, "I H"]  # W
  recurrent_kernel: Float[Array, "H H"]  # U
  memory_kernel: Float[Array, "d H"]  # V
  input_encoder: Float[Array, "I"]  # e_x
  hidden_encoder: Float[Array, "H"]  # e_h
  memory_encoder: Float[Array, "d"]  # e_m


class LMUState(NamedTuple):
  """State of the Legendre memory unit."""

  hidden: Float[Array, "*batch H"]  # h_t
  memory: Float[Array, "*batch d"]  # m_t


@functools.cache
def discretized(order: int, window: float) -> tuple[np.ndarray, np.ndarray]:
  """Returns Ā `[d, d]` and B̄ `[d]` in float64. SciPy is imported at the first call, to keep the import of the lab light."""
  import scipy.linalg

  i, j = np.meshgrid(np.arange(order), np.arange(order), indexing="ij")
  scale = 2.0 * np.arange(order) + 1
  rates = np.zeros((order + 1, order + 1))
  rates[:order, :order] = scale[:, None] * np.where(i < j, -1.0, (-1.0) ** (i - j + 1))
  rates[:order, order] = scale * (-1.0) ** np.arange(order)
  held = scipy.linalg.expm(rates / window)
  return held[:order, :order], held[:order, order]


@variants
def lmu(order: int = 8, window: float = 16.0) -> Cell:
  """Returns a Legendre memory unit. Its state is an `LMUState`, its output h `[*batch, H]`.

  Args:
    order: d, the number of polynomials.
    window: θ, the number of past steps that the memory holds.

  Raises:
    ValueError: for an order below 1 or a window that is not above 0.
  """
  if order < 1:
    raise ValueError(f"order is {order!r}; it must be a positive integer.")
  if not window > 0:
    raise ValueError(f"window is {window!r}; it must be above 0.")

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> LMUParams:
    """Draws Gaussian parameters. The options are those in `OPTIONS`.

    Encoders and V have variance 1 / fan-in, and e_m = 0 as in the paper.
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    k_input, k_recurrent, k_memory, k_encoder, k_hidden = jax.random.split(key, 5)
    plain = o._replace(input_gain=1.0)
    return LMUParams(
      input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
      recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 1, o),
      memory_kernel=initializers.input_kernel(k_memory, order, hidden_size, plain),
      input_encoder=initializers.input_kernel(k_encoder, input_size, 1, o)[:, 0],
      hidden_encoder=initializers.input_kernel(k_hidden, hidden_size, 1, plain)[:, 0],
      memory_encoder=jnp.zeros((order,), o.dtype),
    )

  def initial_state(params: LMUParams, batch_shape: tuple[int, ...] = ()) -> LMUState:
    """Returns h_0 = 0 and m_0 = 0."""
    zeros = lambda size: jnp.zeros((*batch_shape, size), params.recurrent_kernel.dtype)
    return LMUState(zeros(params.recurrent_kernel.shape[0]), zeros(order))

  def preactivation(params: LMUParams, state: LMUState, x: Array) -> tuple[Array, Array]:
    """Returns m_t and the pre-activation of h_t."""
    h, m = state
    u = x @ params.input_encoder + h @ params.hidden_encoder + m @ params.memory_encoder
    kept, written = discretized(order, window)
    m = m @ jnp.asarray(kept.T, m.dtype) + u[..., None] * jnp.asarray(written, m.dtype)
    return m, x @ params.input_kernel + h @ params.recurrent_kernel + m @ params.memory_kernel

  def step(
    params: LMUParams, state: LMUState, x: Float[Array, "*batch I"]
  ) -> tuple[LMUState, Float[Array, "*batch H"]]:
    """Returns the new state and h_t."""
    m, a = preactivation(params, state, x)
    h = tanh(a)
    return LMUState(h, m), h

  def probe(params: LMUParams, state: LMUState, x: Array) -> dict[str, Activity]:
    """Returns the activity of h."""
    return {"state": ACTIVATIONS["tanh"].activity(preactivation(params, state, x)[1])}

  output = lambda params, state: state.hidden
  return holding(LMUParams, Cell(init, initial_state, step, probe, output=output, options=OPTIONS))
