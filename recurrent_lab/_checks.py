"""Checks that several modules share."""

from collections.abc import Mapping
import difflib
from types import MappingProxyType
from typing import Any
import warnings

import jax
import jax.numpy as jnp

LARGE = 2**32  # bytes: more than that is not there on many a laptop


class MemoryWarning(UserWarning):
  """A result takes more memory than many machines have. The message names the size and the way around."""


def check_choice(what: str, value: object, allowed: Any) -> None:
  """Raises a `ValueError` that names `value` and the allowed choices, unless `value` is one of them."""
  if value not in allowed:
    names = list(map(str, allowed))
    close = difflib.get_close_matches(str(value), names, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"{what} {value!r} is unknown; choose one of {', '.join(names)}.{guess}")


def check_cell(name: str, value: Any, others: Mapping[str, Any] = MappingProxyType({})) -> None:
  """Raises a `ValueError` unless an argument is a cell.

  Args:
    name: that of the argument.
    value: its value. Whatever has an `initial_state` is a cell.
    others: all arguments of the call by name, in their order.
  """
  if hasattr(value, "initial_state"):
    return
  if isinstance(value, str):
    raise ValueError(f"{name} is the text {value!r}; recurrent_lab.get_cell({value!r}) is the cell of that name.")
  if any(hasattr(part, "initial_state") for part in (value if isinstance(value, tuple) else ())):
    raise ValueError(
      f"{name} holds several cells. A net that reads in both directions is measured one direction at a time:"
      " the forward cell on xs, or the backward cell on xs[::-1]."
    )
  elsewhere = [other for other, one in others.items() if hasattr(one, "initial_state")]
  if elsewhere:
    order = ", ".join(list(others)[: list(others).index("xs") + 1] if "xs" in others else others)
    raise ValueError(f"{name} is {_kind(value)}, and {elsewhere[0]} is a Cell; the order is {order}.")
  if hasattr(value, "direction"):
    raise ValueError(
      f"{name} is a net that reads in both directions, which is measured one direction at a time:"
      f" of a model, *model.direction('forward', xs) is (cell, params, inputs)."
    )
  raise ValueError(f"{name} is {_kind(value)}; it must be a Cell.")


def check_sequence(value: Any, others: Mapping[str, Any]) -> None:
  """Raises a `ValueError` unless the inputs `xs` can be an array, as where they and the params are in each other's place."""
  if isinstance(value, tuple | dict | str) or value is None:
    is_swapped = hasattr(others.get("params"), "shape")
    meant = ", and params is an array; the order is params, xs" if is_swapped else "; it must be an array [T, ..., I]"
    raise ValueError(f"xs is {_kind(value)}{meant}.")


def _kind(value: Any) -> str:
  return "an array" if hasattr(value, "shape") else type(value).__name__


def check_key(key: Any) -> None:
  """Raises a `ValueError` unless `key` is a random key: a typed one, or the two numbers of an old one."""
  dtype = getattr(key, "dtype", None)
  is_typed = dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key)
  if not is_typed and not (dtype == jnp.uint32 and jnp.shape(key)[-1:] in ((2,), (4,))):
    raise ValueError(f"key is {key!r}; a random key is what jax.random.key(0) returns.")


def tree_bytes(tree: Any) -> int:
  """Returns the number of bytes of the arrays of a pytree."""
  return sum(jnp.size(leaf) * jnp.result_type(leaf).itemsize for leaf in jax.tree.leaves(tree))


def say_size(what: str, size: int, way_around: str) -> None:
  """Warns of a result of more than 4 GiB before its memory is asked for."""
  if size > LARGE:
    warnings.warn(f"{what}: {size / 1e9:.0f} GB; {way_around}.", MemoryWarning, stacklevel=2)
