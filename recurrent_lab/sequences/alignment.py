"""How inputs and outputs line up: small pure functions over `unroll`, for every cell.

    one to one        cell.step
    many to many      unroll, masked_unroll      o_t for every x_t
    many to one       many_to_one                o at the last step
    one to many       one_to_many                x_{t+1} = feed(o_t): what was put out is put in
    many to many      encode_decode              two nets, the second starts where the first ended: S_0 = S^encoder_last

Sequences of several lengths are padded at the end and carry a mask `[T, ...]`, 1 where a step is real: elsewhere the state
stands still and the output is 0, so that each member of a padded batch gets what it would get alone.

References: Karpathy, "The unreasonable effectiveness of recurrent neural networks" (2015), for the kinds; Sutskever, Vinyals &
Le, "Sequence to sequence learning with neural networks", NeurIPS (2014), for encoder and decoder.
"""

from collections.abc import Callable
import dataclasses
from typing import Any, NamedTuple

import jax
from jax import lax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, Key
import numpy as np

from recurrent_lab._compiled import compiled
from recurrent_lab.cell import Cell, Params, State, check_params
from recurrent_lab.sequences._steps import hold, lowest, start
from recurrent_lab.sequences.unrolling import unroll


class EncoderDecoderParams(NamedTuple):
  """Two sets of parameters for one cell."""

  encoder: Params  # reads the source
  decoder: Params  # writes the target, from the encoder's last state on


def length_mask(lengths: ArrayLike, steps: int) -> Float[Array, "T *batch"]:
  """The mask `[steps, ...]` of sequences of these lengths.

  Raises:
    ValueError: for a length below 1 or above `steps`, unless lengths are traced and cannot be looked at.
  """
  if not isinstance(lengths, jax.core.Tracer):
    wrong = [int(n) for n in np.ravel(np.asarray(lengths)) if not 1 <= n <= steps]
    if wrong:
      raise ValueError(f"A sequence has length {wrong[0]}; lengths must be from 1 to the {steps} steps there are.")
  lengths = jnp.asarray(lengths)
  return (jnp.arange(steps).reshape(-1, *[1] * lengths.ndim) < lengths).astype(jnp.float32)


@compiled("cell")
def masked_unroll(
  cell: Cell,
  params: Params,
  xs: Float[Array, "T *batch I"],
  mask: Float[Array, "..."],
  state: State | None = None,
) -> tuple[State, Any]:
  """`unroll` over the steps whose mask is not 0: `(state after the last of them, outputs)`, outputs elsewhere 0.

  What the padding holds makes no difference, to gradients neither, not even if it is not finite.

  Raises:
    ValueError: if the mask has another shape than `xs` without its last axis, or as `unroll` does.
  """
  if jnp.shape(mask) != jnp.shape(xs)[:-1]:
    raise ValueError(
      f"The mask has shape {jnp.shape(mask)}; inputs of shape {jnp.shape(xs)} need {jnp.shape(xs)[:-1]}."
    )
  is_real = jnp.asarray(mask) > 0
  xs = jnp.where(is_real[..., None], xs, 0)
  state = start(cell, params, xs, state)

  def step(s: State, now: tuple[Array, Array]) -> tuple[State, Any]:
    x, is_real = now
    new, output = cell.step(params, s, x)
    return hold(is_real, new, s), hold(is_real, output, jax.tree.map(jnp.zeros_like, output))

  return lax.scan(step, state, (xs, is_real))


@compiled("cell")
def many_to_one(
  cell: Cell,
  params: Params,
  xs: Float[Array, "T *batch I"],
  mask: Float[Array, "T *batch"] | None = None,
  state: State | None = None,
) -> Array:
  """The output `[..., H]` at the last step, or at the last real one; raises `ValueError` as `masked_unroll` does."""
  if mask is None:
    return unroll(cell, params, xs, state)[1][-1]
  _, outputs = masked_unroll(cell, params, xs, mask, state)
  last = mask.shape[0] - 1 - jnp.argmax(mask[::-1] > 0, axis=0)
  return jnp.take_along_axis(outputs, last[None, ..., None], axis=0)[0]


@compiled("cell", "steps", "feed")
def one_to_many(
  cell: Cell,
  params: Params,
  x: Float[Array, "*batch I"],
  steps: int,
  feed: Callable[[Array, Key[Array, ""]], tuple[Any, Array]],
  key: Key[Array, ""],
  state: State | None = None,
) -> tuple[State, Any]:
  """Runs on its own output: `x_{t+1}` comes from `o_t`.

  Args:
    cell: any `Cell`.
    params: its parameters.
    x: the first input.
    steps: how many outputs are wanted, 1 or more.
    feed: `(o_t, key) -> (y_t, x_{t+1})`: what is kept of an output, and the next input. The key serves those that draw.
    key: every step gets its own, so that the same key gives the same sequence.
    state: S_0, such as that after a prompt; the cell's initial state by default.

  Returns:
    `(S_T, (y_1 … y_T))`.

  Raises:
    ValueError: if `steps` is below 1, or as `unroll` does.
  """
  if steps < 1:
    raise ValueError(f"steps is {steps}; a sequence has at least 1.")
  state = start(cell, params, x[None], state)

  def step(carry: tuple[State, Array], key: Key[Array, ""]) -> tuple[tuple[State, Array], Any]:
    s, x = carry
    s, output = cell.step(params, s, x)
    kept, x_next = feed(output, key)
    return (s, x_next), kept

  (state, _), kept = lax.scan(step, (state, x), jax.random.split(key, steps))
  return state, kept


