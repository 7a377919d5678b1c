"""Full Lyapunov spectra, beside a QR at every step.

python -m benchmarks.spectra --cells=rnn --hidden=64,128
"""

from collections.abc import Sequence
import os
import sys
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
import numpy as np

from benchmarks import command
from benchmarks.products import flat_step, nets, state_size
from benchmarks.timing import Contender
from benchmarks.worker import Prepared
import recurrent_lab as rl
from sweepkit.execution.devices import prepare, tiled


def facts(exponents: jax.Array, residual: jax.Array, interval: int, steps: int) -> dict[str, Any]:
  """What is told of spectra `[P, n]`: means over points, the worst certificate, the products J Q."""
  points, n = exponents.shape
  which = {"largest": 0, "middle": n // 2, "smallest": n - 1}
  check = {name: float(np.mean(exponents[:, i])) for name, i in which.items()}
  return {
    "check": check,
    "residual": float(np.max(residual)),
    "interval": interval,
    "flops": 2.0 * points * steps * n**3,
  }


def lab(cell: str, hidden: int, steps: int, points: int, interval: int | None = None) -> Prepared:
  """`recurrent_lab.lyapunov_spectrum`, `vmap` over points, which are shared out to the cores where they divide them.

  By default it chooses the interval between two QRs.
  """
  cores = os.cpu_count() or 1
  if os.environ.get("JAX_PLATFORMS", "cpu") == "cpu" and points % cores == 0:
    prepare(cores, None)
  params, xs = nets(cell, hidden, steps, points)
  spectrum = lambda params, xs: rl.lyapunov_spectrum(rl.get_cell(cell), params, xs, interval=interval)
  mesh = Mesh(np.array(jax.local_devices()), ("device",))
  params, xs = jax.device_put((params, xs), NamedSharding(mesh, jax.P("device")))
  run = jax.jit(tiled(jax.vmap(spectrum), mesh))
  return Prepared(
    lambda: jax.block_until_ready(run(params, xs)),
    lambda s: facts(s.exponents, s.residual, int(jnp.min(s.interval)), steps),
  )


def dense(cell: str, hidden: int, steps: int, points: int) -> Prepared:
  """As a user writes it: a scan over `jax.jacfwd`, J Q and its QR at every step, and ln |det J| for the certificate."""
  params, xs = nets(cell, hidden, steps, points)
  n = state_size(cell, hidden)

  def one(params: Any, xs: jax.Array) -> tuple[jax.Array, jax.Array]:
    step, start = flat_step(cell, params)

    def advance(carry: tuple[jax.Array, jax.Array], x: jax.Array) -> tuple[Any, tuple[jax.Array, jax.Array]]:
      s, q = carry
      jacobian = jax.jacfwd(step)(s, x)
      q, r = jnp.linalg.qr(jacobian @ q)
      return (step(s, x), q), (jnp.log(jnp.abs(jnp.diagonal(r))), jnp.linalg.slogdet(jacobian)[1])

    first = jnp.linalg.qr(jax.random.normal(jax.random.key(1), (n, n)))[0]
    _, (logs, log_dets) = jax.lax.scan(advance, (start, first), xs)
    exponents = jnp.sort(jnp.mean(logs, axis=0))[::-1]
    return exponents, jnp.abs(jnp.sum(exponents) - jnp.mean(log_dets)) / n

  run = jax.jit(jax.vmap(one))
  return Prepared(lambda: jax.block_until_ready(run(params, xs)), lambda result: facts(result[0], result[1], 1, steps))


def case(cells: str, hidden: int, steps: int, points: int) -> command.Case:
  """One cell and size; different first tangents leave a difference of order 1/T."""
  size = {"cell": cells, "hidden": hidden, "steps": steps, "points": points}
  make = lambda name, build, kind, **more: Contender(name, f"benchmarks.spectra:{build}", size | more, kind)
  contenders = [
    make("lab", "lab", "lab"),
    make("lab, QR at every step", "lab", "own", interval=1),
    make("dense, QR at every step", "dense", "peer"),
  ]
  return command.Case(f"{cells}-{hidden}x{steps}x{points}", size, contenders, tolerance=0.02, absolute=10 / steps)


BENCHMARK = command.Benchmark(
  "spectra",
  "Full Lyapunov spectra, beside a QR at every step.",
  {
    "cells": command.one_of("rnn", "lstm", "gru")._replace(default=["rnn", "lstm"]),
    "hidden": command.integers(64, 128, 256),
    "steps": command.integers(200),
    "points": command.integers(8),
  },
  case,
)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs it from the command line and returns an exit code."""
  return command.main(BENCHMARK, argv)


if __name__ == "__main__":
  sys.exit(main())
