"""The net of a stored point: the same parameters, inputs and initial state that the sweep has measured."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import jax
from jaxtyping import Array
import numpy as np

from experiments.portrait.nets import Sample, draw
from experiments.portrait.own import TABLE, cell_of, settings_of_own
from experiments.portrait.settings import SETTINGS
import recurrent_lab as rl
from sweepkit import Point, store
from sweepkit.measure import point_key
from sweepkit.points import key_words
from sweepkit.settings import traced_names

if TYPE_CHECKING:
  import xarray as xr


class DrawnNet(NamedTuple):
  """A random net and what it was driven by, ready for the instruments: `rl.product_log_norms(*net)`.

  Attributes:
    cell: the cell.
    params: its parameters.
    xs: the inputs `[T, I]`.
    state: S_0.
  """

  cell: rl.Cell
  params: Any
  xs: Array
  state: Any


def net_of(
  point: "Mapping[str, Any] | xr.Dataset",
  cell: rl.Cell | Callable[..., rl.Cell] | None = None,
  drawn: Callable[[Point, Array, Mapping[str, Array]], Sample] = draw,
) -> DrawnNet:
  """Returns the net of a stored point, drawn again from the key of the point.

      data = load_results("results/recurrent_gain")
      net = net_of(data.sel(cell="lstm", ws=2, seed=3))

  Args:
    point: a point, or a selection of one point from a dataset of `load_results`.
    cell: the cell of the point, if it is one of your own that this program has not swept.
    drawn: how the experiment draws its nets; `experiments.atlas` has a function `drawn` of its own.

  Returns:
    The net, in float64 if the point was computed so. JAX works with its arrays within `jax.enable_x64(True)` then.

  Raises:
    ValueError: if the selection holds several points, or the cell is not known.
  """
  is_selection = hasattr(point, "coords")
  chosen = store.point_of(cast("xr.Dataset", point)) if is_selection else Point(cast(Mapping[str, Any], point))
  name = str(chosen["cell"])
  if cell is not None:
    TABLE.add(name, "", cell)
  if name not in TABLE:
    raise ValueError(f"{name!r} is a cell of your own; pass it too: net_of(point, cell={name}).")
  own = settings_of_own(name)
  # A dataset shows a cell at the defaults of settings that only other cells have.
  lacking = {one for one in chosen if is_selection and "default" in point[one].attrs} - set(own)
  chosen = chosen.without(*lacking)
  names = [one for one in (*traced_names(SETTINGS), *traced_names(own)) if one in chosen]
  with jax.enable_x64(bool(chosen["x64"])):
    dtype = np.float64 if chosen["x64"] else np.float32
    values = {one: np.asarray(chosen[one], dtype) for one in names}
    words = np.array(key_words(chosen), np.uint32)
    made = jax.jit(lambda seed, words, values: drawn(chosen, point_key(seed, words), values))
    sample = made(np.uint32(chosen["seed"]), words, values)
  return DrawnNet(cell_of(chosen), sample.params, sample.xs, sample.state)
