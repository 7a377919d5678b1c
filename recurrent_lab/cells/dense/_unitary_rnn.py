"""The unitary evolution network: complex units whose recurrent matrix is a product of cheap unitary matrices.

    K h = D₃ R₂ F⁻¹ D₂ Π R₁ F D₁ h
    h_t = modReLU(K h_{t-1} + x_t U)

    D = diag(e^{iθ})        R h = h - 2 v (v* h) / ‖v‖²        F the Fourier transform        Π a fixed permutation
    modReLU(z) = relu(|z| + b) z / |z|,   and 0 at z = 0

so that K has O(H) parameters, costs O(H ln H), and preserves lengths. At b = 0 the whole Jacobian is unitary.

Reference: Arjovsky, Shah & Bengio, "Unitary evolution recurrent neural networks", ICML (2016), eq. 6 for K and eq. 8 for modReLU.
The paper learns h_0, which is 0 here, and reads out both parts of h. The output of the cell has H numbers: the real part.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Key
import numpy as np

from recurrent_lab import initializers
from recurrent_lab.activations import Activity
from recurrent_lab.cell import Cell, Halves, holding, join, variants
from recurrent_lab.transitions import Pair

OPTIONS = ("input_gain", "bias_scale", "dtype")


class UnitaryRNNParams(NamedTuple):
  """Parameters of the unitary RNN with H complex units."""

  input_kernel: Float[Array, "I 2H"]  # columns of the real part of U, then of the imaginary part
  phases: Float[Array, "3 H"]  # θ of D₁, D₂, D₃
  reflection_real: Float[Array, "2 H"]  # the real part of v of R₁, R₂
  reflection_imag: Float[Array, "2 H"]  # the imaginary part
  bias: Float[Array, "H"]  # b of modReLU


def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> UnitaryRNNParams:
  """Draws parameters. The options are those in `OPTIONS`.

  As in the paper, phases are uniform on [-π, π], and both parts of v on [-1, 1].
  """
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
  k_input, k_phase, k_real, k_imag, k_bias = jax.random.split(key, 5)
  uniform = lambda key, rows, bound: jax.random.uniform(key, (rows, hidden_size), o.dtype, -bound, bound)
  return UnitaryRNNParams(
    input_kernel=initializers.input_kernel(k_input, input_size, 2 * hidden_size, o),
    phases=uniform(k_phase, 3, np.pi),
    reflection_real=uniform(k_real, 2, 1),
    reflection_imag=uniform(k_imag, 2, 1),
    bias=initializers.bias(k_bias, hidden_size, o),
  )


def initial_state(params: UnitaryRNNParams, batch_shape: tuple[int, ...] = ()) -> Pair:
  """Returns h_0 = 0, two arrays `[*batch, H]`."""
  zeros = jnp.zeros((*batch_shape, *params.bias.shape), params.bias.dtype)
  return Pair(zeros, zeros)


def reflect(v: Complex[Array, "H"], h: Complex[Array, "*batch H"]) -> Complex[Array, "*batch H"]:
  """Computes R h, the reflection of h at the hyperplane orthogonal to v."""
  return h - 2 * v * (h @ v.conj())[..., None] / jnp.sum(jnp.real(v * v.conj()))


@variants
def unitary_rnn(seed: int = 0) -> Cell:
  """Returns a unitary RNN. Its state is h, a `Pair` of arrays `[*batch, H]`, and its output is the real part of h.

  Args:
    seed: draws the permutation Π, which is the same for all nets of one size.
  """

  def affine(params: UnitaryRNNParams, state: Pair, x: Float[Array, "*batch I"]) -> Array:
    """Returns the real and the imaginary part of K h + x U, side by side, `[*batch, 2H]`."""
    order = np.random.default_rng(seed).permutation(params.bias.shape[0])
    turns = jnp.exp(1j * params.phases)
    v = jax.lax.complex(params.reflection_real, params.reflection_imag)
    h = jax.lax.complex(*state)
    h = reflect(v[0], jnp.fft.fft(turns[0] * h))
    h = reflect(v[1], jnp.fft.ifft(turns[1] * h[..., order]))
    h = turns[2] * h
    return jnp.concatenate([jnp.real(h), jnp.imag(h)], axis=-1) + x @ params.input_kernel

  def modulus(a: Array) -> tuple[Array, Array, Array]:
    """Returns the real part, the imaginary part and |z|, with a finite gradient at 0."""
    real, imag = jnp.split(a, 2, axis=-1)
    square = real**2 + imag**2
    return real, imag, jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)

  def pointwise(params: UnitaryRNNParams, state: Pair, a: Array) -> tuple[Pair, Float[Array, "*batch H"]]:
    real, imag, size = modulus(a)
    scale = jax.nn.relu(size + params.bias) / jnp.where(size > 0, size, 1)
    new = Pair(scale * real, scale * imag)
    return new, new.real

  def probe(params: UnitaryRNNParams, state: Pair, x: Array) -> dict[str, Activity]:
    """Returns the moduli and the log-slope of modReLU along the radius: 0 where it is on, -inf where it is off."""
    kept = modulus(affine(params, state, x))[2] + params.bias
    return {"state": Activity(jax.nn.relu(kept), jnp.where(kept > 0, 0.0, -jnp.inf).astype(kept.dtype))}

  halves = Halves(affine, pointwise)
  output = lambda params, state: state.real
  return holding(UnitaryRNNParams, Cell(init, initial_state, join(halves), probe, halves, output, options=OPTIONS))
