"""Initial weights. Every cell takes the same options, so a sweep can vary one option over all cells."""

from collections.abc import Callable, Mapping, Sequence
import numbers
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab._checks import check_choice, check_key


class InitOptions(NamedTuple):
  """Options of every cell's `init`. Gains, scales and biases may be traced, so a sweep can `vmap` over them.

  Attributes:
    recurrent_gain: W_s. The entries of a Gaussian recurrent kernel have standard deviation W_s / √H.
    recurrent_init: `gaussian`, `orthogonal` (gain times a Haar-random orthogonal matrix), `identity` (gain times I), `low_rank`
      (rank H/8), `excitatory_inhibitory` (one sign per sending unit, balanced) or `levy_stable` (infinite variance). Gated cells
      draw one independent block per gate.
    input_gain: the entries of the input kernel have standard deviation input_gain / √I.
    bias_scale: the standard deviation of the biases.
    forget_bias: added to the bias of the gate that keeps the state (f in an LSTM, z in a GRU). A larger bias remembers longer.
      A scalar or `[H]`. Cells without such a gate ignore it; their docstrings say so.
    write_bias: added to the bias of the gate that writes (i in an LSTM). A scalar or `[H]`. Other cells ignore it.
    timescale: stretches time by this factor, above 0. At an input of 0, the initial net decays, leaks or turns in `timescale`
      steps as it otherwise does in one. Only cells whose time constants are parameters have it.
    dtype: the dtype of every parameter.
  """

  recurrent_gain: ArrayLike = 1.0
  recurrent_init: str = "gaussian"
  input_gain: ArrayLike = 1.0
  bias_scale: ArrayLike = 0.0
  forget_bias: ArrayLike = 0.0
  write_bias: ArrayLike = 0.0
  timescale: ArrayLike = 1.0
  dtype: Any = jnp.float32


#: The options of a cell that names none of its own.
COMMON_OPTIONS = tuple(name for name in InitOptions._fields if name != "timescale")

EXCITATORY, STABILITY = 0.8, 1.5  # share of exciting units, and the index α of a stable distribution


def _gaussian(key: Key[Array, ""], blocks: int, size: int, dtype: Any) -> Array:
  return jax.random.normal(key, (blocks, size, size), dtype) / np.sqrt(size).astype(dtype)


def _orthogonal(key: Key[Array, ""], blocks: int, size: int, dtype: Any) -> Array:
  # JAX has no QR in half precision.
  return jax.random.orthogonal(key, size, (blocks,), jnp.promote_types(dtype, jnp.float32)).astype(dtype)


def _identity(key: Key[Array, ""], blocks: int, size: int, dtype: Any) -> Array:
  del key
  return jnp.broadcast_to(jnp.eye(size, dtype=dtype), (blocks, size, size))


