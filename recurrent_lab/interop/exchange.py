"""Converts the params of any cell to a flat dict of named arrays, and stores such dicts as safetensors files, without pickle.

The name of an array is its path in the params: `input_kernel` in a cell of the lab, `0.input_kernel` in the lowest layer of a
stack.
"""

from collections.abc import Mapping
import os
from pathlib import Path
import sys
from typing import Any

import jax
import numpy as np

from recurrent_lab.cell import Params


def to_named(params: Params) -> dict[str, Any]:
  """Returns the arrays of any params by the name of their path. If the params are one bare array, its name is `params`."""
  return {_name(path): array for path, array in jax.tree_util.tree_flatten_with_path(params)[0]}


def from_named(like: Params, arrays: Mapping[str, Any]) -> Params:
  """Returns named arrays as params with the structure of `like`. Only the structure and shapes of `like` are used.

  Raises:
    ValueError: for a missing or unknown name, or a shape other than that in `like`.
  """
  expected = to_named(like)
  for wrong, what in ((expected.keys() - arrays.keys(), "missing"), (arrays.keys() - expected.keys(), "unknown")):
    if wrong:
      raise ValueError(f"The array {', '.join(sorted(wrong))} is {what}; the params have {', '.join(expected)}.")
  for name, leaf in expected.items():
    if np.shape(arrays[name]) != np.shape(leaf):
      raise ValueError(f"The array {name} has shape {np.shape(arrays[name])}; the params have {np.shape(leaf)}.")
  return jax.tree.unflatten(jax.tree.structure(like), [arrays[name] for name in expected])


def save(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
  """Writes named arrays to a safetensors file, such as those of `to_named` or a torch state dict; no nested dicts."""
  from safetensors.numpy import save_file

  save_file({name: np.asarray(array, order="C") for name, array in arrays.items()}, path)


def load(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
  """Reads the named arrays of a safetensors file.

  Raises:
    FileNotFoundError: if there is no such file.
    ValueError: if it is another kind of file, or is not whole.
  """
  from recurrent_lab.interop.modules import files

  return files.read_safetensors(Path(path), sys.maxsize)


def _name(path: tuple[Any, ...]) -> str:
  return jax.tree_util.keystr(path, simple=True, separator=".") or "params"
