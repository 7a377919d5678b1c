"""Training by backpropagation through time: pure functions on optax.

A loss is `(params, batch) -> scalar`; an update is a map `TrainState -> (TrainState, StepInfo)` that draws its own batch from
the state's key and step, so that a run is one `lax.scan` over updates, many runs are one `vmap`, and a run that continues from
a stored state goes the same way.

    g = ∇L + α ∇Ω,      ĝ = clip(g),      params ← params + optimiser(ĝ)
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int, Key
import optax

from recurrent_lab._checks import check_choice
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
  """Everything that a run needs to go on."""

  params: Params  # of the net
  opt_state: Any  # of the optimiser
  step: Int[Array, ""]  # updates done, which is the position in the data too
  key: Key[Array, ""]  # batch n is drawn from the key with n folded in
  nonfinite: Int[Array, ""]  # updates so far that were left out, since something in them was not finite


class StepInfo(NamedTuple):
  """What one update did."""

  loss: Float[Array, ""]  # of the batch, before the update
  gradient_norm: Float[Array, ""]  # before clipping; inf if no number of its precision is as large
  clipped_norm: Float[Array, ""]  # after it
  is_clipped: Bool[Array, ""]  # whether clipping made the norm smaller
  is_finite: Bool[Array, ""]  # if not, the update was left out


#: Clips by name: threshold -> optax transformation.
CLIPS: Mapping[str, Callable[[float], optax.GradientTransformation]] = {
  "none": lambda threshold: optax.identity(),
  "global_norm": clip_by_global_norm,  # g · min(1, c / ‖g‖): Pascanu et al. (2013), algorithm 1
  "value": optax.clip,  # every entry into [-c, c]: Mikolov (2012)
  "adaptive": clip_by_unit_norm,  # unit by unit, ‖g‖ ≤ c ‖w‖: Brock et al. (2021)
}


def clipping(name: str, threshold: float = 1.0) -> optax.GradientTransformation:
  """Clipping by that name in `CLIPS`; raises `ValueError` for an unknown name or a threshold that is not above 0."""
  check_choice("Clipping", name, CLIPS)
  if not threshold > 0:
    raise ValueError(f"The gradient is to be clipped at {threshold}; a threshold must be above 0.")
  return CLIPS[name](threshold)


def init_params(
  key: Key[Array, ""], cell: Cell, task: Task, hidden_size: int, *, output_gain: ArrayLike = 1.0, **options: Any
) -> WithReadoutParams:
  """Parameters of a cell and its readout for a task: `options` are those of the cell, the readout has standard deviation
  output_gain / √H.
  """
  k_cell, k_readout = jax.random.split(key)
  params = init_readout(k_readout, hidden_size, task.output_size, options.get("dtype", jnp.float32))
  cell_params = cell.init(k_cell, task.input_size, hidden_size, **options)
  if task.source_size:
    k_encoder = jax.random.fold_in(k_cell, 1)
    cell_params = EncoderDecoderParams(cell.init(k_encoder, task.source_size, hidden_size, **options), cell_params)
  return WithReadoutParams(cell_params, params._replace(kernel=jnp.asarray(output_gain) * params.kernel))


def lookup(params: Params, inputs: Array) -> tuple[Params, Array]:
  """(params, xs): inputs of real numbers `[T, ..., I]` as they are, tokens `[T, ...]` as `sequence.one_hot` has them."""
  return one_hot(params, inputs) if jnp.issubdtype(inputs.dtype, jnp.integer) else (params, inputs)


def _check_tokens(named: Mapping[str, Any]) -> None:
  """Raises a `ValueError` for tokens outside the vocabulary, which `predict` can no longer see once it is compiled."""
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
  """The outputs of cell and readout over a sequence: real numbers `[T, ..., I]`, tokens `[T, ...]`, or a pair of sequences
  for an encoder and a decoder.
  """
  if isinstance(inputs, Pair):
    encoder, source = lookup(params.cell.encoder, inputs.source)
    decoder, xs = lookup(params.cell.decoder, inputs.shifted)
    outputs = encode_decode(cell, EncoderDecoderParams(encoder, decoder), source, xs, inputs.source_mask)[1]
  else:
    outputs = reverse_unroll(cell, *lookup(params.cell, inputs))[1]
  return readout(params.readout, outputs)


def full_gradient(cell: Cell, task: Task) -> Gradient:
  """BPTT through the whole sequence; the gradient is finite whenever it is representable."""
  return value_and_grad(lambda params, batch: task.loss(predict(cell, params, batch.inputs), batch))


def truncated_gradient(cell: Cell, task: Task, k1: int, k2: int) -> Gradient:
  """Truncated BPTT: the loss of the last k1 steps, every k1 steps, sent back through k2 steps (see `truncated_unroll`)."""

  def loss(params: WithReadoutParams, batch: Batch) -> Array:
    outputs = truncated_unroll(cell, *lookup(params.cell, batch.inputs), k1=k1, k2=k2)
    return task.loss(readout(params.readout, outputs), batch)

  return value_and_grad(loss)


def omega_gradient(cell: Cell, task: Task, weight: float) -> Gradient:
  """∇L + weight · ∇Ω through the whole sequence (see `omega`); the loss returned is L alone."""

  def backward(scale: Array, params: WithReadoutParams, batch: Batch) -> tuple[Array, Params]:
    loss = lambda params, outputs: task.loss(readout(params.readout, outputs), batch)
    value, grads, states, adjoint = adjoints(loss, cell, params, batch.inputs, scale)
    penalty = jax.grad(omega, argnums=1)(cell, params.cell, states, batch.inputs, adjoint, scale)
    return value, grads._replace(cell=jax.tree.map(lambda g, p: g + scale * weight * p, grads.cell, penalty))

  return within_range(backward)


def flossing_gradient(cell: Cell, k: int, interval: int = 1) -> Gradient:
  """The gradient of `flossing`, averaged over the batch; the task plays no part in it."""

  def loss(params: WithReadoutParams, batch: Batch) -> Array:
    each = jax.vmap(lambda xs: flossing(cell, params.cell, xs, k=k, interval=interval), in_axes=1)
    return jnp.mean(each(batch.inputs))

  return value_and_grad(loss)


def init_state(key: Key[Array, ""], params: Params, optimiser: optax.GradientTransformation) -> TrainState:
  """The state before the first update."""
  return TrainState(params, optimiser.init(params), jnp.zeros((), jnp.int32), key, jnp.zeros((), jnp.int32))


def _stays_finite(old: Any, new: Any) -> Bool[Array, ""]:
  """Whether all is finite that was. An optimiser may start from an infinity, but a square of the gradient that has become
  one stops all later updates of that entry.
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
  """One update as a pure map of the state, to be scanned over updates and vmapped over seeds.

  An update whose loss or gradient is not finite, or that would make a finite entry of the parameters or of the optimiser's
  state anything else, changes nothing but the step, and is counted in `TrainState.nonfinite`. The norm of a finite gradient
  may be too large to be represented: its `gradient_norm` is inf, and the update is taken, since clipping can deal with it.
  """

  def step(state: TrainState) -> tuple[TrainState, StepInfo]:
    batch = task.sample(jax.random.fold_in(state.key, state.step), batch_size)
    loss, grads = gradient(state.params, batch)
    gradient_norm = norm(grads)
    clipped, _ = clip.update(grads, clip.init(state.params), state.params)
    clipped_norm = norm(clipped)
    # Some optimisers look at the loss too.
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
    # Rounding alone moves a norm that was not clipped.
    is_clipped = clipped_norm < gradient_norm * (1 - 1e-6)
    return new_state, StepInfo(loss, gradient_norm, clipped_norm, is_clipped, is_finite)

  return step


@compiled("cell", "task", "batch_size")
def evaluate(cell: Cell, task: Task, params: Params, key: Key[Array, ""], batch_size: int) -> tuple[Array, Array]:
  """(loss, score) on held-out data."""
  batch = task.test(key, batch_size)
  outputs = predict(cell, params, batch.inputs)
  return task.loss(outputs, batch), task.score(outputs, batch)
