"""The clockwork RNN: groups of units with periods of their own, each updated only when its period divides the time.

    a_t = x_t W + h_{t-1} U + b
    h_t = tanh(a_t) for the units of a group whose period divides t, else h_{t-1}          t = 0, 1, …

U lets a group see itself and slower groups alone. The time is a part of the state without a derivative, so a Jacobian has one row
and one column of zeros, and one Lyapunov exponent is -inf.

Reference: Koutník, Greff, Gomez & Schmidhuber, "A clockwork RNN", ICML (2014), section 3.
"""

import math
from typing import Any, NamedTuple

from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from recurrent_lab.activations import ACTIVATIONS, Activity, tanh
from recurrent_lab.cell import Cell, holding, variants
from recurrent_lab.cells import _gates
from recurrent_lab.cells._gates import WITHOUT_GATES, Gates


class ClockworkRNNParams(NamedTuple):
  """Parameters of the clockwork RNN."""

  input_kernel: Float[Array, "I H"]  # W
  recurrent_kernel: Float[Array, "H H"]  # U; entries from a faster to a slower group are not used
  bias: Float[Array, "H"]  # b


class ClockworkState(NamedTuple):
  """The state of the clockwork RNN."""

  hidden: Float[Array, "*batch H"]  # h, which is also the output
  time: Float[Array, "*batch 1"]  # t, the number of steps so far, modulo the least common multiple of the periods


def initial_state(params: ClockworkRNNParams, batch_shape: tuple[int, ...] = ()) -> ClockworkState:
  """Returns h_0 = 0 `[*batch, H]` at time 0 `[*batch, 1]`."""
  zeros = lambda size: jnp.zeros((*batch_shape, size), params.bias.dtype)
  return ClockworkState(zeros(params.bias.shape[0]), zeros(1))


@variants
def clockwork_rnn(periods: tuple[int, ...] = (1, 2, 4, 8)) -> Cell:
  """Returns a clockwork RNN. Its state is a `ClockworkState`, and its output is h `[*batch, H]`.

  Args:
    periods: the period of every group in steps, from fast to slow. The units are shared out among the groups, in this order.

  Raises:
    ValueError: if the periods do not increase from 1 or more, or if there are more groups than units.
  """
  is_whole = all(isinstance(period, int) for period in periods)
  if not periods or not is_whole or any(b <= a for a, b in zip((0, *periods), periods, strict=False)):
    raise ValueError(f"periods are {periods}; they must be whole numbers that increase, and start at 1 or more.")

  def group(size: int) -> np.ndarray:
    """Returns the number of the group of every unit."""
    if size < len(periods):
      raise ValueError(f"hidden_size is {size}; {len(periods)} periods need at least as many units.")
    return np.arange(size) * len(periods) // size

  def init(key: Key[Array, ""], input_size: int, hidden_size: int, **options: Any) -> ClockworkRNNParams:
    """Draws parameters. The options are those in `WITHOUT_GATES`. Raises `ValueError` for more groups than units."""
    drawn = _gates.draw(ClockworkRNNParams, Gates("h", "h"), key, input_size, hidden_size, options, WITHOUT_GATES)
    group(hidden_size)
    return drawn

  def preactivation(
    params: ClockworkRNNParams, state: ClockworkState, x: Float[Array, "*batch I"]
  ) -> Float[Array, "*batch H"]:
    own = group(params.bias.shape[0])
    kernel = params.recurrent_kernel * (own[:, None] >= own)
    return x @ params.input_kernel + state.hidden @ kernel + params.bias

  def step(
    params: ClockworkRNNParams, state: ClockworkState, x: Float[Array, "*batch I"]
  ) -> tuple[ClockworkState, Float[Array, "*batch H"]]:
    time = lax.stop_gradient(state.time)
    period = np.asarray(periods)[group(params.bias.shape[0])].astype(time.dtype)
    hidden = jnp.where(jnp.mod(time, period) == 0, tanh(preactivation(params, state, x)), state.hidden)
    # A count of all steps would stop at 256 in bfloat16 and at 2048 in float16.
    return ClockworkState(hidden, jnp.mod(time + 1, math.lcm(*periods))), hidden

  def probe(params: ClockworkRNNParams, state: ClockworkState, x: Array) -> dict[str, Activity]:
    return {"candidate": ACTIVATIONS["tanh"].activity(preactivation(params, state, x))}

  output = lambda params, state: state.hidden
  return holding(ClockworkRNNParams, Cell(init, initial_state, step, probe, output=output, options=WITHOUT_GATES))
