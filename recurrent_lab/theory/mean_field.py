"""Mean-field theory, by sampling, of any cell with a dense Gaussian kernel.

Take a network of H → ∞ units with independent weights U_ij ~ N(0, W_s² / H) and one block of them per gate. The recurrent part
η_i(t) = Σ_j U_ij h_j(t) of a pre-activation is then a Gaussian process. It is independent between units and between gates, with

    E η(t) η(t') = W_s² E h(t) h(t').

One unit, driven by η and by its own white input, therefore represents the whole network. A perturbation δh of the states returns
to each unit as another Gaussian process,

    δη_i(t) = Σ_j U_ij δh_j(t),       E δη(t) δη(t') = W_s² E δh(t) δh(t').

It is independent of η, because the sign of a perturbation is arbitrary, which gives E δh h = 0. The state of the unit changes by

    δs(t) = ∂s(t)/∂s(t-1) δs(t-1) + ∂s(t)/∂η(t) δη(t).

Half the log growth of E |δs|² per step is the growth rate of the Jacobian product. The averages E are taken over a population of
independent units. The processes keep their correlation in time. This matters, because gated units integrate their drive: they
would average away a drive that is independent at each step.

The theory fails for:
- small H. Corrections are of order 1/√H. If biases, or drives frozen in time, make units unequal, the few units that forget least
  dominate the product, and a larger network has more extreme ones. Use `samples` = H to compare with a network of H units;
- a silent network. Its rate has the closed form ln `zero_state_radius`; the sampled rate converges to it only as 1/√samples;
- kernels without independent Gaussian entries: orthogonal, Hebbian or trained ones;
- few inputs, because these drive all units alike. Here every unit and gate has its own white input;
- states that remember where they started.

References: Sompolinsky, Crisanti & Sommers, PRL 61 (1988), for dynamic mean field; Krishnamurthy, Can & Schwab, "Theory of
gating in recurrent neural networks", PRX 12 (2022), for gates; Eissfeller & Opper, PRL 68 (1992), for the solution by sampling.
"""

from functools import cache, partial
from typing import Any, NamedTuple

import jax
from jax import lax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab.cell import Cell, Params, State
from recurrent_lab.cells import get_cell
from recurrent_lab.scaled import norm
from recurrent_lab.theory.domain import restrict


class MeanField(NamedTuple):
  """Activity and growth of the population at each step, from a start near the zero state."""

  mean_square: Float[Array, "T"]  # E h(t)²
  log_growth: Float[Array, "T"]  # ½ ln (E |δs(t)|² / E |δs(t-1)|²), nats


def hidden(state: State) -> Array:
  """Returns the part of a state that other units see."""
  return state.hidden if hasattr(state, "hidden") else state


def local_step(
  cell: Cell, params: Params, state: State, recurrent: Float[Array, "k"], external: Float[Array, "m"]
) -> State:
  """Computes the step of one unit from the recurrent and the external part of its pre-activations.

  It runs the cell's own step on a net of two units. The second unit stands for all others: it has h = 1, and its weights to the
  first unit are the recurrent part. Every gate then finds the recurrent part in the right place, also the reset gate of a GRU.

  Args:
    cell: any cell whose units see each other through `hidden @ recurrent_kernel` alone.
    params: params of two units, which provide the biases.
    state: the state of one unit; every leaf is a scalar.
    recurrent: Σ_j U_ij h_j for each of the k blocks of the recurrent kernel.
    external: the part of the input, without biases, for each of the m blocks of the input kernel.
  """
  pair = jax.tree.map(lambda leaf: jnp.stack([leaf, jnp.zeros_like(leaf)]), state)
  seen = jnp.stack([hidden(state), jnp.ones_like(hidden(state))])
  pair = pair._replace(hidden=seen) if hasattr(pair, "hidden") else seen
  to_first = lambda row, rows, at: jnp.zeros((rows, row.size, 2), row.dtype).at[at, :, 0].set(row).reshape(rows, -1)
  params = params._replace(input_kernel=to_first(external, 1, 0), recurrent_kernel=to_first(recurrent, 2, 1))
  new, _ = cell.step(params, pair, jnp.ones((1,), external.dtype))
  return jax.tree.map(lambda leaf: leaf[0], new)


