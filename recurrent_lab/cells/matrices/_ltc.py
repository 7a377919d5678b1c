"""Liquid time-constant networks: each unit decays at a rate that depends on the input and on the other units.

The equation of the paper, and that of conductance synapses from units i to units j with reversal potentials E, whose simplified
form it is:

    dh/dt = -(1/τ + f(h, x)) ⊗ h + f(h, x) ⊗ A                                       f(h, x) = σ(x W + h U + b)
    C_j dh_j/dt = -g_j (h_j - V_j) - Σ_i w_ij σ(s_ij (h_i - μ_ij)) (h_j - E_ij) - the same sum over the inputs x_i

A step of the net lasts one unit of time. It consists of L steps of the fused solver with δ = 1/L. The solver is implicit in the
h that f multiplies, so no step overshoots:

    h ← (h + δ f(h, x) ⊗ A) / (1 + δ (1/τ + f(h, x)))
    h ← (C/δ ⊗ h + g ⊗ V + Σ w σ E) / (C/δ + g + Σ w σ)

C, g, w and 1/τ are positive: they are softplus of their parameters. The paper also has tanh for f, which can be negative.

References:
- Hasani, Lechner, Amini, Rus & Grosu, "Liquid time-constant networks", AAAI (2021), eqs. 1 and 3 and algorithm 1.
- Lechner et al., "Neural circuit policies enabling auditable autonomy", Nature Machine Intelligence 2 (2020), for the
  conductances, which the authors' package `ncps` computes.
"""

from typing import Any, NamedTuple

import jax
from jax.nn import softplus
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid
from recurrent_lab.cell import Cell, holding, variants, whole_state

OPTIONS = ("recurrent_gain", "recurrent_init", "input_gain", "bias_scale", "timescale", "dtype")
CONDUCTANCE_OPTIONS = ("recurrent_gain", "input_gain", "timescale", "dtype")


class LTCParams(NamedTuple):
  """Parameters of the liquid time-constant network."""

  input_kernel: Float[Array, "I H"]  # W
  recurrent_kernel: Float[Array, "H H"]  # U
  rate: Float[Array, "H"]  # 1/τ = softplus(rate), per step
  level: Float[Array, "H"]  # A, to which an excited unit moves
  bias: Float[Array, "H"]  # b


class ConductanceLTCParams(NamedTuple):
  """Parameters of the liquid time-constant network with conductance synapses."""

  input_kernel: Float[Array, "I H"]  # w of the inputs = softplus(input_kernel)
  input_slope: Float[Array, "I H"]  # s of the inputs
  input_threshold: Float[Array, "I H"]  # μ of the inputs
  input_reversal: Float[Array, "I H"]  # E of the inputs
  recurrent_kernel: Float[Array, "H H"]  # w = softplus(recurrent_kernel)
  slope: Float[Array, "H H"]  # s
  threshold: Float[Array, "H H"]  # μ
  reversal: Float[Array, "H H"]  # E
  capacitance: Float[Array, "H"]  # C = softplus(capacitance)
  leak: Float[Array, "H"]  # g = softplus(leak)
  leak_reversal: Float[Array, "H"]  # V


def _check_unfolds(unfolds: int) -> None:
  if unfolds < 1:
    raise ValueError(f"unfolds is {unfolds!r}; it must be a positive integer.")


def _positive(value: Array) -> Array:
  """Returns the parameter of which `value` is the softplus."""
  return value + jnp.log(-jnp.expm1(-value))


