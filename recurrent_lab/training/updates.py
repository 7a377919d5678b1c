"""Training by backpropagation through time, as pure functions on top of optax.

    g = ∇L + α ∇Ω,      ĝ = clip(g),      params ← params + optimiser(ĝ)

A loss is a function `(params, batch) -> scalar`. An update is a map `TrainState -> (TrainState, StepInfo)`. It draws its own
batch from the key and the step of the state. A run is therefore one `lax.scan` over updates, many runs are one `vmap`, and a
run that resumes from a stored state takes the same path.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int, Key
import optax

from recurrent_lab._checks import check_choice, check_key
from recurrent_lab._compiled import compiled
from recurrent_lab._gradient import Gradient, all_finite, value_and_grad, within_range
from recurrent_lab.cell import Cell, Params, check_params
from recurrent_lab.readouts import WithReadoutParams, init_readout, readout
from recurrent_lab.scaled import norm
from recurrent_lab.sequences.alignment import EncoderDecoderParams, check_tokens, encode_decode, one_hot
from recurrent_lab.sequences.unrolling import truncated_unroll
from recurrent_lab.tasks import Batch, Pair, Task
from recurrent_lab.training.clips import clip_by_global_norm, clip_by_unit_norm
from recurrent_lab.training.gathered import reverse_unroll
from recurrent_lab.training.regularizers import adjoints, flossing, omega


class TrainState(NamedTuple):
  """Everything that a run needs to resume."""

  params: Params  # the parameters of the net
  opt_state: Any  # the state of the optimiser
  step: Int[Array, ""]  # the number of updates so far, which is also the position in the data
  key: Key[Array, ""]  # the random key; batch n is drawn from the key with n folded in
  nonfinite: Int[Array, ""]  # the number of updates that were skipped because a number was not finite


class StepInfo(NamedTuple):
  """Diagnostics of one update."""

  loss: Float[Array, ""]  # the loss of the batch before the update
  gradient_norm: Float[Array, ""]  # the norm before clipping; inf if it is too large for the precision
  clipped_norm: Float[Array, ""]  # the norm after clipping
  is_clipped: Bool[Array, ""]  # whether clipping reduced the norm
  is_finite: Bool[Array, ""]  # False if the update was skipped


#: Gradient clipping by name: threshold -> optax transformation.
CLIPS: Mapping[str, Callable[[float], optax.GradientTransformation]] = {
  "none": lambda threshold: optax.identity(),
  "global_norm": clip_by_global_norm,  # g · min(1, c / ‖g‖): Pascanu et al. (2013), algorithm 1
  "value": optax.clip,  # limits every entry to [-c, c]: Mikolov (2012)
  "adaptive": clip_by_unit_norm,  # ‖g‖ ≤ c ‖w‖ for each unit: Brock et al. (2021)
}


def clipping(name: str, threshold: float = 1.0) -> optax.GradientTransformation:
  """Returns the clipping of that name in `CLIPS`. Raises `ValueError` for an unknown name or a threshold ≤ 0."""
  check_choice("Clipping", name, CLIPS)
  if not threshold > 0:
    raise ValueError(f"The gradient is to be clipped at {threshold}; a threshold must be above 0.")
  return CLIPS[name](threshold)


def init_params(
  key: Key[Array, ""], cell: Cell, task: Task, hidden_size: int, *, output_gain: ArrayLike = 1.0, **options: Any
) -> WithReadoutParams:
  """Draws the parameters of a cell and its readout for a task.

  `options` are those of the cell's `init`. The readout kernel has standard deviation output_gain / √H. A task with a source gets
  parameters of an encoder and a decoder.

  Raises:
    ValueError: if `key` is not a random key.
  """
  check_key(key)
  k_cell, k_readout = jax.random.split(key)
  params = init_readout(k_readout, hidden_size, task.output_size, options.get("dtype", jnp.float32))
  cell_params = cell.init(k_cell, task.input_size, hidden_size, **options)
  if task.source_size:
    k_encoder = jax.random.fold_in(k_cell, 1)
    cell_params = EncoderDecoderParams(cell.init(k_encoder, task.source_size, hidden_size, **options), cell_params)
  return WithReadoutParams(cell_params, params._replace(kernel=jnp.asarray(output_gain) * params.kernel))


def lookup(params: Params, inputs: Array) -> tuple[Params, Array]:
  """Returns (params, xs). Real inputs `[T, ..., I]` are unchanged; tokens `[T, ...]` go through `sequence.one_hot`."""
  return one_hot(params, inputs) if jnp.issubdtype(inputs.dtype, jnp.integer) else (params, inputs)


def _check_tokens(named: Mapping[str, Any]) -> None:
  """Raises a `ValueError` for tokens outside the vocabulary. `predict` cannot check them, because it is compiled."""
  params, inputs = named["params"], named["inputs"]
  check_params(params, WithReadoutParams)
  pair = isinstance(inputs, Pair)
  for p, xs in (
    ((params.cell.encoder, inputs.source), (params.cell.decoder, inputs.shifted)) if pair else ((params.cell, inputs),)
  ):
    if jnp.issubdtype(jnp.result_type(xs), jnp.integer):
      check_tokens(p, xs)


@compiled("cell", check=_check_tokens)
def predict(cell: Cell, params: WithReadoutParams, inputs: Array | Pair) -> Float[Array, "T *batch O"]:
  """Runs the cell and its readout over a sequence. Returns outputs `[T, ..., O]`.

  `inputs` are real numbers `[T, ..., I]`, tokens `[T, ...]`, or a `Pair` of sequences for an encoder and a decoder. Raises
  `ValueError` in the cases of `unroll`, and for tokens outside the vocabulary.
  """
  if isinstance(inputs, Pair):
    encoder, source = lookup(params.cell.encoder, inputs.source)
    decoder, xs = lookup(params.cell.decoder, inputs.shifted)
    outputs = encode_decode(cell, EncoderDecoderParams(encoder, decoder), source, xs, inputs.source_mask)[1]
  else:
    outputs = reverse_unroll(cell, *lookup(params.cell, inputs))[1]
  return readout(params.readout, outputs)


def full_gradient(cell: Cell, task: Task) -> Gradient:
  """Returns the gradient of BPTT through the whole sequence. It is finite whenever it is representable."""
  return value_and_grad(lambda params, batch: task.loss(predict(cell, params, batch.inputs), batch))


def truncated_gradient(cell: Cell, task: Task, k1: int, k2: int) -> Gradient:
  """Returns the gradient of truncated BPTT: every k1 steps, the loss of the last k1 steps goes back through k2 steps.

  See `truncated_unroll`.
  """

  def loss(params: WithReadoutParams, batch: Batch) -> Array:
    outputs = truncated_unroll(cell, *lookup(params.cell, batch.inputs), k1=k1, k2=k2)
    return task.loss(readout(params.readout, outputs), batch)

  return value_and_grad(loss)


def omega_gradient(cell: Cell, task: Task, weight: float) -> Gradient:
  """Returns the gradient ∇L + weight · ∇Ω through the whole sequence (see `omega`). The loss it reports is L alone."""

  def backward(scale: Array, params: WithReadoutParams, batch: Batch) -> tuple[Array, Params]:
    loss = lambda params, outputs: task.loss(readout(params.readout, outputs), batch)
    value, grads, states, adjoint = adjoints(loss, cell, params, batch.inputs, scale)
    penalty = jax.grad(omega, argnums=1)(cell, params.cell, states, batch.inputs, adjoint, scale)
    return value, grads._replace(cell=jax.tree.map(lambda g, p: g + scale * weight * p, grads.cell, penalty))

  return within_range(backward)


def flossing_gradient(cell: Cell, k: int, interval: int = 1) -> Gradient:
  """Returns the gradient of `flossing`, averaged over the batch. It does not depend on the task."""

  def loss(params: WithReadoutParams, batch: Batch) -> Array:
    each = jax.vmap(lambda xs: flossing(cell, params.cell, xs, k=k, interval=interval), in_axes=1)
    return jnp.mean(each(batch.inputs))

  return value_and_grad(loss)


def init_state(key: Key[Array, ""], params: Params, optimiser: optax.GradientTransformation) -> TrainState:
  """Returns the state before the first update."""
  return TrainState(params, optimiser.init(params), jnp.zeros((), jnp.int32), key, jnp.zeros((), jnp.int32))


def _stays_finite(old: Any, new: Any) -> Bool[Array, ""]:
  """Returns True if every entry that was finite still is.

  Some optimisers start from infinite entries. But a squared gradient that becomes infinite stops all later updates of its entry.
  """
  is_float = lambda a: jnp.issubdtype(jnp.result_type(a), jnp.inexact)
  both = zip(jax.tree.leaves(old), jax.tree.leaves(new), strict=True)
  return all_finite([jnp.where(jnp.isfinite(o), n, 0) for o, n in both if is_float(n)])


def train_step(
  gradient: Gradient,
  task: Task,
  optimiser: optax.GradientTransformation,
  clip: optax.GradientTransformation,
  batch_size: int,
) -> Callable[[TrainState], tuple[TrainState, StepInfo]]:
  """Returns one update as a pure map of the state. Scan it over updates and vmap it over seeds.

  An update is skipped if its loss or gradient is not finite, or if it would make a finite entry of the parameters or of the
  optimiser's state non-finite. A skipped update changes only the step and is counted in `TrainState.nonfinite`. If the norm of a
  finite gradient is too large to be represented, `gradient_norm` is inf, but the update is made, because clipping works anyway.
  """

  def step(state: TrainState) -> tuple[TrainState, StepInfo]:
    batch = task.sample(jax.random.fold_in(state.key, state.step), batch_size)
    loss, grads = gradient(state.params, batch)
    gradient_norm = norm(grads)
    clipped, _ = clip.update(grads, clip.init(state.params), state.params)
    clipped_norm = norm(clipped)
    # Some optimisers use the loss too.
    update = optax.with_extra_args_support(optimiser).update
    updates, opt_state = update(clipped, state.opt_state, state.params, value=loss, grad=clipped)
    old, new = (state.params, state.opt_state), (optax.apply_updates(state.params, updates), opt_state)
    is_finite = all_finite((loss, grads)) & _stays_finite(old, new)
    params, opt_state = jax.tree.map(lambda n, o: jnp.where(is_finite, n, o), new, old)
    new_state = TrainState(
      params=params,
      opt_state=opt_state,
      step=state.step + 1,
      key=state.key,
      nonfinite=state.nonfinite + ~is_finite,
    )
    # Rounding may change a norm that was not clipped.
    is_clipped = clipped_norm < gradient_norm * (1 - 1e-6)
    return new_state, StepInfo(loss, gradient_norm, clipped_norm, is_clipped, is_finite)

  return step


@compiled("cell", "task", "batch_size")
def evaluate(cell: Cell, task: Task, params: Params, key: Key[Array, ""], batch_size: int) -> tuple[Array, Array]:
  """Returns (loss, score) on a batch of held-out data."""
  batch = task.test(key, batch_size)
  outputs = predict(cell, params, batch.inputs)
  return task.loss(outputs, batch), task.score(outputs, batch)
