"""Alignment of inputs with outputs: small pure functions over `unroll`, for every cell.

    one to one        cell.step
    many to many      unroll, masked_unroll      o_t for every x_t
    many to one       many_to_one                o at the last step
    one to many       one_to_many                x_{t+1} = feed(o_t): each output becomes the next input
    many to many      encode_decode              the decoder starts in the last state of the encoder

Sequences of different lengths are padded at the end and have a mask `[T, ...]`, 1 at real steps. At padded steps the state does
not change and the output is 0, so each member of a padded batch gets the same results as it would alone.

References: Karpathy, "The unreasonable effectiveness of recurrent neural networks" (2015), for the kinds of alignment; Sutskever,
Vinyals & Le, "Sequence to sequence learning with neural networks", NeurIPS (2014), for encoder and decoder.
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
  """Two sets of parameters of one cell."""

  encoder: Params  # parameters of the encoder, which reads the source
  decoder: Params  # parameters of the decoder, which writes the target and starts in the encoder's last state


def length_mask(lengths: ArrayLike, steps: int) -> Float[Array, "T *batch"]:
  """Returns the mask `[steps, ...]` of sequences of these lengths: 1 at real steps, 0 in the padding.

  Raises:
    ValueError: for a length below 1 or above `steps`, unless the lengths are traced.
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
  """Runs the cell over the steps whose mask is not 0. At other steps the state does not change and the output is 0.

  Padding affects neither outputs nor gradients, even if it is not finite.

  Args:
    cell: any `Cell`.
    params: its parameters.
    xs: inputs `[T, ..., I]`.
    mask: `[T, ...]`, 0 at padded steps.
    state: S_0; by default the cell's initial state.

  Returns:
    `(state after the last real step, outputs [T, ..., H])`.

  Raises:
    ValueError: if the shape of the mask is not that of `xs` without the last axis, and in the cases of `unroll`.
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
  """Returns the output `[..., H]` at the last step, or with a mask at the last real step.

  Arguments and errors are those of `masked_unroll`.
  """
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
  """Runs the cell on its own outputs: `x_{t+1}` is computed from `o_t`.

  Args:
    cell: any `Cell`.
    params: its parameters.
    x: the first input `[..., I]`.
    steps: the number of outputs T, 1 or more.
    feed: `(o_t, key) -> (y_t, x_{t+1})`, which returns the result to keep and the next input. The key is for random choices.
    key: the random key, from which every step gets its own. The same key gives the same sequence.
    state: S_0, for example the state after a prompt; by default the cell's initial state.

  Returns:
    `(S_T, (y_1 … y_T))`.

  Raises:
    ValueError: if `steps` is below 1, and in the cases of `unroll`.
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
  """Maps a sequence to one of another length. The decoder starts in the last state of the encoder.

  To let the decoder run on its own outputs, call `one_to_many` with the decoder's parameters and the encoder's last state.

  Args:
    cell: any `Cell`, for both encoder and decoder.
    params: the parameters of both.
    source: inputs of the encoder `[S, ..., I]`.
    targets: inputs of the decoder `[T, ..., J]`; in training, the targets one step late.
    source_mask: `[S, ...]`, 0 at padded steps of the source.
    state: S_0 of the encoder; by default the cell's initial state.

  Returns:
    `(S_T, outputs [T, ..., H])` of the decoder.

  Raises:
    ValueError: in the cases of `masked_unroll`, and for params that are not `EncoderDecoderParams`.
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
  """An identity kernel, `x @ Identity(n) = x`. It computes no product and has no gradient."""

  size: int

  @property
  def shape(self) -> tuple[int, int]:
    return self.size, self.size

  def __rmatmul__(self, x: Array) -> Array:
    return x


def one_hot(params: Params, tokens: Int[Array, "T *batch"]) -> tuple[Params, Float[Array, "T *batch kH"]]:
  """Returns (params', xs) that give the same results as `params` on one-hot inputs, without a product over the vocabulary.

  A one-hot x_t selects a row, x_t W = W[token_t]. These rows become the inputs `xs [T, ..., k·H]`, and the input kernel becomes
  the identity. The gradient of a loss reaches W through the rows. This works for every cell that uses x_t only in x_t W: all
  cells of the lab and all combinations of them, except a `dropout` of the tokens themselves.

  Raises:
    ValueError: if the (first) params have no `input_kernel` or have a mask before it, or for a token outside the vocabulary. If
      tokens are traced, such a token gives zeros instead, as in `jax.nn.one_hot`.
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
  """Returns the kernel whose rows the tokens select. Raises `ValueError` in the cases of `one_hot`."""
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
  """Draws tokens `[...]` from softmax(logits / temperature), or from its `top_k` most probable tokens.

  Temperature 0 takes the first of the most probable tokens. As the temperature tends to 0, the result tends to a draw among the
  most probable tokens. For `top_k`, the first of several equally probable tokens counts as more probable, so `top_k=1` is the
  choice of temperature 0. Logits `[..., V]` may have any size, including -inf.

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
  # Relative to the largest logit, whose quotient is set to 0, so that neither inf - inf nor 0 / 0 occurs.
  is_largest = logits == largest
  scaled = jnp.where(is_largest, 0, (logits - jnp.where(is_largest, 0, largest)) / temperature)
  if top_k is not None:
    # -0 equals 0, but `lax.top_k` ranks it lower.
    _, chosen = lax.top_k(jnp.where(logits == 0, 0, logits), top_k)
    is_chosen = jnp.put_along_axis(jnp.zeros(logits.shape, bool), chosen, True, axis=-1, inplace=False)
    scaled = jnp.where(is_chosen, scaled, -jnp.inf)
  return jax.random.categorical(key, scaled)
