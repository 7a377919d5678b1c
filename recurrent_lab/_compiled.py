"""Compiles a function once for equal cells, options and shapes, so that later calls take milliseconds.

Outside `jit`, every `lax.scan` over a new closure would be compiled again. Each compiled program also holds memory maps, and
Linux allows a process 65 530 of them. `compiled` therefore keeps the program of a call in a cache. The key is:

- the static arguments: cells, options, and functions such as a loss. They are compared by equality. For functions, equality is
  identity, so define a loss once, outside the loop;
- the structure, shapes and dtypes of all arrays. NumPy arrays, JAX arrays and numbers are treated alike.

The cache holds the `PROGRAMS` most recently used programs and frees the others. A loop that makes a new function in every
iteration compiles in every iteration, but does not run out of memory. A call with a static argument that cannot be hashed is
compiled every time and not kept. Arrays inside a pytree do not prevent caching: `jax.tree_util.Partial(loss, target)` is one
program for all targets.

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
from recurrent_lab._checks import check_cell, check_sequence

Args = ParamSpec("Args")
Made = TypeVar("Made")

# A program holds 27 (`unroll`) to 320 (`lyapunov_spectrum`) memory maps, measured for a GRU with H = 5, jax 0.10.2, CPU. This
# many of the largest programs take two thirds of the maps that Linux allows.
PROGRAMS = 128

# Arguments that are pytrees. A list in them is a structure, not an array.
CELLS = {"cell", "forward", "backward"}  # arguments that are cells
TREES = ("params", "state", "states", "adjoint", "batch")


class _Call(NamedTuple):
  """The key of a compiled program."""

  function: Callable[..., Any]
  structure: Any  # the pytree of all arguments
  leaves: tuple[Any, ...]  # `_Shape` for an array, else (type, value)
  options: tuple[tuple[str, bool | str], ...]  # compiler options


class _Shape(NamedTuple):
  """The properties of an array that a program depends on."""

  shape: tuple[int, ...]
  dtype: Any
  is_weak: bool


def compiled(
  *static: str, check: Callable[[Mapping[str, Any]], None] | None = None
) -> Callable[[Callable[Args, Made]], Callable[Args, Made]]:
  """Makes a function compile once for equal shapes and equal static arguments.

  Args:
    *static: the names of the static arguments.
    check: called with the arguments by name before they are traced. Raises an error for values that are not allowed.
  """

  def decorate(function: Callable[Args, Made]) -> Callable[Args, Made]:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Args.args, **kwargs: Args.kwargs) -> Made:
      bound = signature.bind(*args, **kwargs)
      bound.apply_defaults()
      for name in CELLS & set(bound.arguments):
        check_cell(name, bound.arguments[name], bound.arguments)
      if "xs" in bound.arguments:
        check_sequence(bound.arguments["xs"], bound.arguments)
      named = {name: _plain(name, value, name in static) for name, value in bound.arguments.items()}
      if check is not None:
        check(named)
      options = {name: value for name, value in named.items() if name in static}
      arrays = {name: value for name, value in named.items() if name not in static}
      # Numbers among the options are static. Other numbers are scalar arrays.
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
  """Returns the compiler options against wrong numbers, where the flags came too late.

  Returns none inside another program, because JAX accepts compiler options only at the top level.
  """
  options = _xla.compiler_options()
  if options is None or any(isinstance(leaf, jax.core.Tracer) for leaf in [*leaves, jnp.zeros(())]):
    return ()
  return tuple(options.items())


def _plain(name: str, value: Any, is_static: bool) -> Any:
  """Converts static arrays and lists to Python numbers and tuples, and other lists of numbers to arrays."""
  if is_static and isinstance(value, np.ndarray | np.generic | jax.Array) and not isinstance(value, jax.core.Tracer):
    value = value.tolist()
  if is_static:
    return tuple(value) if isinstance(value, list) else value
  if isinstance(value, list) and name not in TREES:
    return (
      jnp.asarray(value)
      if any(isinstance(one, jax.core.Tracer) for one in jax.tree.leaves(value))
      else np.asarray(value)
    )
  return value


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
