"""Every program of `make accelerator` lowers for CUDA, ROCm and TPU, at its full size; nothing here runs on an accelerator.

`jax.export` refuses operations that a platform lacks, such as Schur's decomposition, and callbacks into Python. Programs must not
hold float64 either, which a TPU emulates.
"""

from functools import partial
import importlib
from importlib.util import find_spec

import jax
from jax import export
import numpy as np
import pytest

from benchmarks import limits, products
from benchmarks.device import cases, sweep
from experiments.recurrent_gain import EXPERIMENT
from sweepkit import runner
from sweepkit.execution import blocks
from sweepkit.points import static_part
from sweepkit.settings import traced_names

ACCELERATORS = ("cuda", "rocm", "tpu")
PLACE = cases.Place("tpu", has_torch=False)
# By default the gradient; `lowering_test.py` and `lyapunov_test.py` lower the other instruments by default, at smaller sizes.
BY_DEFAULT = "bptt --cells=lstm --shapes=32x100x64x128"


class Lowered(Exception):
  """Thrown by the first run of a program, with its exported form."""


def lower(function, *arguments):
  """The program of a jitted function for all accelerators, as text."""
  exported = export.export(function, platforms=ACCELERATORS)(*arguments)
  assert exported.platforms == ACCELERATORS
  return exported.mlir_module()


def check(text):
  assert "xf64>" not in text
  assert "tensor<f64>" not in text


def program(contender, monkeypatch):
  """The text of what a contender jits; it is lowered in place of its first run."""
  arguments = contender.arguments
  if "build" in arguments:
    contender = contender._replace(build=arguments["build"], arguments=arguments["arguments"])
  module, function = contender.build.split(":")
  original = jax.jit

  def jit(function, **options):
    jitted = original(function, **options)

    def run(*arguments):
      if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(arguments)):
        return jitted(*arguments)
      raise Lowered(lower(jitted, *arguments))

    return run

  build = getattr(importlib.import_module(module), function)
  with monkeypatch.context() as patched:
    patched.setenv("JAX_PLATFORMS", PLACE.platform)  # contenders split their work over cores on a CPU alone
    patched.setattr(jax, "jit", jit)
    with pytest.raises(Lowered) as lowered:
      build(**contender.arguments).run()
  return lowered.value.args[0]


@pytest.mark.filterwarnings("ignore")  # other libraries may warn
@pytest.mark.parametrize("who", ["lab", pytest.param("others", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
  "row", [pytest.param(row, marks=[] if row == BY_DEFAULT else [pytest.mark.exhaustive]) for row in cases.ROWS]
)
def test_every_contender_lowers(row, who, monkeypatch):
  (case,) = cases.cases(row)
  contenders = cases.placed(case, row.split()[0], PLACE).contenders
  assert {c.process for c in contenders if c.kind != "reference"} == {"device"}
  assert sum(c.kind == "lab" for c in contenders) == 1
  limits_of_device = {c.name for c in cases.machine_limits(PLACE)}
  for contender in (c for c in contenders if c.kind != "reference" and c.name not in limits_of_device):
    if (contender.kind == "lab") != (who == "lab"):
      continue
    if all(find_spec(name) for name in contender.needs):
      check(program(contender, monkeypatch))


@pytest.mark.parametrize("contender", cases.machine_limits(PLACE), ids=lambda contender: contender.name)
def test_every_limit_lowers(contender, monkeypatch):
  small = {"size": 64} if "size" in contender.arguments else {}  # a product of 4096 rows needs no more operations
  check(program(contender._replace(arguments=small), monkeypatch))


@pytest.mark.parametrize(
  "cell", ["rnn", *(pytest.param(cell, marks=pytest.mark.slow) for cell in ("lstm", "gru", "peephole_lstm"))]
)
def test_the_sweep_lowers(cell):
  points = [p for p in runner.parse(EXPERIMENT, sweep.words(PLACE, 1)).points if p["cell"] == cell]
  traced = traced_names(EXPERIMENT.measure.settings)
  (static,) = {static_part(point, traced) for point in points}
  assert (static["hidden_size"], static["seq_len"], len(points)) == (64, 100, 25)
  function = jax.jit(partial(blocks.measure_block, EXPERIMENT.measure, static))
  check(lower(function, *blocks.traced_arguments(points, traced)))


def test_a_program_that_an_accelerator_cannot_run_is_refused():
  echo = lambda x: jax.pure_callback(lambda x: x, jax.ShapeDtypeStruct((), np.float32), x)
  with pytest.raises(NotImplementedError):
    lower(jax.jit(echo), np.float32(1))
  with jax.enable_x64(True), pytest.raises(AssertionError, match="f64"):
    check(lower(jax.jit(lambda x: x + 1), np.float64(1)))
  with pytest.raises(NotImplementedError, match="MLIR translation rule"):
    lower(jax.jit(lambda x: jax.lax.linalg.schur(x)[0]), np.eye(2, dtype=np.float32))


def test_the_rows_cover_the_benchmarks():
  assert {row.split()[0] for row in cases.ROWS} == {row.split()[0] for row in cases.SMALL_ROWS} == set(cases.BENCHMARKS)
  assert {c.name for c in cases.machine_limits(PLACE)} == {limits.PRODUCT, limits.COPY, cases.LOOP}
  assert products.state_size("lstm", 64) == 128