def initial_state(
  params: LTCParams | ConductanceLTCParams, batch_shape: tuple[int, ...] = ()
) -> Float[Array, "*batch H"]:
  """Returns h_0 = 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, params.recurrent_kernel.shape[0]), params.recurrent_kernel.dtype)


@variants
def ltc(unfolds: int = 6) -> Cell:
  """Returns the liquid time-constant network of the paper. Its state is h `[*batch, H]`, which is also its output.

  Args:
    unfolds: L, the number of solver steps per step of the net.

  Raises:
    ValueError: for fewer than one unfold.
  """
  _check_unfolds(unfolds)

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> LTCParams:
    """Draws parameters. The options are those in `OPTIONS`. τ starts at `timescale` steps, and A at -1 or 1."""
    o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, OPTIONS)
    k_input, k_recurrent, k_level, k_bias = jax.random.split(key, 4)
    return LTCParams(
      input_kernel=initializers.input_kernel(k_input, input_size, hidden_size, o),
      recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, 1, o),
      rate=_positive(jnp.full((hidden_size,), 1 / jnp.asarray(o.timescale, o.dtype))),
      level=jax.random.rademacher(k_level, (hidden_size,), o.dtype),
      bias=initializers.bias(k_bias, hidden_size, o),
    )

  def step(
    params: LTCParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    """Returns h_t twice: as the state and as the output."""
    driven, rate = x @ params.input_kernel + params.bias, softplus(params.rate)
    for _ in range(unfolds):
      f = sigmoid(driven + state @ params.recurrent_kernel)
      state = (state + f * params.level / unfolds) / (1 + (rate + f) / unfolds)
    return state, state

  def probe(params: LTCParams, state: Array, x: Array) -> dict[str, Activity]:
    """Returns the activity of f at the start of the step."""
    a = x @ params.input_kernel + params.bias + state @ params.recurrent_kernel
    return {"synapse": ACTIVATIONS["sigmoid"].activity(a)}

  return holding(LTCParams, Cell(init, initial_state, step, probe, output=whole_state, gated=True, options=OPTIONS))


def draw_conductances(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> ConductanceLTCParams:
  """Draws parameters. The options are those in `CONDUCTANCE_OPTIONS`.

  The distributions are those of `ncps`: w and g uniform on [0.001, 1], C on [0.4, 0.6], s on [3, 8], μ on [0.3, 0.8],
  V on [-0.2, 0.2]. `timescale` multiplies C. E is -1 for one synapse in three and 1 for the others, times the gain of the inputs
  or of the recurrence.
  """
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, CONDUCTANCE_OPTIONS)
  keys = iter(jax.random.split(key, 11))
  uniform = lambda shape, low, high: jax.random.uniform(next(keys), shape, o.dtype, low, high)
  number = lambda value: jnp.asarray(value, o.dtype)
  sign = lambda shape: jnp.where(jax.random.bernoulli(next(keys), 2 / 3, shape), 1, -1).astype(o.dtype)
  sensory, inner, units = (input_size, hidden_size), (hidden_size, hidden_size), (hidden_size,)
  return ConductanceLTCParams(
    input_kernel=_positive(uniform(sensory, 0.001, 1)),
    input_slope=uniform(sensory, 3, 8),
    input_threshold=uniform(sensory, 0.3, 0.8),
    input_reversal=number(o.input_gain) * sign(sensory),
    recurrent_kernel=_positive(uniform(inner, 0.001, 1)),
    slope=uniform(inner, 3, 8),
    threshold=uniform(inner, 0.3, 0.8),
    reversal=number(o.recurrent_gain) * sign(inner),
    capacitance=_positive(number(o.timescale) * uniform(units, 0.4, 0.6)),
    leak=_positive(uniform(units, 0.001, 1)),
    leak_reversal=uniform(units, -0.2, 0.2),
  )


def activations(slope: Array, threshold: Array, h: Float[Array, "*batch N"]) -> Array:
  """Returns the pre-activations s_ij (h_i - μ_ij), `[*batch, N, H]`."""
  return slope * (h[..., None] - threshold)


def currents(weight: Array, reversal: Array, a: Array) -> tuple[Array, Array]:
  """Returns Σ_i w σ E and Σ_i w σ, `[*batch, H]`."""
  open_ = weight * sigmoid(a)
  return jnp.sum(open_ * reversal, axis=-2), jnp.sum(open_, axis=-2)


@variants
def conductance_ltc(unfolds: int = 6) -> Cell:
  """Returns the liquid time-constant network with conductance synapses. Its state is h `[*batch, H]`, which is also its output.

  Args:
    unfolds: L, the number of solver steps per step of the net.

  Raises:
    ValueError: for fewer than one unfold.
  """
  _check_unfolds(unfolds)

  def step(
    params: ConductanceLTCParams, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    """Returns h_t twice: as the state and as the output."""
    p, weight = params, softplus(params.recurrent_kernel)
    inertia, leak = unfolds * softplus(p.capacitance), softplus(p.leak)
    a = activations(p.input_slope, p.input_threshold, x)
    drive, conductance = currents(softplus(p.input_kernel), p.input_reversal, a)
    drive, conductance = drive + leak * p.leak_reversal, conductance + leak + inertia
    for _ in range(unfolds):
      up, down = currents(weight, p.reversal, activations(p.slope, p.threshold, state))
      state = (inertia * state + drive + up) / (conductance + down)
    return state, state

  def probe(params: ConductanceLTCParams, state: Array, x: Array) -> dict[str, Activity]:
    """Returns the activities of all synapses at the start of the step, `[*batch, N H]` each."""
    gate, p = ACTIVATIONS["sigmoid"], params
    flat = lambda a: a.reshape(*a.shape[:-2], -1)
    return {
      "input_synapse": gate.activity(flat(activations(p.input_slope, p.input_threshold, x))),
      "synapse": gate.activity(flat(activations(p.slope, p.threshold, state))),
    }

  return holding(
    ConductanceLTCParams,
    Cell(draw_conductances, initial_state, step, probe, output=whole_state, gated=True, options=CONDUCTANCE_OPTIONS),
  )
