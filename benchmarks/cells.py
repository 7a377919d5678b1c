"""Times every cell, forward and with the gradient.

python -m benchmarks.cells --passes=forward

All cells take turns in one process. Times are of a batch of 16 sequences of 100 steps with 16 inputs and H = 64.
"""

from collections.abc import Sequence
import sys

import jax
import jax.numpy as jnp

from benchmarks import command
from benchmarks.timing import Contender
from benchmarks.worker import Prepared
import recurrent_lab as rl

STEPS, BATCH, INPUTS, HIDDEN = 100, 16, 16, 64
PASSES = ("forward", "gradient")


def step(cell: str, passes: str) -> Prepared:
  """Prepares `unroll` of a cell, or the gradient of the mean square of its outputs by all params."""
  net = rl.get_cell(cell)
  params = net.init(jax.random.key(0), INPUTS, HIDDEN)
  xs = jax.random.normal(jax.random.key(1), (STEPS, BATCH, INPUTS))
  loss = lambda params, xs: jnp.mean(rl.unroll(net, params, xs)[1] ** 2)
  run = jax.jit(loss if passes == "forward" else jax.grad(loss))
  return Prepared(lambda: jax.block_until_ready(run(params, xs)), lambda _: {"steps": STEPS, "batch": BATCH})


def case(passes: str) -> command.Case:
  """Returns the case of one pass. Its contenders do different work, so their numbers are not compared."""
  build = "benchmarks.cells:step"
  contenders = [Contender(cell, build, {"cell": cell, "passes": passes}, "lab", process="lab") for cell in rl.CELLS]
  return command.Case(passes, {"pass": passes, "hidden": HIDDEN, "batch": BATCH}, contenders, tolerance=None)


BENCHMARK = command.Benchmark(
  "cells",
  "The time of a step of every cell, forward and with the gradient.",
  {"passes": command.one_of(*PASSES)},
  case,
)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command and returns its exit code."""
  return command.main(BENCHMARK, argv)


if __name__ == "__main__":
  sys.exit(main())
