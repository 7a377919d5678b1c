"""The lab, and a plain scan over its step as a user of JAX would write it."""

from functools import partial
import os
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks import problem
from benchmarks.peers.on_jax import prepare
from benchmarks.worker import Prepared
import recurrent_lab as rl


def _net(net: str, shape: problem.Shape) -> tuple[rl.Cell, Any]:
  """Returns the cell of a net, and its params with the numbers of the problem."""
  cells, params = [], []
  for i, (name, sizes) in enumerate(problem.layers(net, shape)):
    cells.append(rl.get_cell(name))
    own = cells[i].init(jax.random.key(0), sizes.inputs, sizes.hidden)
    given = problem.problem(name, sizes, seed=i)._asdict()
    params.append(own._replace(**{field: jnp.asarray(given[field]) for field in own._fields}))
  return (cells[0], params[0]) if len(cells) == 1 else (rl.stack(*cells), tuple(params))


def _kernels(params: Any) -> Any:
  """Returns the recurrent kernels of a net."""
  return [params.recurrent_kernel] if hasattr(params, "recurrent_kernel") else [own.recurrent_kernel for own in params]


def make(cell: str, shape: tuple[int, ...]) -> Prepared:
  """Prepares `recurrent_lab.reverse_unroll`, with the batch split over the cores if each share has at least 16 rows.

  In products of fewer rows, every core would spend its time reading the whole kernel.
  """
  shape, cores = problem.Shape(*shape), os.cpu_count() or 1
  share, rest = divmod(shape.batch, cores)
  is_parallel = os.environ.get("JAX_PLATFORMS", "cpu") == "cpu" and share >= 16 and not rest
  if is_parallel:
    jax.config.update("jax_num_cpu_devices", cores)
  net, params = _net(cell, shape)
  apply = lambda params, xs: rl.reverse_unroll(net, params, xs)[1]
  return prepare(apply, params, _kernels, cell, shape, is_parallel=is_parallel)


def make_unroll(cell: str, shape: tuple[int, ...], segment: int | None = None) -> Prepared:
  """Prepares `recurrent_lab.unroll` under `jax.value_and_grad`, with or without segments."""
  shape = problem.Shape(*shape)
  net, params = _net(cell, shape)
  apply = lambda params, xs: rl.unroll(net, params, xs, segment=segment)[1]
  return prepare(apply, params, _kernels, cell, shape)


def make_scan(cell: str, shape: tuple[int, ...]) -> Prepared:
  """Prepares `lax.scan` over `cell.step`, differentiated by JAX."""
  shape = problem.Shape(*shape)
  net, params = _net(cell, shape)
  apply = lambda params, xs: jax.lax.scan(partial(net.step, params), net.initial_state(params, xs.shape[1:-1]), xs)[1]
  return prepare(apply, params, _kernels, cell, shape)
