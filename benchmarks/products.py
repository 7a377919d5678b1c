"""Times ln ‖∏ J‖ by lag, beside the loop that a user would write and beside bare matrix products of the same shapes.

python -m benchmarks.products --norms=spectral --points=1
"""

from collections.abc import Callable, Sequence
import sys
from typing import Any

import jax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp

from benchmarks import command
from benchmarks.timing import Contender
from benchmarks.worker import Prepared
import recurrent_lab as rl

INPUTS = 16
GAIN = 1.0


def nets(cell: str, hidden: int, steps: int, points: int) -> tuple[Any, jax.Array]:
  """Draws the parameters of P nets, each leaf with a leading axis P, and their inputs `[P, T, I]`."""
  k_params, k_xs = jax.random.split(jax.random.key(0))
  init = lambda key: rl.get_cell(cell).init(key, INPUTS, hidden, recurrent_gain=GAIN)
  return jax.vmap(init)(jax.random.split(k_params, points)), jax.random.normal(k_xs, (points, steps, INPUTS))


def facts(n: int, steps: int, points: int) -> Callable[[jax.Array], dict[str, Any]]:
  """Returns a function from log norms `[P, T]` to their facts."""
  check = lambda norms: {"last": float(jnp.mean(norms[:, -1])), "mean": float(jnp.mean(norms))}
  return lambda norms: {"check": check(norms), "flops": 2.0 * points * steps * n**3}


def state_size(cell: str, hidden: int) -> int:
  """Number of entries n of the state."""
  params = jax.eval_shape(lambda: rl.get_cell(cell).init(jax.random.key(0), INPUTS, hidden))
  state = jax.eval_shape(rl.get_cell(cell).initial_state, params)
  return sum(leaf.size for leaf in jax.tree.leaves(state))


def lab(cell: str, hidden: int, steps: int, points: int, norm: str) -> Prepared:
  """Prepares `recurrent_lab.product_log_norms`, jitted, with `vmap` over points."""
  params, xs = nets(cell, hidden, steps, points)
  run = jax.jit(jax.vmap(lambda params, xs: rl.product_log_norms(rl.get_cell(cell), params, xs, norm=norm)))
  return Prepared(lambda: run(params, xs).block_until_ready(), facts(state_size(cell, hidden), steps, points))


def log_norm(product: jax.Array, norm: str) -> jax.Array:
  """ln of the spectral norm, or of the Frobenius norm / √n."""
  if norm == "spectral":
    return jnp.log(jnp.linalg.norm(product, 2))
  return jnp.log(jnp.linalg.norm(product)) - 0.5 * jnp.log(product.shape[0])


def flat_step(cell: str, params: Any) -> tuple[Callable[[jax.Array, jax.Array], jax.Array], jax.Array]:
  """Returns (S_{j-1}, x_j) -> S_j for the state as one vector, and S_0."""
  one = rl.get_cell(cell)
  start, unravel = ravel_pytree(one.initial_state(params))
  return lambda s, x: ravel_pytree(one.step(params, unravel(s), x)[0])[0], start


def multiply(product: jax.Array, jacobian: jax.Array, norm: str) -> tuple[jax.Array, jax.Array, jax.Array]:
  """Returns the next product scaled to norm 1, ln of its norm, and ln of the scale that was divided out."""
  product = product @ jacobian
  size = jnp.linalg.norm(product)
  return product / size, log_norm(product, norm), jnp.log(size)


def loop(cell: str, hidden: int, steps: int, points: int, norm: str) -> Prepared:
  """Prepares a Python loop over jitted steps: a Jacobian by `jax.jacrev`, a dense product and its norm."""
  params, xs = nets(cell, hidden, steps, points)
  n = state_size(cell, hidden)
  step = jax.jit(lambda params, s, x: flat_step(cell, params)[0](s, x))
  jacobian = jax.jit(lambda params, s, x: jax.jacrev(flat_step(cell, params)[0])(s, x))
  advance = jax.jit(multiply, static_argnums=2)

  def one(params: Any, xs: Sequence[jax.Array]) -> jax.Array:
    states = [flat_step(cell, params)[1]]
    for x in xs:
      states.append(step(params, states[-1], x))
    product, scale, norms = jnp.eye(n), 0.0, []
    for s, x in zip(states[-2::-1], xs[::-1], strict=True):
      product, log, log_size = advance(product, jacobian(params, s, x), norm)
      norms.append(scale + log)
      scale += log_size
    return jnp.stack(norms).block_until_ready()

  separate = [(jax.tree.map(lambda a, p=p: a[p], params), list(xs[p])) for p in range(points)]
  return Prepared(lambda: jnp.stack([one(*point) for point in separate]), facts(n, steps, points))


