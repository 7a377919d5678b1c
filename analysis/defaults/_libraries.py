"""The recipes of a study of defaults: their kinds, their names and their looks, and the results at one setting."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from analysis.selection import only_axes
import recurrent_lab as rl

KINDS: Mapping[str, tuple[str, ...]] = {
  "LSTM": ("lstm",),
  "GRU": ("gru", "gru_reset_before"),
  "RNN": ("rnn", "rnn_relu"),
}
LIBRARIES: Mapping[str, tuple[str, str, str]] = {  # the start of a class -> library, colour, line style
  "torch.": ("torch", "#D55E00", "-"),
  "paddle.": ("Paddle", "#D55E00", ":"),
  "equinox.": ("Equinox", "#E69F00", "--"),
  "mlx.": ("MLX", "#E69F00", ":"),
  "flax.linen.": ("Flax linen", "#0072B2", "-"),
  "flax.nnx.": ("Flax NNX", "#56B4E9", "--"),
  "haiku.": ("Haiku", "#009E73", "-"),
  "keras.": ("Keras", "#CC79A7", "-"),
  "tensorflow.": ("TensorFlow 1", "#5D3A9B", "-."),
  "brainstate.": ("brainstate", "#8C510A", "--"),
  "chainer.links.NStep": ("Chainer NStep", "#999999", "-."),
  "chainer.links.": ("Chainer", "black", "-"),
}
AXES = ("recipe", "weights", "hidden_size", "input_scale", "forget_bias")
SIZE, SCALE = 128, 1.0  # the setting at which libraries are compared; the nearest that was measured


def kind(recipe: str) -> str:
  """Returns LSTM, GRU or RNN."""
  cell = rl.init_like(recipe).cell
  return next(name for name, cells in KINDS.items() if cell in cells)


def _library(recipe: str) -> tuple[str, str, str]:
  return next(found for start, found in LIBRARIES.items() if recipe.startswith(start))


def label(recipe: str) -> str:
  """Returns the libraries that draw alike, with what tells the class from their others: `Keras, reset before`."""
  own = rl.init_like(recipe)
  alike = [_library(name)[0] for name, other in rl.RECIPES.items() if other is own]
  named = list(dict.fromkeys([_library(recipe)[0], *alike]))
  if "reset_after=False" in recipe:
    named.append("reset before")
  if "Optimized" in recipe:
    named.append("optimised")
  return ", ".join([*named, *(["relu"] if own.cell == "rnn_relu" else [])])


def look(recipe: str) -> dict[str, Any]:
  """Returns colour and line style of a recipe."""
  _, color, linestyle = _library(recipe)
  is_second = "reset_after=False" in recipe or "ReLU" in recipe
  return {"color": color, "linestyle": ":" if is_second else linestyle}


def grid(dataset: xr.Dataset) -> xr.Dataset:
  """Returns the results with the axes that the figures have, and no other."""
  return only_axes(dataset, *AXES)


def nearest(data: xr.Dataset, axis: str, wanted: float) -> float:
  """Returns the value of an axis that lies nearest, on a logarithmic scale where that is possible."""
  values = np.asarray(data[axis].values, float)
  distance = np.abs(np.log(np.maximum(values, 1e-9) / wanted)) if wanted > 0 else np.abs(values - wanted)
  return data[axis].values[int(np.argmin(distance))].item()


def plain(data: xr.Dataset) -> xr.Dataset:
  """Returns what libraries draw themselves, without a forget bias added."""
  found = data.sel(forget_bias=nearest(data, "forget_bias", 0), drop=True)
  return found.sel(weights="recipe", drop=True) if "recipe" in found.weights else found.isel(weights=0, drop=True)


def compared(data: xr.Dataset) -> xr.Dataset:
  """Returns the results at the one size and input scale at which libraries are compared."""
  return data.sel(
    hidden_size=nearest(data, "hidden_size", SIZE), input_scale=nearest(data, "input_scale", SCALE), drop=True
  )


def of_kind(data: xr.Dataset, name: str) -> list[str]:
  """Returns the recipes of a kind, those with the longest memory first. `data` is `plain`, of all settings or of one."""
  found = [recipe for recipe in data.recipe.values.tolist() if kind(recipe) == name]
  memory = compared(data).memory_length if "input_scale" in data.dims else data.memory_length
  order = {recipe: float(memory.sel(recipe=recipe).mean("seed")) for recipe in found}
  return sorted(found, key=lambda recipe: -np.nan_to_num(order[recipe]))