@cache
def check_cell(cell: Cell) -> None:
  """Raises `ValueError` unless `local_step` agrees with the cell's own step on the first unit of a small network."""
  complaint = "This cell has no mean field here: its units must see each other through hidden @ recurrent_kernel alone."

  options = {"bias_scale": 1.0} if "bias_scale" in cell.options else {}

  def first_unit() -> tuple[State, State]:
    k_params, k_state, k_x = jax.random.split(jax.random.key(0), 3)
    params = cell.init(k_params, 1, 3, **options)
    if any(jnp.ndim(getattr(params, name, 0)) != 2 for name in ("input_kernel", "recurrent_kernel")):
      raise ValueError(complaint)
    state = jax.tree.map(lambda leaf: jax.random.normal(k_state, leaf.shape, leaf.dtype), cell.initial_state(params))
    x = jax.random.normal(k_x, (1,), params.input_kernel.dtype)
    new, _ = cell.step(params, state, x)
    # Arrays hold one block of three units per gate.
    units = lambda leaf, n: leaf.reshape(*leaf.shape[:-1], -1, 3)[..., :n].reshape(*leaf.shape[:-1], -1)
    recurrent, external = units(hidden(state) @ params.recurrent_kernel, 1), units(x @ params.input_kernel, 1)
    two_units = jax.tree.map(lambda leaf: units(leaf, 2), params)
    to_first = lambda state: jax.tree.map(lambda leaf: leaf[0], state)
    return to_first(new), local_step(cell, two_units, to_first(state), recurrent, external)

  with jax.ensure_compile_time_eval():  # the comparison needs numbers, even if the caller is being traced
    try:
      pairs = zip(*map(jax.tree.leaves, jax.jit(first_unit)()), strict=True)
    except TypeError as error:  # its params or its state are of another make
      raise ValueError(complaint) from error
    if not all(np.allclose(truth, answer, rtol=1e-3, atol=1e-4) for truth, answer in pairs):
      raise ValueError(complaint)


def reveal(
  directions: Float[Array, "T N"], images: Float[Array, "T k N"], t: ArrayLike, v: Float[Array, "N"]
) -> tuple[Float[Array, "T N"], Float[Array, "k N"]]:
  """Computes G v for a Gaussian matrix G with entries of variance 1/N, without ever drawing all of G.

      G v = Σ_s (q_s · v) z_s / √N

  A Gaussian matrix maps orthonormal directions q_s to independent Gaussian vectors z_s / √N. The directions seen so far already
  have an image. Only the rest of `v` needs a new direction, with image z_t. Repeated over the steps, this draws the Gaussian
  process with the autocovariance of v.

  Args:
    directions: the directions q_s so far, in rows; rows from t on are 0.
    images: z_s for each of the k gates.
    t: the step, the row of the new direction.
    v: the vector.

  Returns:
    `(directions with the new one as row t, G v)`.
  """
  # Gram-Schmidt twice. If little of v is new, one pass leaves the directions only roughly orthogonal.
  once = directions @ v
  rest = v - once @ directions
  again = directions @ rest
  rest = rest - again @ directions
  size = jnp.linalg.norm(rest)
  is_new = size > 16 * jnp.finfo(v.dtype).eps * jnp.linalg.norm(v)
  directions = directions.at[t].set(jnp.where(is_new, rest / jnp.where(is_new, size, 1), 0))
  along = (once + again).at[t].add(jnp.where(is_new, size, 0))
  return directions, jnp.tensordot(along, images, 1) / np.sqrt(v.size).astype(v.dtype)


@partial(jax.jit, static_argnames=("cell", "samples", "steps"))
def _run(
  cell: Cell,
  key: Key[Array, ""],
  gain: Array,
  scale: Array,
  forget_bias: Array,
  bias_scale: Array,
  samples: int,
  steps: int,
) -> MeanField:
  dtype = gain.dtype
  k_params, k_start, k_tangent, k_images, k_tangent_images, k_input = jax.random.split(key, 6)
  # A peephole is a single weight of standard deviation W_s / √H, which vanishes at H → ∞; hence the gain of 0.
  options = {"recurrent_gain": 0.0, "bias_scale": bias_scale, "forget_bias": forget_bias, "dtype": dtype}
  options = {name: value for name, value in options.items() if name in cell.options}
  init = lambda key: cell.init(key, 1, 2, **options)
  params = jax.vmap(init)(jax.random.split(k_params, samples))
  gates, driven = params.recurrent_kernel.shape[-1] // 2, params.input_kernel.shape[-1] // 2
  leaves, structure = jax.tree.flatten(cell.initial_state(jax.tree.map(lambda leaf: leaf[0], params)))

  def population(key: Array) -> State:
    keys = jax.random.split(key, len(leaves))
    return jax.tree.unflatten(structure, [jax.random.normal(k, (samples,), dtype) for k in keys])

  images, tangent_images = (jax.random.normal(k, (steps, gates, samples), dtype) for k in (k_images, k_tangent_images))
  advance = jax.vmap(partial(local_step, cell), in_axes=(0, 0, 1, 1))

  def step(carry: Any, at: tuple[Array, Array]) -> tuple[Any, tuple[Array, Array]]:
    state, tangent, seen, tangent_seen = carry
    t, key = at
    seen, recurrent = reveal(seen, images, t, hidden(state))
    tangent_seen, tangent_recurrent = reveal(tangent_seen, tangent_images, t, hidden(tangent))
    external = scale * jax.random.normal(key, (driven, samples), dtype)
    state, tangent = jax.jvp(
      lambda s, r: advance(params, s, r, external), (state, gain * recurrent), (tangent, gain * tangent_recurrent)
    )
    size = norm(tangent)
    tangent = jax.tree.map(lambda leaf: leaf / jnp.where(size == 0, 1, size), tangent)
    mean_square = jnp.mean(hidden(state) ** 2)
    # After an overflow, the slopes at NaN are finite but meaningless.
    log_growth = jnp.where(jnp.isfinite(mean_square), jnp.log(size), jnp.nan)
    return (state, tangent, seen, tangent_seen), (mean_square, log_growth)

  # The start is small but not 0: it leaves the zero state where that is unstable, and decays where it is stable.
  start = jax.tree.map(lambda leaf: 0.1 * leaf, population(k_start))
  tangent = population(k_tangent)
  nothing = jnp.zeros((steps, samples), dtype)
  _, (mean_square, log_growth) = lax.scan(
    step, (start, tangent, nothing, nothing), (jnp.arange(steps), jax.random.split(k_input, steps))
  )
  return MeanField(mean_square, log_growth)


