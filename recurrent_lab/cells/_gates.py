"""The parts that dense cells with gates side by side share: how their params are drawn, and their affine half."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from recurrent_lab import initializers
from recurrent_lab.activations import ACTIVATIONS, Activity, sigmoid
from recurrent_lab.cell import Cell, Halves, holding, join, whole_state
from recurrent_lab.initializers import COMMON_OPTIONS

Kind = TypeVar("Kind")

WITHOUT_GATES = ("recurrent_gain", "recurrent_init", "input_gain", "bias_scale", "dtype")
#: The options of a cell with one gate that both keeps and writes.
ONE_GATE = (*WITHOUT_GATES[:-1], "forget_bias", "dtype")


class Gates(NamedTuple):
  """The gates of a cell, each named by a letter.

  Attributes:
    inputs: the letters of the columns of `input_kernel`, in their order.
    recurrent: the letters of the columns of `recurrent_kernel`.
    biased: the letters of the entries of `bias`; by default those of `inputs`.
    keeps: the gate whose larger value keeps more of the state, to which `forget_bias` is added.
    writes: the gate whose larger value writes more, to which `write_bias` is added. If no gate keeps, `forget_bias` is subtracted
      from it instead, since both biases on one gate would double a chrono bias.
  """

  inputs: str
  recurrent: str
  biased: str = ""
  keeps: str = ""
  writes: str = ""


def draw(
  kind: Callable[..., Kind],
  gates: Gates,
  key: Key[Array, ""],
  input_size: int,
  hidden_size: int,
  options: Mapping[str, Any],
  takes: Sequence[str] = COMMON_OPTIONS,
) -> Kind:
  """Draws the fields `input_kernel`, `recurrent_kernel` and `bias` of the params `kind`."""
  o = initializers.parse_options({"input_size": input_size, "hidden_size": hidden_size}, options, takes)
  k_input, k_recurrent, k_bias = jax.random.split(key, 3)
  biased = gates.biased or gates.inputs
  bias = initializers.bias(k_bias, len(biased) * hidden_size, o)
  forget = jnp.asarray(o.forget_bias)
  if gates.keeps:
    bias = initializers.add_to_gate(bias, biased.index(gates.keeps), len(biased), forget)
  if gates.writes:
    written = jnp.asarray(o.write_bias) if gates.keeps else -forget
    bias = initializers.add_to_gate(bias, biased.index(gates.writes), len(biased), written)
  return kind(
    input_kernel=initializers.input_kernel(k_input, input_size, len(gates.inputs) * hidden_size, o),
    recurrent_kernel=initializers.recurrent_kernel(k_recurrent, hidden_size, len(gates.recurrent), o),
    bias=bias,
  )


def zeros(params: Any, batch_shape: tuple[int, ...] = ()) -> Float[Array, "*batch H"]:
  """Returns the state 0, `[*batch, H]`."""
  return jnp.zeros((*batch_shape, params.recurrent_kernel.shape[0]), params.bias.dtype)


def affine(params: Any, state: Float[Array, "*batch H"], x: Float[Array, "*batch I"]) -> tuple[Array, Array]:
  """Returns the parts from the input and from the state, each with its gates side by side."""
  return x @ params.input_kernel + params.bias, state @ params.recurrent_kernel


def sums(a: tuple[Array, Array], gates: Gates) -> dict[str, Array]:
  """Returns the pre-activation of every gate: the part from the input, and that from the state if it has one."""
  from_input, from_state = (
    dict(zip(letters, jnp.split(part, len(letters), axis=-1), strict=True))
    for part, letters in zip(a, (gates.inputs, gates.recurrent), strict=True)
  )
  return {k: from_input[k] + from_state[k] if k in from_state else from_input[k] for k in from_input}


def coupled(kind: type, gates: Gates, activation: str) -> Cell:
  """Returns a cell with one gate and a candidate: h_t = g_t ⊗ h_{t-1} + (1 - g_t) ⊗ c_t.

  Its params `kind` are those of `draw`, and its options `ONE_GATE`. Its state is h `[*batch, H]`, which is also its output.

  Args:
    kind: the params.
    gates: two letters, that of the gate, which keeps, and that of the candidate.
    activation: the nonlinearity of the candidate.
  """
  f, gate = ACTIVATIONS[activation], ACTIVATIONS["sigmoid"]
  (candidate,) = set(gates.inputs) - {gates.keeps}

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> Any:
    """Draws parameters. `forget_bias` is added to the gate, so larger remembers longer."""
    return draw(kind, gates, key, input_size, hidden_size, options, ONE_GATE)

  def pointwise(
    params: Any, state: Float[Array, "*batch H"], a: tuple[Array, Array]
  ) -> tuple[Float[Array, "*batch H"], Float[Array, "*batch H"]]:
    """Returns h_t twice: as the state and as the output."""
    seen = sums(a, gates)
    g = sigmoid(seen[gates.keeps])
    new = g * state + (1 - g) * f.function(seen[candidate])
    return new, new

  def probe(params: Any, state: Array, x: Array) -> dict[str, Activity]:
    """Returns the activity of the gate and of the candidate."""
    seen = sums(affine(params, state, x), gates)
    return {"update": gate.activity(seen[gates.keeps]), "candidate": f.activity(seen[candidate])}

  halves = Halves(affine, pointwise)
  return holding(kind, Cell(init, zeros, join(halves), probe, halves, whole_state, gated=True, options=ONE_GATE))
