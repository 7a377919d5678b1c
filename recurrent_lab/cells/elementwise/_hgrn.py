"""The hierarchically gated recurrent network: a forget gate with a floor, which rises from layer to layer.

    λ_t = γ + (1 - γ) σ(x_t W_λ + b_λ)
    c_t = silu(x_t W_c + b_c),   g_t = σ(x_t W_g + b_g)
    h_t = λ_t e^{iθ} ⊗ h_{t-1} + (1 - λ_t) ⊗ c_t          complex h, c
    o_t = (g_t ⊗ [Re h_t, Im h_t]) W_o

The real form has e^{iθ} = 1, real h and c, and o_t = g_t ⊗ h_t. The Jacobian is diag(λ_t e^{iθ}), so the exponents are the means
of ln |λ_t|, and for γ ≥ 0 none is below ln γ. The layer norm before W_o is left out. The authors' code has g = silu(·).

With γ = -1 the factor is λ_t = 2 σ(·) - 1, so that the real form has negative eigenvalues too. The papers have γ ≥ 0.

References:
- Qin, Yang & Zhong, "Hierarchically gated recurrent neural network for sequence modeling", NeurIPS (2023), section 3.2.
- Qin et al., "HGRN2: gated linear RNNs with state expansion", COLM (2024), eq. 1, for the real form.
- Grazzi et al., "Unlocking state-tracking in linear RNNs through negative eigenvalues", ICLR (2025), for 2 σ(·) - 1.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab._checks import check_choice
from recurrent_lab.activations import ACTIVATIONS, Activity, log_sigmoid_slope, sigmoid
from recurrent_lab.cell import Cell, holding, variants
from recurrent_lab.cells._complex import by_real, pair_of, zeros
from recurrent_lab.cells._linear import from_parts
from recurrent_lab.transitions import Diagonal, Rotations, Transition

OPTIONS = ("input_gain", "bias_scale", "forget_bias", "dtype")


class HGRNParams(NamedTuple):
  """Parameters of the complex form."""

  input_kernel: Float[Array, "I 5H"]  # columns of λ, Re c, Im c, and two of g, in this order
  bias: Float[Array, "5H"]  # entries of λ, Re c, Im c, g
  angle: Float[Array, "H"]  # θ, radians per step
  output_kernel: Float[Array, "2H H"]  # W_o


class RealHGRNParams(NamedTuple):
  """Parameters of the real form."""

  input_kernel: Float[Array, "I 3H"]  # columns of λ, c, g, in this order
  bias: Float[Array, "3H"]  # entries of λ, c, g


def check_floor(floor: float) -> None:
  """Raises a `ValueError` unless -1 <= floor < 1."""
  if not -1 <= floor < 1:
    raise ValueError(f"floor is {floor!r}; it must be at least -1 and below 1.")


def kept(a: Float[Array, "..."], floor: float) -> Float[Array, "..."]:
  """Returns λ = γ + (1 - γ) σ(a) with γ = floor."""
  return floor + (1 - floor) * sigmoid(a)


def keeping(a: Float[Array, "..."], floor: float) -> Activity:
  """Returns the activity of λ."""
  return Activity(kept(a, floor), np.log1p(-floor).astype(a.dtype) + log_sigmoid_slope(a))


def silu(a: Float[Array, "..."]) -> Activity:
  """Returns the activity of silu(a) = a σ(a)."""
  gate = sigmoid(a)
  return Activity(a * gate, jnp.log(jnp.abs(gate * (1 + a * sigmoid(-a)))))


def _split(params: Any, x: Array, blocks: int) -> tuple[Array, Array, Array]:
  """Returns the pre-activations of λ, c and g."""
  a = x @ params.input_kernel + params.bias
  size = a.shape[-1] // blocks
  wide = size * (blocks - 1) // 2
  return a[..., :size], a[..., size : size + wide], a[..., size + wide :]


def _decaying(params: RealHGRNParams, factor: Array, write: Array, c: Array) -> Transition:
  return Transition(Diagonal(factor), write * c)


def _rotating(params: HGRNParams, factor: Array, write: Array, c: Array) -> Transition:
  rotations = Rotations(factor * jnp.cos(params.angle), factor * jnp.sin(params.angle))
  return Transition(rotations, by_real(pair_of(c), write))


@variants
def hgrn(numbers: str = "complex", floor: float = 0.0) -> Cell:
  """Returns a hierarchically gated recurrent network. Its output is o `[*batch, H]`.

  Its state is h, a `Pair` of `[*batch, H]`, or one array of that shape in the real form.

  Args:
    numbers: `complex` or `real`.
    floor: γ, the least λ. In the paper it is learned, from 0 in the lowest layer on. At -1 the factors lie in [-1, 1].

  Raises:
    ValueError: for other numbers, or unless -1 <= floor < 1.
  """
  check_choice("numbers", numbers, ("complex", "real"))
  check_floor(floor)
  is_complex = numbers == "complex"
  blocks = 5 if is_complex else 3

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> Any:
    """Draws parameters. The options are those in `OPTIONS`. `forget_bias` is added to λ, so larger remembers longer.

    The angles of the complex form are 10000^{-2j/H}, as in the authors' code, and W_o has the variance 1 / (2H).
    """
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    k_input, k_bias, k_output = jax.random.split(key, 3)
    kernel = initializers.input_kernel(k_input, input_size, blocks * hidden_size, o)
    bias = initializers.add_to_gate(initializers.bias(k_bias, blocks * hidden_size, o), 0, blocks, o.forget_bias)
    if not is_complex:
      return RealHGRNParams(kernel, bias)
    angle = jnp.asarray(10000.0 ** (-2 * np.arange(hidden_size) / hidden_size), o.dtype)
    output_kernel = initializers.input_kernel(k_output, 2 * hidden_size, hidden_size, o._replace(input_gain=1.0))
    return HGRNParams(kernel, bias, angle, output_kernel)

  def initial_state(params: Any, batch_shape: tuple[int, ...] = ()) -> Any:
    """Returns h_0 = 0."""
    shape = (*batch_shape, params.bias.shape[0] // blocks)
    return zeros(shape, params.bias.dtype) if is_complex else jnp.zeros(shape, params.bias.dtype)

  def parts(params: Any, x: Float[Array, "*batch I"]) -> tuple[tuple[Array, Any], Transition]:
    """Returns g_t with the params, and the factors λ_t e^{iθ} with the written (1 - λ_t) ⊗ c_t."""
    a_forget, a_c, a_g = _split(params, x, blocks)
    write = (1 - floor) * sigmoid(-a_forget)
    make = _rotating if is_complex else _decaying
    return (sigmoid(a_g), params), make(params, kept(a_forget, floor), write, a_c * sigmoid(a_c))

  def read(state: Any, seen: tuple[Array, Any]) -> Float[Array, "*batch H"]:
    """Returns o_t."""
    opened, params = seen
    return (opened * jnp.concatenate(state, axis=-1)) @ params.output_kernel if is_complex else opened * state

  def probe(params: Any, state: Any, x: Array) -> dict[str, Activity]:
    """Returns the activity of both gates and of the candidate."""
    del state  # gates and candidate see only the input
    a_forget, a_c, a_g = _split(params, x, blocks)
    output = ACTIVATIONS["sigmoid"].activity(a_g)
    return {"forget": keeping(a_forget, floor), "candidate": silu(a_c), "output": output}

  transition, step = from_parts(parts, read)
  kind = HGRNParams if is_complex else RealHGRNParams
  cell = Cell(init, initial_state, step, probe, gated=True, transition=transition, options=OPTIONS)
  return holding(kind, cell._replace(elementwise=not is_complex))
