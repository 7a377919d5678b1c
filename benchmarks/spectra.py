"""Times full Lyapunov spectra in float64, beside a QR at every step and beside other packages.

python -m benchmarks.spectra --cells=rnn --directions=64,128 --gains=3
"""

from collections.abc import Sequence
import math
import os
import sys
from typing import Any

import jax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
import numpy as np

from benchmarks import command
from benchmarks.products import INPUTS, flat_step, state_size
from benchmarks.timing import Contender
from benchmarks.worker import Prepared
import recurrent_lab as rl
from recurrent_lab.instruments._flat import flat_trajectory
from recurrent_lab.instruments._nested import first_directions
from sweepkit.execution.devices import tiled

ENVIRONMENT = {"JAX_ENABLE_X64": "1", "TQDM_DISABLE": "1"}


def positive(text: str) -> float:
  """Returns the number above 0 that a text holds."""
  if not 0 < (number := float(text)) < math.inf:
    raise ValueError(text)
  return number


def hidden_size(cell: str, directions: int) -> int:
  """Returns the number of units with this many directions, which the state has an integer multiple of."""
  return directions // state_size(cell, 1)


def nets(cell: str, directions: int, gain: float, steps: int, points: int) -> tuple[Any, jax.Array, jax.Array]:
  """Draws P nets, their inputs `[P, T, I]` and their first states `[P, n]`.

  An RNN is autonomous: its inputs are 0 and its first state is generic. Gated nets have inputs, because without them they rest.
  """
  k_params, k_xs, k_state, dtype = *jax.random.split(jax.random.key(0), 3), jnp.result_type(float)
  init = lambda key: rl.get_cell(cell).init(
    key, INPUTS, hidden_size(cell, directions), recurrent_gain=gain, dtype=dtype
  )
  params = jax.vmap(init)(jax.random.split(k_params, points))
  driven = float(cell != "rnn")
  xs = driven * jax.random.normal(k_xs, (points, steps, INPUTS), dtype)
  return params, xs, (1 - driven) * jax.random.normal(k_state, (points, directions), dtype)


