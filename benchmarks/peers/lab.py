"""The lab, and a plain scan over its step as a user of JAX would write it."""

from functools import partial
import os

import jax
import jax.numpy as jnp

from benchmarks import problem
from benchmarks.peers.on_jax import prepare
from benchmarks.worker import Prepared
import recurrent_lab as rl


def _params(cell: str, shape: problem.Shape) -> object:
  """Returns params of the lab with the numbers of the problem, by field name."""
  own = rl.get_cell(cell).init(jax.random.key(0), shape.inputs, shape.hidden)
  given = problem.problem(cell, shape)._asdict()
  return own._replace(**{name: jnp.asarray(given[name]) for name in own._fields})


def make(cell: str, shape: tuple[int, ...]) -> Prepared:
  """Prepares `recurrent_lab.reverse_unroll`, with the batch split over the cores if each share has at least 16 rows.

  In products of fewer rows, every core would spend its time reading the whole kernel.
  """
  shape, cores = problem.Shape(*shape), os.cpu_count() or 1
  share, rest = divmod(shape.batch, cores)
  is_parallel = os.environ.get("JAX_PLATFORMS", "cpu") == "cpu" and share >= 16 and not rest
  if is_parallel:
    jax.config.update("jax_num_cpu_devices", cores)
  apply = lambda params, xs: rl.reverse_unroll(rl.get_cell(cell), params, xs)[1]
  kernels = lambda tree: tree.recurrent_kernel
  return prepare(apply, _params(cell, shape), kernels, cell, shape, is_parallel=is_parallel)


def make_unroll(cell: str, shape: tuple[int, ...], segment: int | None = None) -> Prepared:
  """Prepares `recurrent_lab.unroll` under `jax.value_and_grad`, with or without segments."""
  shape = problem.Shape(*shape)
  apply = lambda params, xs: rl.unroll(rl.get_cell(cell), params, xs, segment=segment)[1]
  return prepare(apply, _params(cell, shape), lambda tree: tree.recurrent_kernel, cell, shape)


def make_scan(cell: str, shape: tuple[int, ...]) -> Prepared:
  """Prepares `lax.scan` over `cell.step`, differentiated by JAX."""
  shape, one = problem.Shape(*shape), rl.get_cell(cell)
  apply = lambda params, xs: jax.lax.scan(partial(one.step, params), one.initial_state(params, xs.shape[1:-1]), xs)[1]
  return prepare(apply, _params(cell, shape), lambda tree: tree.recurrent_kernel, cell, shape)