def _low_rank(key: Key[Array, ""], blocks: int, size: int, dtype: Any) -> Array:
  """Draws M Nᵀ / √(R H) of rank R = max(1, H // 8), whose entries have variance 1/H.

  Reference: Mastrogiuseppe & Ostojic, "Linking connectivity, dynamics, and computations in low-rank recurrent neural networks",
  Neuron 99 (2018), eq. 1, without the random part.
  """
  rank = max(1, size // 8)
  left, right = jax.random.normal(key, (2, blocks, size, rank), dtype)
  return left @ jnp.swapaxes(right, 1, 2) / np.sqrt(rank * size).astype(dtype)


def _excitatory_inhibitory(key: Key[Array, ""], blocks: int, size: int, dtype: Any) -> Array:
  """Draws half-normal weights of one sign for all that a unit sends, balanced to mean 0 and variance 1/H.

  Four of five units excite (Dale's law), and the others inhibit four times as strongly.

  Reference: Rajan & Abbott, "Eigenvalue spectra of random matrices for neural networks", Phys. Rev. Lett. 97 (2006), eq. 1.
  """
  exciting = int(np.clip(round(EXCITATORY * size), 1, size))
  inhibiting = size - exciting
  # a exciting = b inhibiting for the balance, and a² exciting + b² inhibiting = 1 for the variance.
  strength = np.sqrt(inhibiting / (exciting * size)) if inhibiting else size**-0.5
  weight = np.where(np.arange(size) < exciting, strength, -strength * exciting / max(1, inhibiting))
  return jnp.asarray(weight, dtype)[:, None] * jnp.abs(jax.random.normal(key, (blocks, size, size), dtype))


def symmetric_stable(key: Key[Array, ""], shape: Sequence[int], alpha: ArrayLike, dtype: Any) -> Float[Array, "*shape"]:
  """Draws numbers whose characteristic function is exp(-|t|^α), by the transform of Chambers, Mallows & Stuck.

      x = sin(α θ) / cos(θ)^{1/α} · (cos((1 - α) θ) / w)^{(1 - α)/α},   θ uniform on ±π/2, w exponential

  α = 2 is Gaussian with variance 2, and α = 1 is Cauchy. α may be traced, between 0 and 2.

  Reference: Chambers, Mallows & Stuck, "A method for simulating stable random variables", J. Am. Stat. Assoc. 71 (1976).
  """
  k_angle, k_size = jax.random.split(key)
  work = jnp.promote_types(dtype, jnp.float32)
  edge = np.pi / 2 * (1 - float(jnp.finfo(work).eps))  # float32(π/2) has a negative cosine
  angle = jax.random.uniform(k_angle, shape, work, -edge, edge)
  waiting = jax.random.exponential(k_size, shape, work)
  alpha = jnp.asarray(alpha, work)
  skewed = jnp.sin(alpha * angle) / jnp.cos(angle) ** (1 / alpha)
  return (skewed * (jnp.cos((1 - alpha) * angle) / waiting) ** ((1 - alpha) / alpha)).astype(dtype)


def _levy_stable(key: Key[Array, ""], blocks: int, size: int, dtype: Any) -> Array:
  """Draws symmetric α-stable entries of scale H^(-1/α) with α = 3/2, whose variance is infinite.

  Reference: Kuśmierz, Ogawa & Toyoizumi, "Edge of chaos and avalanches in neural networks with heavy-tailed synaptic weight
  distribution", Phys. Rev. Lett. 125 (2020), eq. 2.
  """
  return symmetric_stable(key, (blocks, size, size), STABILITY, dtype) * jnp.asarray(size ** (-1 / STABILITY), dtype)


#: The distributions of recurrent kernels at gain 1, by name: `(key, blocks, size, dtype) -> [blocks, size, size]`.
RECURRENT_INITS: Mapping[str, Callable[[Array, int, int, Any], Array]] = {
  "gaussian": _gaussian,
  "orthogonal": _orthogonal,
  "identity": _identity,
  "low_rank": _low_rank,
  "excitatory_inhibitory": _excitatory_inhibitory,
  "levy_stable": _levy_stable,
}


def parse_options(
  sizes: Mapping[str, int], options: Mapping[str, Any], takes: Sequence[str] = COMMON_OPTIONS, **defaults: Any
) -> InitOptions:
  """Checks the sizes and options of an `init` and fills in defaults.

  Args:
    sizes: name -> size, each a positive integer.
    options: the options that the caller gave.
    takes: the options that the cell has, the same as its `Cell.options`.
    **defaults: the cell's own defaults, where they differ from those of `InitOptions`.

  Raises:
    ValueError: for a size below 1, an option that is unknown or that the cell has not, or an impossible value. The message names
      what is allowed.
  """
  for name, size in sizes.items():
    if not isinstance(size, numbers.Integral) or size < 1:
      raise ValueError(f"{name} is {size!r}; it must be a positive integer.")
  for name in options:
    check_choice("Option", name, InitOptions._fields)
    if name not in takes:
      raise ValueError(f"This cell has no {name}; its options are {', '.join(takes)}.")
  parsed = InitOptions(**{**defaults, **options})
  check_choice("recurrent_init", parsed.recurrent_init, RECURRENT_INITS)
  dtype = np.dtype(parsed.dtype)
  if not jnp.issubdtype(dtype, jnp.floating):
    raise ValueError(f"dtype is {dtype.name}; parameters must have a floating dtype, such as float32.")
  if dtype == np.float64 and not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
    raise ValueError("dtype is float64, but JAX runs in 32-bit mode; set jax_enable_x64 first.")
  for name in ("recurrent_gain", "input_gain", "bias_scale", "forget_bias", "write_bias", "timescale"):
    value = getattr(parsed, name)
    if isinstance(value, jax.core.Tracer):
      continue  # the numbers of a traced value are not known here; the caller checks them
    if not np.all(np.isfinite(value)):
      raise ValueError(f"{name} is {value}; it must be finite.")
    if name == "bias_scale" and np.any(np.less(value, 0)):
      raise ValueError(f"{name} is {value}; a standard deviation must be 0 or more.")
    if name == "timescale" and np.any(np.less_equal(value, 0)):
      raise ValueError(f"{name} is {value}; it must be above 0.")
  return parsed._replace(dtype=dtype)


def recurrent_kernel(key: Key[Array, ""], hidden_size: int, blocks: int, options: InitOptions) -> Float[Array, "H kH"]:
  """Draws `blocks` independent `[H, H]` kernels, scales them by the recurrent gain and puts them side by side."""
  kernels = RECURRENT_INITS[options.recurrent_init](key, blocks, hidden_size, options.dtype)
  gain = jnp.asarray(options.recurrent_gain, options.dtype)
  return gain * jnp.concatenate(list(kernels), axis=-1)


def diagonal_kernel(key: Key[Array, ""], hidden_size: int, options: InitOptions) -> Float[Array, "H"]:
  """Draws the recurrent weights `[H]` of units that see only themselves, each of them a net of size 1.

  At size 1, `gaussian` has standard deviation gain, `orthogonal` is ± gain, and `identity` is the gain itself.
  """
  if options.recurrent_init == "orthogonal":
    units = jax.random.rademacher(key, (hidden_size,), options.dtype)
  else:
    units = RECURRENT_INITS[options.recurrent_init](key, hidden_size, 1, options.dtype)[:, 0, 0]
  return jnp.asarray(options.recurrent_gain, options.dtype) * units


def input_kernel(key: Key[Array, ""], input_size: int, width: int, options: InitOptions) -> Float[Array, "I width"]:
  """Draws a Gaussian input kernel with standard deviation input_gain / √I.

  Inputs of variance 1 then add the variance input_gain² to every pre-activation.
  """
  gain = jnp.asarray(options.input_gain, options.dtype) / np.sqrt(input_size).astype(options.dtype)
  return gain * jax.random.normal(key, (input_size, width), options.dtype)


def bias(key: Key[Array, ""], width: int, options: InitOptions) -> Float[Array, "width"]:
  """Draws Gaussian biases with standard deviation bias_scale."""
  return jnp.asarray(options.bias_scale, options.dtype) * jax.random.normal(key, (width,), options.dtype)


def add_to_gate(bias: Float[Array, "kH"], gate: int, blocks: int, value: ArrayLike) -> Float[Array, "kH"]:
  """Adds `value`, a scalar or `[H]`, to the bias of gate number `gate` out of `blocks` gates."""
  gates = bias.reshape(blocks, -1)
  return gates.at[gate].add(jnp.asarray(value, bias.dtype)).reshape(-1)


def stretched(logit: Float[Array, "..."], options: InitOptions) -> Float[Array, "..."]:
  """Returns the logit of σ(logit) / timescale, for a leak or a time step that is σ of a parameter. It stays below 1."""
  tau = jnp.asarray(options.timescale, options.dtype)
  return logit - jnp.log(jnp.maximum(tau + (tau - 1) * jnp.exp(logit), jnp.finfo(options.dtype).eps))


def chrono(key: Key[Array, ""], hidden_size: int, longest: float | int, dtype: Any = jnp.float32) -> dict[str, Array]:
  """Draws chrono biases, which spread the memory timescales of a gated cell's units up to `longest` steps.

      b_f = ln u,   u uniform on [1, longest - 1],   b_i = -b_f

  A unit with σ(b_f) = 1 - 1/(1 + u) forgets in 1 + u steps. Returns the init options `forget_bias` `[H]` and `write_bias` `[H]`.

  Reference: Tallec & Ollivier, "Can recurrent neural networks warp time?", ICLR (2018), eq. 16.

  Raises:
    ValueError: if `longest` is not above 2, or for a number in place of the key.
  """
  check_key(key)
  if not longest > 2:
    raise ValueError(f"The longest time scale is {longest}; chrono biases need more than 2 steps.")
  bias = jnp.log(jax.random.uniform(key, (hidden_size,), dtype, 1, longest - 1))
  return {"forget_bias": bias, "write_bias": -bias}
