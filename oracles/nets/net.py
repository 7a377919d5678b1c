"""The type of a net that another library built, saved and ran."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

INPUTS, STEPS = 3, 6


class Net(NamedTuple):
  """A net of another library.

  Attributes:
    file: the name of the file that it is saved in.
    package: the name of the distribution on PyPI.
    save: writes the file to a path, with weights of its own.
    run: `xs [T, I] -> (outputs [T, O], slopes [T, I])`, by the library's own code. Slopes are those of `Σ weights ⊗ outputs` by
      the inputs.
    options: options of `import_model` that the file needs.
  """

  file: str
  package: str
  save: Callable[[Path], Any]
  run: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
  options: dict[str, Any] = {}  # noqa: RUF012 - never changed


def redrawn(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
  """Draws weights away from their defaults, so that no bias is 0."""
  return rng.normal(0.1, 0.5, shape).astype(np.float32)


def weights(shape: tuple[int, ...]) -> np.ndarray:
  """Returns the weights cos(k) of the k-th output, so that no slope is 0 by symmetry."""
  return np.cos(np.arange(np.prod(shape), dtype=np.float32)).reshape(shape)


def by_jax(function: Callable[[Any], Any]) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
  """Returns the `run` of a function of JAX `xs [T, I] -> outputs [T, O]`."""
  import jax
  import jax.numpy as jnp

  def run(xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = function(jnp.asarray(xs))
    slopes = jax.grad(lambda xs: jnp.sum(weights(found.shape) * function(xs)))(jnp.asarray(xs))
    return np.asarray(found), np.asarray(slopes)

  return run
