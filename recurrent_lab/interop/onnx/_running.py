"""Runs one entry of a model as onnxruntime runs its node: in its direction, up to the lengths, from its initial state."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np

from recurrent_lab.cell import State
from recurrent_lab.interop.onnx._entries import OnnxEntry
from recurrent_lab.sequences.alignment import masked_unroll


class EntryRun(NamedTuple):
  """Outputs and last state of a node, for one direction."""

  outputs: Float[Array, "..."]  # Y at all steps, [T, B, H] or [B, T, H] as the node has them; 0 past the lengths
  state: State  # the state at the length, [B, H]: Y_h, or Y_h and Y_c; 0 for a sequence of length 0, as in onnxruntime


def run_entry(
  entry: OnnxEntry, xs: Float[Array, "..."], lengths: Sequence[int] | Any = None, state: State | None = None
) -> EntryRun:
  """Runs an entry of `from_onnx` on inputs `[T, B, I]`, or `[B, T, I]` if its feeding says `batch_first`.

  Outputs of the reverse direction stand at the steps of their inputs, as in ONNX.

  Args:
    entry: one of `from_onnx`.
    xs: what the tensor holds that the node reads.
    lengths: the lengths `[B]` of the sequences; by default those of the model.
    state: S_0; by default that of the model.

  Raises:
    ValueError: for inputs or lengths of other shapes, and if the model gets lengths or a state at run time and they are missing.
  """
  fed = entry.fed
  if jnp.ndim(xs) != 3:
    raise ValueError(
      f"xs has shape {jnp.shape(xs)}; the node {entry.name} takes three axes, of which the last holds inputs."
    )
  xs = jnp.asarray(xs).swapaxes(0, 1) if fed.batch_first else jnp.asarray(xs)
  steps, batch = xs.shape[:2]
  if lengths is None and isinstance(fed.lengths, str):
    raise ValueError(f"{entry.name} gets the lengths of its sequences from {fed.lengths} at run time; give lengths.")
  if state is None and fed.fed_state:
    raise ValueError(
      f"{entry.name} gets its state from {', '.join(filter(None, fed.fed_state))} at run time; give state."
    )
  chosen = fed.lengths if lengths is None else lengths
  counts = np.full(batch, steps) if chosen is None else np.asarray(chosen)
  if counts.shape != (batch,) or np.any((counts < 0) | (counts > steps)):
    raise ValueError(f"The lengths are {counts.tolist()}; {batch} numbers from 0 to {steps} are needed.")
  state = fed.state if state is None else state
  if state is None:
    state = entry.cell.initial_state(entry.params, (batch,))
  state = jax.tree.map(lambda a: jnp.broadcast_to(a, (batch, jnp.shape(a)[-1])), state)
  mask = (jnp.arange(steps)[:, None] < counts).astype(xs.dtype)
  backwards = fed.direction == "reverse"
  flipped = lambda a: a[::-1] if backwards else a
  final, outputs = masked_unroll(entry.cell, entry.params, flipped(xs), flipped(mask), state)
  final = jax.tree.map(lambda a: jnp.where((counts > 0)[:, None], a, 0), final)
  outputs = flipped(outputs)
  return EntryRun(outputs.swapaxes(0, 1) if fed.batch_first else outputs, final)


def one_entry(entries: Sequence[OnnxEntry], name: str | None = None, direction: str | None = None) -> OnnxEntry:
  """Returns the only entry, or that of a node and a direction.

  A net that reads in both directions has no Jacobian product of its own, because its outputs depend on the future; each of its
  directions has one.

  Args:
    entries: those of `from_onnx`.
    name: the name of the node, without its direction.
    direction: `forward` or `reverse`.

  Raises:
    ValueError: if there is none, or more than one; the message says which there are.
  """
  node = lambda entry: entry.name.removesuffix(f"/{entry.fed.direction}")
  found = [
    entry
    for entry in entries
    if (name is None or name in (entry.name, node(entry))) and direction in (None, entry.fed.direction)
  ]
  if len(found) == 1:
    return found[0]
  if len({node(entry) for entry in found}) == 1:
    raise ValueError(f"{node(found[0])} reads in both directions; say direction='forward' or direction='reverse'.")
  names = ", ".join(f"{entry.name} ({entry.fed.direction})" for entry in entries)
  raise ValueError(
    f"{'Several entries fit' if found else 'No entry fits'}; there are {names or 'none at all'}. Say which."
  )
