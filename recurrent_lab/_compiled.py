"""Functions that are compiled once for equal cells, options and shapes, and run in milliseconds from then on.

Outside of `jit` every `lax.scan` over a fresh closure would be compiled anew, and each program holds maps of memory, of which
Linux allows a process 65 530. `compiled` keeps the program of a call under what decides it:

- the static arguments: cells, options, and functions such as a loss. They are compared by equality, which for functions is
  identity: define a loss once, outside of the loop;
- the structure, shapes and dtypes of all arrays. NumPy arrays, JAX arrays and numbers serve alike.

The `PROGRAMS` used last are kept, the others are freed: a loop that makes a new function at every turn compiles at every turn,
but does not run out of memory. Static arguments that cannot be hashed are compiled at every call and nothing of them is kept,
except for arrays in a pytree: `jax.tree_util.Partial(loss, target)` is one program for all targets.

Under `jit`, `grad` or `vmap` the function becomes a part of the surrounding program.
"""

from collections.abc import Callable, Mapping
import functools
import inspect
from typing import Any, NamedTuple, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from recurrent_lab import _xla

Args = ParamSpec("Args")
Made = TypeVar("Made")

# A program holds 27 (`unroll`) to 320 (`lyapunov_spectrum`) maps of memory (GRU, H = 5, jax 0.10.2, CPU), so this many of the
# largest hold two thirds of what Linux allows.
PROGRAMS = 128

# Pytrees in which a list is a structure and not an array.
TREES = ("params", "state", "states", "adjoint", "batch")


class _Call(NamedTuple):
  """What decides the program of a call."""

  function: Callable[..., Any]
  structure: Any  # the pytree of all arguments
  leaves: tuple[Any, ...]  # `_Shape` for an array, else (type, value)
  options: tuple[tuple[str, bool | str], ...]  # of the compiler


class _Shape(NamedTuple):
  """What a program needs to know of an array."""

  shape: tuple[int, ...]
  dtype: Any
  is_weak: bool


def compiled(
  *static: str, check: Callable[[Mapping[str, Any]], None] | None = None
) -> Callable[[Callable[Args, Made]], Callable[Args, Made]]:
  """Makes a function compile once for equal shapes and equal static arguments.

  Args:
    *static: the names of the static arguments.
    check: is given the arguments by name before they are traced, and raises for numbers that cannot be.
  """

  def decorate(function: Callable[Args, Made]) -> Callable[Args, Made]:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Args.args, **kwargs: Args.kwargs) -> Made:
      bound = signature.bind(*args, **kwargs)
      bound.apply_defaults()
      named = {name: _plain(name, value, name in static) for name, value in bound.arguments.items()}
      if check is not None:
        check(named)
      options = {name: value for name, value in named.items() if name in static}
      arrays = {name: value for name, value in named.items() if name not in static}
      # Numbers among the options are static; elsewhere they are arrays without axes.
      leaves, structure = jax.tree.flatten((options, arrays))
      count = len(jax.tree.leaves(options))
      is_array = [isinstance(leaf, jax.Array | np.ndarray) or i >= count for i, leaf in enumerate(leaves)]
      described = tuple(
        _shape(leaf) if dynamic else (type(leaf), leaf) for leaf, dynamic in zip(leaves, is_array, strict=True)
      )
      wanted = _Call(function, structure, described, _compiler_options(leaves))
      try:
        program = _program(wanted)
      except TypeError:
        if _is_hashable(wanted):
          raise
        program = _program.__wrapped__(wanted)
      return program(*(leaf for leaf, dynamic in zip(leaves, is_array, strict=True) if dynamic))

    return call

  return decorate


@functools.lru_cache(maxsize=PROGRAMS)
def _program(wanted: _Call) -> Callable[..., Any]:
  def run(*arrays: Any) -> Any:
    given = iter(arrays)
    leaves = [next(given) if isinstance(leaf, _Shape) else leaf[1] for leaf in wanted.leaves]
    options, named = jax.tree.unflatten(wanted.structure, leaves)
    return wanted.function(**options, **named)

  run.__name__ = run.__qualname__ = getattr(wanted.function, "__name__", "run")
  return jax.jit(run, inline=True, compiler_options=dict(wanted.options) or None)


def _compiler_options(leaves: list[Any]) -> tuple[tuple[str, bool | str], ...]:
  """What keeps XLA from wrong numbers where its flags came too late; JAX takes options outside of other programs only."""
  options = _xla.compiler_options()
  if options is None or any(isinstance(leaf, jax.core.Tracer) for leaf in [*leaves, jnp.zeros(())]):
    return ()
  return tuple(options.items())


def _plain(name: str, value: Any, is_static: bool) -> Any:
  """An option as Python's own numbers and tuples, and a list of numbers as an array."""
  if is_static and isinstance(value, np.ndarray | np.generic | jax.Array) and not isinstance(value, jax.core.Tracer):
    value = value.tolist()
  if is_static:
    return tuple(value) if isinstance(value, list) else value
  return np.asarray(value) if isinstance(value, list) and name not in TREES else value


def _shape(leaf: Any) -> _Shape:
  if hasattr(leaf, "shape") and hasattr(leaf, "dtype"):
    return _Shape(tuple(leaf.shape), leaf.dtype, getattr(leaf, "weak_type", False))
  return _Shape((), type(leaf), True)


def _is_hashable(value: Any) -> bool:
  try:
    hash(value)
  except TypeError:
    return False
  return True