def scan(cell: str, hidden: int, steps: int, points: int, norm: str) -> Prepared:
  """Prepares a jitted `lax.scan` over `jax.jacfwd`, a dense product and its norm, with `vmap` over points."""
  params, xs = nets(cell, hidden, steps, points)
  n = state_size(cell, hidden)

  def one(params: Any, xs: jax.Array) -> jax.Array:
    step, start = flat_step(cell, params)
    _, states = jax.lax.scan(lambda s, x: (step(s, x), s), start, xs)

    def back(carry: tuple[jax.Array, jax.Array], at: tuple[jax.Array, jax.Array]) -> tuple[Any, jax.Array]:
      product, scale = carry
      product, log, log_size = multiply(product, jax.jacfwd(step)(*at), norm)
      return (product, scale + log_size), scale + log

    _, norms = jax.lax.scan(back, (jnp.eye(n), jnp.zeros(())), (states, xs), reverse=True)
    return norms[::-1]

  run = jax.jit(jax.vmap(one))
  return Prepared(lambda: run(params, xs).block_until_ready(), facts(n, steps, points))


def bare(cell: str, hidden: int, steps: int, points: int, batched: bool) -> Prepared:
  """Prepares T products of P pairs of n×n matrices: of all pairs at once, or of one pair after the other."""
  n = state_size(cell, hidden)
  matrices = jax.random.normal(jax.random.key(0), (points, n, n)) / jnp.sqrt(n)
  multiply_all = lambda product: product @ matrices
  one_by_one = lambda product: jax.lax.map(lambda pair: pair[0] @ pair[1], (product, matrices))
  step = lambda product, _: ((multiply_all if batched else one_by_one)(product), None)
  run = jax.jit(lambda start: jax.lax.scan(step, start, length=steps)[0])
  return Prepared(lambda: run(matrices).block_until_ready(), lambda _: {"flops": 2.0 * points * steps * n**3})


BARE = "bare products"
BARE_ONE_BY_ONE = "bare products, one by one"


def case(cells: str, norms: str, hidden: int, steps: int, points: int) -> command.Case:
  """Returns the case of one cell, norm and size. The Python loop takes part if there is one point."""
  size = {"cell": cells, "hidden": hidden, "steps": steps, "points": points}
  make = lambda name, build, kind, **more: Contender(name, f"benchmarks.products:{build}", size | more, kind)
  contenders = [
    make("lab", "lab", "lab", norm=norms),
    make("plain scan", "scan", "own", norm=norms),
    *([make("Python loop", "loop", "peer", norm=norms)] if points == 1 else []),
    make(BARE, "bare", "limit", batched=True),
    *([make(BARE_ONE_BY_ONE, "bare", "limit", batched=False)] if points > 1 else []),
  ]
  return command.Case(f"{cells}-{norms}-{hidden}x{steps}x{points}", {"norm": norms, **size}, contenders)


BENCHMARK = command.Benchmark(
  "products",
  "Log norms of Jacobian products by lag, beside a user's loop and bare products.",
  {
    "cells": command.one_of("rnn", "lstm", "gru")._replace(default=["rnn"]),
    "norms": command.one_of("frobenius", "spectral"),
    "hidden": command.integers(128),
    "steps": command.integers(200),
    "points": command.integers(1, 64),
  },
  case,
)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command and returns its exit code."""
  return command.main(BENCHMARK, argv)


if __name__ == "__main__":
  sys.exit(main())