def sample_mean_field(
  cell: str | Cell,
  key: Key[Array, ""],
  *,
  recurrent_gain: ArrayLike,
  input_scale: ArrayLike = 1.0,
  forget_bias: ArrayLike = 0.0,
  bias_scale: ArrayLike = 0.0,
  samples: int = 1024,
  steps: int = 300,
) -> MeanField:
  """Runs the population of the mean-field theory from a start near the zero state.

  Args:
    cell: a name in `CELLS` or a `Cell` whose units see each other through `hidden @ recurrent_kernel` alone: any `rnn`, `lstm`
      or `peephole_lstm`, a `gru` that resets after the product, `janet`, `ugrnn` and others.
    key: the random key of the sampling.
    recurrent_gain: W_s. The kernel is Gaussian.
    input_scale: the standard deviation that the input adds to every pre-activation, white in time.
    forget_bias: as in `InitOptions`, one number for all units. 0 for a cell that has none.
    bias_scale: the standard deviation of the biases, which are drawn once per unit.
    samples: the number of units in the population. The statistical error falls as 1/√samples. With `samples` = H, the scatter and
      the weight of rare units are much as in a network of H units. Memory is 2 (k + 1) · samples · steps floats for k gates.
    steps: the number of steps T.

  Returns:
    `mean_square` `[T]` and `log_growth` `[T]` in nats. The growth is -inf where nothing of a perturbation survives. It is NaN
    from the step at which the activity overflows, as with a relu of large gain.

  Raises:
    ValueError: for an unknown cell, fewer than 2 steps, no samples, or options that are negative scales or not finite. Also for a
      cell whose units see each other in another way, such as a GRU that resets before the product, and for a bias that the cell
      has not.
  """
  cell = get_cell(cell) if isinstance(cell, str) else cell
  for name, value in (("forget_bias", forget_bias), ("bias_scale", bias_scale)):
    if name not in cell.options and not (isinstance(value, float | int) and value == 0):
      raise ValueError(f"This cell has no {name}, which is {value}; its options are {', '.join(cell.options)}.")
  check_cell(cell)
  if samples < 1 or steps < 2:
    raise ValueError(f"samples is {samples} and steps is {steps}; at least 1 sample and 2 steps are needed.")
  scale = lambda name, value: restrict(name, value, lambda v: (v >= 0) & jnp.isfinite(v), "be finite and 0 or more")
  dtype = jnp.zeros(()).dtype
  options = (
    scale("recurrent_gain", recurrent_gain),
    scale("input_scale", input_scale),
    restrict("forget_bias", forget_bias, jnp.isfinite, "be finite"),
    scale("bias_scale", bias_scale),
  )
  return _run(cell, key, *(value.astype(dtype) for value in options), samples=samples, steps=steps)


def predicted_growth_rate(
  cell: str | Cell, key: Key[Array, ""], *, steps: int = 300, **options: Any
) -> Float[Array, ""]:
  """Returns the mean-field growth rate of ‖∂S_t/∂S_0‖ in nats per step, negative where gradients vanish.

  It is the average of `sample_mean_field(...).log_growth` over the second half of the steps. `options` are the other arguments of
  `sample_mean_field`, which raises the same errors; `recurrent_gain` is required. Works under `vmap` over options and key.
  """
  return jnp.mean(sample_mean_field(cell, key, steps=steps, **options).log_growth[steps // 2 :])