@compiled("cell")
def encode_decode(
  cell: Cell,
  params: EncoderDecoderParams,
  source: Float[Array, "S *batch I"],
  targets: Float[Array, "T *batch J"],
  source_mask: Float[Array, "S *batch"] | None = None,
  state: State | None = None,
) -> tuple[State, Any]:
  """A sequence to one of another length: `(S_T, outputs [T, ..., H])` of the decoder, which starts where the encoder ended.

  Its inputs are given (in training the target itself, one step late); to let it run on its own output start `one_to_many` with
  the decoder's parameters from the encoder's last state. The encoder starts from `state`, its own initial state by default.
  Raises `ValueError` as `masked_unroll` does.
  """
  check_params(params, EncoderDecoderParams)
  if source_mask is None:
    state, _ = unroll(cell, params.encoder, source, state)
  else:
    state, _ = masked_unroll(cell, params.encoder, source, source_mask, state)
  return unroll(cell, params.decoder, targets, state)


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Identity:
  """The identity of that size as a kernel, `x @ Identity(n) = x`: no product is computed, and it has no gradient."""

  size: int

  @property
  def shape(self) -> tuple[int, int]:
    return self.size, self.size

  def __rmatmul__(self, x: Array) -> Array:
    return x


def one_hot(params: Params, tokens: Int[Array, "T *batch"]) -> tuple[Params, Float[Array, "T *batch kH"]]:
  """(params', xs) on which a cell does what params do on one-hot inputs, without a product with the whole vocabulary.

  A one-hot x_t picks a row, x_t W = W[token_t]. The rows become the inputs, and the input kernel the identity. The gradient of
  a loss reaches W through them. Any cell that uses x_t in x_t W only is served: all of the lab's, and what combinators make of
  them, but for a `dropout` of the tokens themselves.

  Raises:
    ValueError: if the (first) params have no `input_kernel` or a mask before it, or for a token outside the vocabulary; where
      tokens are traced and cannot be looked at, such a token gives zeros, as `jax.nn.one_hot` does.
  """
  kernel = check_tokens(params, tokens)
  *around, changed = lowest(params)
  changed = changed._replace(input_kernel=Identity(kernel.shape[1]))
  for outer in reversed(around):
    changed = outer._replace(cell=changed) if hasattr(outer, "cell") else (changed, *outer[1:])
  tokens, size = jnp.asarray(tokens).astype(jnp.int32), kernel.shape[0]
  rows = kernel.at[jnp.where(tokens < 0, size, tokens)].get(mode="fill", fill_value=0)
  return changed, rows


def check_tokens(params: Params, tokens: Int[Array, "..."]) -> Float[Array, "V kH"]:
  """The kernel whose rows the tokens pick; raises `ValueError` as `one_hot` does."""
  *around, first = lowest(params)
  if any(hasattr(outer, "mask") for outer in around):
    raise ValueError(
      "Tokens are looked up, not multiplied, so their inputs cannot be masked; put dropout between layers."
    )
  if not hasattr(first, "input_kernel"):
    raise ValueError(f"{type(first).__name__} has no input_kernel to look tokens up in.")
  size = first.input_kernel.shape[0]
  tokens = tokens if isinstance(tokens, jax.Array) else np.asarray(tokens)
  if not jnp.issubdtype(jnp.result_type(tokens), jnp.integer):
    raise ValueError(f"Tokens have dtype {jnp.result_type(tokens)}; they must be whole numbers from 0 to {size - 1}.")
  if not isinstance(tokens, jax.core.Tracer):
    known = np.asarray(tokens)
    wrong = known[(known < 0) | (known >= size)]
    if wrong.size:
      raise ValueError(f"There is a token {wrong[0]}; the vocabulary has 0 to {size - 1}.")
  return jnp.asarray(first.input_kernel)


def choose(
  logits: Float[Array, "*batch V"], key: Key[Array, ""], temperature: float = 1.0, top_k: int | None = None
) -> Int[Array, "*batch"]:
  """Draws from softmax(logits / temperature), or from its `top_k` most probable tokens; temperature 0 takes the first of them.

  Among equally probable tokens the first count as more probable for `top_k`, so that `top_k=1` is the choice of temperature 0.
  Logits may be of any size, -inf included. Smaller and smaller temperatures tend to a draw among the most probable tokens.

  Raises:
    ValueError: for a temperature below 0, or a `top_k` below 1 or above the vocabulary.
  """
  logits = jnp.asarray(logits)
  if not 0 <= temperature < float("inf"):
    raise ValueError(f"The temperature is {temperature}; it must be finite and at least 0.")
  if top_k is not None and not 1 <= top_k <= logits.shape[-1]:
    raise ValueError(f"top_k is {top_k}; it must be from 1 to the vocabulary's {logits.shape[-1]}.")
  if temperature == 0:
    return jnp.argmax(logits, axis=-1)
  logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
  largest = jnp.max(logits, axis=-1, keepdims=True)
  # Relative to the largest, whose own quotient is 0 whatever it is divided by: neither inf - inf nor 0 / 0 occurs.
  is_largest = logits == largest
  scaled = jnp.where(is_largest, 0, (logits - jnp.where(is_largest, 0, largest)) / temperature)
  if top_k is not None:
    # -0 equals 0, but `top_k` puts it below.
    _, chosen = lax.top_k(jnp.where(logits == 0, 0, logits), top_k)
    is_chosen = jnp.put_along_axis(jnp.zeros(logits.shape, bool), chosen, True, axis=-1, inplace=False)
    scaled = jnp.where(is_chosen, scaled, -jnp.inf)
  return jax.random.categorical(key, scaled)
