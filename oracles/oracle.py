"""The type of an oracle, and the runs of torch and of JAX that most adapters share."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

GOLDEN = Path(__file__).parents[1] / "tests" / "recurrent_lab" / "cells" / "golden"

Arrays = Mapping[str, np.ndarray]


class Oracle(NamedTuple):
  """An independent implementation of a cell.

  Attributes:
    cell: a name in `CELLS`.
    package: the name of the distribution on PyPI.
    implementation: the class or function that runs.
    run: `(params by field, xs [T, I]) -> (outputs [T, H], slopes by field)` in float64. Slopes are those of `Σ weights ⊗ outputs`
      by every field of the params, and by `xs`. A field that the package has not is left out.
    notes: every place where the package differs from its paper or its documentation, and what the lab does there.
      One sentence each.
    tolerance: the largest difference that is allowed. Above 1e-9 only for packages that compute in float32.
  """

  cell: str
  package: str
  implementation: str
  run: Callable[[Arrays, np.ndarray], tuple[np.ndarray, Arrays]]
  notes: tuple[str, ...] = ()
  tolerance: float = 1e-9


def weights(shape: tuple[int, ...]) -> np.ndarray:
  """Returns the weights cos(k) of the k-th number of the outputs, so that no gradient is 0 by symmetry."""
  return np.cos(np.arange(np.prod(shape))).reshape(shape)


def by_torch(
  outputs: Callable[[Mapping[str, Any], Any], Any],
) -> Callable[[Arrays, np.ndarray], tuple[np.ndarray, Arrays]]:
  """Returns the `run` of a torch implementation `(params by field, xs [T, I]) -> outputs [T, H]`."""
  import torch

  def run(params: Arrays, xs: np.ndarray) -> tuple[np.ndarray, Arrays]:
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in {**params, "xs": xs}.items()}
    found = outputs({name: leaf for name, leaf in leaves.items() if name != "xs"}, leaves["xs"])
    (found * torch.tensor(weights(tuple(found.shape)))).sum().backward()
    return found.detach().numpy(), {name: leaf.grad.numpy() for name, leaf in leaves.items() if leaf.grad is not None}

  return run


def by_jax(
  outputs: Callable[[Mapping[str, Any], Any], Any],
) -> Callable[[Arrays, np.ndarray], tuple[np.ndarray, Arrays]]:
  """Returns the `run` of a JAX implementation `(params by field, xs [T, I]) -> outputs [T, H]`."""
  import jax
  import jax.numpy as jnp

  def loss(leaves: Mapping[str, Any]) -> tuple[Any, Any]:
    found = outputs({name: leaf for name, leaf in leaves.items() if name != "xs"}, leaves["xs"])
    return jnp.sum(weights(found.shape) * found), found

  def run(params: Arrays, xs: np.ndarray) -> tuple[np.ndarray, Arrays]:
    leaves = {name: jnp.asarray(value) for name, value in {**params, "xs": xs}.items()}
    slopes, found = jax.grad(loss, has_aux=True)(leaves)
    return np.asarray(found), {name: np.asarray(slope) for name, slope in slopes.items()}

  return run
