"""Cells as circuits of neurons: weights that keep their sign, and noise in the state.

    Dale's law      W = D |V|,   D = diag(+1, …, +1, -1, …, -1)       whatever V is, a unit only excites or only inhibits
    noise           S_t = step(S_{t-1}, x_t) + σ ξ_t,   ξ_t ~ N(0, I)

Both take any cell and return a cell, so that every instrument and every training step works on them. The noise is a part of the
inputs, since a step is a pure function: Jacobians and exponents are those of the net that is driven by this noise.

References: Dale, "Pharmacology and nerve-endings", Proc. R. Soc. Med. 28 (1935); Song, Yang & Wang, "Training
excitatory-inhibitory recurrent neural networks for cognitive tasks: a simple and flexible framework", PLOS Comput. Biol. 12
(2016), for both in nets that are trained.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab._chain import chained, unchanged
from recurrent_lab._checks import check_key
from recurrent_lab.activations import Activity
from recurrent_lab.cell import Cell, Chain, Link, Params, State, check_params, variants
from recurrent_lab.options import shared_options


class DaleParams(NamedTuple):
  """Parameters of a cell under `dale`."""

  cell: Params  # the params of the cell; only the sizes of its recurrent weights count, and not their signs


class NoisyParams(NamedTuple):
  """Parameters of a cell under `noisy`."""

  inner: Params  # the params of the cell, whose inputs are fewer
  noise_scale: Float[Array, ""]  # σ


def exciting_units(hidden_size: int, excitatory: float) -> int:
  """Returns the number of units that excite: the share `excitatory` of all, and at least one."""
  return int(np.clip(round(excitatory * hidden_size), 1, hidden_size))


@variants
def dale(cell: Cell, excitatory: float = 0.8) -> Cell:
  """Makes every unit of a cell excite all units that it sends to, or inhibit them all, before training and after it.

  Params are `DaleParams(cell)`. The first units excite, and the rows of `recurrent_kernel` are what a unit sends. `init` draws
  the kernel of the cell and scales its rows so that excitation and inhibition balance, and the variance of a weight stays.

  Args:
    cell: a cell whose params have a `recurrent_kernel` `[H, k·H]`.
    excitatory: the share of units that excite, above 0 and at most 1.

  Raises:
    ValueError: for another share, and from `init` for a cell without such a kernel.
  """
  if not 0 < excitatory <= 1:
    raise ValueError(f"excitatory is {excitatory}; it must be above 0 and at most 1.")

  def signs(kernel: Float[Array, "H kH"]) -> Float[Array, "H 1"]:
    is_exciting = jnp.arange(kernel.shape[0]) < exciting_units(kernel.shape[0], excitatory)
    return jnp.where(is_exciting, 1, -1).astype(kernel.dtype)[:, None]

  def own_params(params: DaleParams) -> Params:
    check_params(params, DaleParams)
    kernel = params.cell.recurrent_kernel
    return params.cell._replace(recurrent_kernel=signs(kernel) * jnp.abs(kernel))

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> DaleParams:
    if options.get("recurrent_init") == "excitatory_inhibitory":
      options = {**options, "recurrent_init": "gaussian"}  # the same distribution, once the rows are scaled
    params = cell.init(key, input_size, hidden_size, **options)
    kernel = getattr(params, "recurrent_kernel", None)
    if kernel is None or kernel.ndim != 2:
      raise ValueError("This cell has no recurrent_kernel [H, k·H], so its units have no signs.")
    exciting = exciting_units(hidden_size, excitatory)
    ratio = np.sqrt((hidden_size - exciting) / exciting) if exciting < hidden_size else 1.0
    scales = jnp.where(signs(kernel) > 0, ratio, 1 / ratio).astype(kernel.dtype)
    return DaleParams(params._replace(recurrent_kernel=scales * kernel))

  return chained(Chain((Link(cell, own_params, unchanged, unchanged),), is_stack=False), init)


@variants
def noisy(cell: Cell) -> Cell:
  """Adds noise to the state of a cell after every step.

      S_t = step(S_{t-1}, x_t) + σ ξ_t

  Params are `NoisyParams(inner, noise_scale)`, and σ is the option `noise_scale` of `init`, 0.1 by default. The last channels of
  an input are ξ_t, one for each entry of the state, and `init` counts them: `input_size` is that of the inputs with the noise.
  `with_noise` draws the noise. The output is that of the noisy state, where the cell declares its output.

  Raises:
    ValueError: from `init` if the input has no channel beside those of the noise.
  """

  def apart(params: NoisyParams, x: Array) -> tuple[Params, Array, Array]:
    check_params(params, NoisyParams)
    size = _state_size(cell, params.inner)
    return params.inner, x[..., :-size], x[..., -size:]

  def init(
    key: Key[Array, ""], input_size: int, hidden_size: int, noise_scale: float = 0.1, **options: Any
  ) -> NoisyParams:
    shapes = jax.eval_shape(lambda key: cell.init(key, 1, hidden_size, **options), key)
    size = _state_size(cell, shapes)
    if input_size <= size:
      raise ValueError(
        f"input_size is {input_size}; a state of {size} entries takes as many channels of noise, and more for inputs."
      )
    params = cell.init(key, input_size - size, hidden_size, **options)
    return NoisyParams(params, jnp.asarray(noise_scale, options.get("dtype", jnp.float32)))

  def initial_state(params: NoisyParams, batch_shape: tuple[int, ...] = ()) -> State:
    check_params(params, NoisyParams)
    return cell.initial_state(params.inner, batch_shape)

  def step(params: NoisyParams, state: State, x: Float[Array, "*batch I"]) -> tuple[State, Any]:
    own, x, noise = apart(params, x)
    new, output = cell.step(own, state, x)
    new = _shifted(new, params.noise_scale * noise)
    return new, output if cell.output is None else cell.output(own, new)

  def probe(params: NoisyParams, state: State, x: Array) -> dict[str, Activity]:
    assert cell.probe is not None
    own, x, _ = apart(params, x)
    return cell.probe(own, state, x)

  def output(params: NoisyParams, state: State) -> Any:
    assert cell.output is not None
    return cell.output(params.inner, state)

  return Cell(
    init,
    initial_state,
    step,
    probe=None if cell.probe is None else probe,
    output=None if cell.output is None else output,
    gated=cell.gated,
    recommend=cell.recommend,
    elementwise=cell.elementwise,
    options=shared_options(cell),
  )


def with_noise(
  key: Key[Array, ""], cell: Cell, params: NoisyParams, xs: Float[Array, "T *batch I"], scale: ArrayLike = 1.0
) -> Float[Array, "T *batch J"]:
  """Returns the inputs of a `noisy` cell: `xs` with white Gaussian noise for every entry of its state.

  Args:
    key: the random key of the noise.
    cell: the noisy cell.
    params: its parameters.
    xs: inputs `[T, ..., I]`.
    scale: the standard deviation of the noise, by which σ is multiplied.

  Returns:
    `[T, ..., J]` with J = I + n for a state of n entries.

  Raises:
    ValueError: for a number in place of the key, or if the params are those of another cell.
  """
  check_key(key)
  check_params(params, NoisyParams)
  size = _state_size(cell, params)
  noise = jnp.asarray(scale, xs.dtype) * jax.random.normal(key, (*xs.shape[:-1], size), xs.dtype)
  return jnp.concatenate([xs, noise], axis=-1)


def _state_size(cell: Cell, params: Params) -> int:
  """Returns the number n of entries of the state of one example."""
  state = jax.eval_shape(cell.initial_state, params)
  return sum(leaf.size for leaf in jax.tree.leaves(state))


def _shifted(state: State, noise: Float[Array, "*batch n"]) -> State:
  """Adds noise to every entry of a state, in the order of `ravel_pytree`."""
  leaves, structure = jax.tree.flatten(state)
  batch = noise.ndim - 1
  ends = np.cumsum([int(np.prod(leaf.shape[batch:])) for leaf in leaves])
  parts = jnp.split(noise, ends[:-1], axis=-1)
  return jax.tree.unflatten(
    structure, [leaf + part.reshape(leaf.shape) for leaf, part in zip(leaves, parts, strict=True)]
  )