def facts(exponents: Any, steps: int, same_start: bool = True, **more: Any) -> dict[str, Any]:
  """Returns the facts of spectra `[P, n]`: means over points, the first spectrum, and the FLOPs of the products J Q.

  The mean of all exponents is that of ln |det J| and does not depend on the first tangents. The single exponents do, by
  O(1/T), so they are compared only among contenders with the same start.
  """
  exponents = np.asarray(exponents)
  points, n = exponents.shape
  which = {"largest": 0, "middle": n // 2, "smallest": n - 1}
  check = {name: float(np.mean(exponents[:, i])) for name, i in which.items()} if same_start else {}
  check["mean"] = float(np.mean(exponents))
  spectrum = [float(f"{value:.9g}") for value in exponents[0]]
  return {"check": check, "exponents": spectrum, "flops": 2.0 * points * steps * n**3, **more}


def _unraveled(cell: str, params: Any, state: jax.Array) -> Any:
  start = rl.get_cell(cell).initial_state(params)
  return ravel_pytree(start)[1](state)


def lab(cell: str, directions: int, gain: float, steps: int, points: int, interval: int | None = None) -> Prepared:
  """Prepares `recurrent_lab.lyapunov_spectrum` with `vmap` over points.

  The points are split over the cores if their number is a multiple of that of the cores. With `interval=None` the lab chooses the
  re-orthonormalization intervals.
  """
  cores = os.cpu_count() or 1
  if os.environ.get("JAX_PLATFORMS", "cpu") == "cpu" and points % cores == 0:
    os.environ.setdefault("PJRT_NPROC", str(2 * cores))  # batched QRs wait inside XLA's pool for the pool
    jax.config.update("jax_num_cpu_devices", cores)
  mesh = Mesh(np.array(jax.local_devices()), ("device",))
  net = jax.device_put(nets(cell, directions, gain, steps, points), NamedSharding(mesh, jax.P("device")))
  spectrum = lambda params, xs, state: rl.lyapunov_spectrum(
    rl.get_cell(cell), params, xs, _unraveled(cell, params, state), interval=interval
  )
  run = jax.jit(tiled(jax.vmap(spectrum), mesh))

  def read(found: rl.LyapunovSpectrum) -> dict[str, Any]:
    residual, longest = float(jnp.max(found.residual)), int(jnp.max(found.interval))
    return facts(found.exponents, steps, residual=residual, interval=longest)

  return Prepared(lambda: jax.block_until_ready(run(*net)), read)


def dense(cell: str, directions: int, gain: float, steps: int, points: int) -> Prepared:
  """Prepares what a user would write: a scan over `jax.jacfwd`, J Q and its QR, with ln |det J| for the certificate.

  It begins with the lab's first directions, which are computed before, so that the exponents can be compared to many digits.
  """
  net = nets(cell, directions, gain, steps, points)

  def first(params: Any, xs: jax.Array, state: jax.Array) -> jax.Array:
    flat = flat_trajectory(rl.get_cell(cell), params, xs, _unraveled(cell, params, state))
    return first_directions(flat, directions)

  def one(params: Any, xs: jax.Array, state: jax.Array, start: jax.Array) -> tuple[jax.Array, jax.Array]:
    step, _ = flat_step(cell, params)

    def advance(carry: tuple[jax.Array, jax.Array], x: jax.Array) -> tuple[Any, tuple[jax.Array, jax.Array]]:
      s, q = carry
      jacobian = jax.jacfwd(step)(s, x)
      q, r = jnp.linalg.qr(jacobian @ q)
      return (step(s, x), q), (jnp.log(jnp.abs(jnp.diagonal(r))), jnp.linalg.slogdet(jacobian)[1])

    _, (logs, log_dets) = jax.lax.scan(advance, (state, start), xs)
    exponents = jnp.sort(jnp.mean(logs, axis=0))[::-1]
    return exponents, jnp.abs(jnp.sum(exponents) - jnp.mean(log_dets)) / directions

  run = jax.jit(jax.vmap(one))
  starts = jax.jit(jax.vmap(first))(*net)
  return Prepared(
    lambda: jax.block_until_ready(run(*net, starts)),
    lambda result: facts(result[0], steps, residual=float(jnp.max(result[1])), interval=1),
  )


def bare(directions: int, steps: int, points: int, work: str) -> Prepared:
  """Prepares T products, or T QR decompositions, of n×n matrices for every point, and nothing else."""
  shape = (points, directions, directions)
  matrices = jnp.linalg.qr(jax.random.normal(jax.random.key(0), shape, jnp.result_type(float)))[0]
  do = {"product": lambda q, a: q @ a, "QR": lambda q, a: jnp.linalg.qr(q)[0]}[work]
  run = jax.jit(lambda a: jax.lax.scan(lambda q, _: (do(q, a), None), a, length=steps)[0])
  return Prepared(lambda: run(matrices).block_until_ready(), lambda _: {"flops": 2.0 * points * steps * directions**3})


DENSE = "dense, QR at every step"
BARE_PRODUCTS, BARE_QR = "bare products", "bare QR"


def case(cells: str, directions: int, gains: float, steps: int, points: int) -> command.Case:
  """Returns the case of one cell, size and gain. The other packages take part in single autonomous nets."""
  settings = {"cell": cells, "directions": directions, "gain": gains, "steps": steps, "points": points}
  size = {"directions": directions, "steps": steps, "points": points}
  make = lambda name, build, kind, arguments, needs=(): Contender(
    name, f"benchmarks.{build}", arguments, kind, needs, ENVIRONMENT
  )
  alone = {name: settings[name] for name in ("directions", "gain", "steps")}
  peers = [
    make(package, f"peers.spectra:{package}", "peer", alone, (package,)) for package in ("chaotax", "clvlib", "lyapax")
  ]
  contenders = [
    make("lab", "spectra:lab", "lab", settings),
    make("lab, interval 1", "spectra:lab", "own", settings | {"interval": 1}),
    make(DENSE, "spectra:dense", "peer", settings),
    *(peers if cells == "rnn" and points == 1 else []),
    make(BARE_PRODUCTS, "spectra:bare", "limit", size | {"work": "product"}),
    make(BARE_QR, "spectra:bare", "limit", size | {"work": "QR"}),
  ]
  name = f"{cells}-{directions}x{steps}x{points}-{gains:g}"
  # In chaos, rounding decides where another program's trajectory goes. ln φ' of a tanh unit has a standard deviation of about
  # 1.2 g. The means of two independent trajectories differ by up to six standard errors, each of 1.2 g √2 / √(nT).
  chaos = 10 * gains / math.sqrt(directions * steps)
  absolute = {"largest": 1e-3, "middle": 1e-3, "smallest": 1e-3, "mean": chaos}
  return command.Case(name, settings, contenders, absolute=absolute)


BENCHMARK = command.Benchmark(
  "spectra",
  "Full Lyapunov spectra in float64, beside a QR at every step and other packages.",
  {
    "cells": command.one_of("rnn", "lstm", "gru"),
    "directions": command.integers(64, 128, 256),
    "gains": command.Axis(["1.2", "3", "5"], positive, "numbers above 0"),
    "steps": command.integers(200),
    "points": command.integers(1, 8),
  },
  case,
)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command and returns its exit code."""
  return command.main(BENCHMARK, argv)


if __name__ == "__main__":
  sys.exit(main())
