"""XLA's flags: what is set on which release, and the numbers of programs that run as users run them."""

import os
from pathlib import Path
import subprocess
import sys
import tomllib

from packaging.requirements import Requirement
import pytest

from recurrent_lab import _xla

EMITTERS = "--xla_cpu_use_fusion_emitters=false"

# The program of a process. It imports `rl` before or after JAX starts.
TOLD = """
import jax
{before}
import warnings
with warnings.catch_warnings(record=True) as said:
  warnings.simplefilter("always")
  import recurrent_lab as rl
options = rl._xla.compiler_options()
print(float(jax.jit(lambda x: x + 1, compiler_options=options)(1.0)))
print([w.category.__name__ for w in said], rl._xla.is_at_risk(), options)
"""
WARNED = "['MiscompilationWarning'] True"

# Gradients of a scan in float64 with two batch axes, against the sum over the examples, each run alone.
GRADIENTS = """
import functools, sys
import jax, numpy as np
import recurrent_lab as rl
jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(0)
runs = RUNS
cell = rl.get_cell(NAME)
params = cell.init(jax.random.key(1), 3, 5, dtype=np.float64)
xs, weights = rng.normal(size=(7, 2, 4, 3)), rng.normal(size=(7, 2, 4, 5))
def loss(run, params, xs, weights):
  return (run(cell, params, xs)[1] * weights).sum()
one = jax.jit(jax.grad(functools.partial(loss, rl.unroll)))
alone = [one(params, xs[:, i, j], weights[:, i, j]) for i in range(2) for j in range(4)]
true = jax.tree.map(lambda *leaves: np.sum(leaves, axis=0), *alone)
close = functools.partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-11)
for run in runs:
  jax.tree.map(close, jax.jit(jax.grad(functools.partial(loss, run)))(params, xs, weights), true)
seeds = jax.jit(jax.vmap(jax.grad(functools.partial(loss, rl.unroll)), in_axes=(None, 1, 1)))(params, xs, weights)
jax.tree.map(lambda s, t: close(s.sum(0), t), seeds, true)
"""


def run_as_users_do(code, flags=None):
  """The output of a process with XLA's default flags, or with `flags`."""
  env = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"} | {"JAX_PLATFORMS": "cpu"}
  done = subprocess.run(
    [sys.executable, "-c", code],
    capture_output=True,
    text=True,
    env=env if flags is None else env | {"XLA_FLAGS": flags},
    timeout=300,
  )
  assert done.returncode == 0, done.stderr[-2000:]
  return done.stdout.splitlines()


@pytest.mark.parametrize(
  ("version", "needed"),
  [
    ((0, 10, 0), [EMITTERS]),
    ((0, 10, 1), [EMITTERS]),
    ((0, 10, 2), [EMITTERS]),
    ((0, 11, 0), [EMITTERS]),
    ((0, 11, 1), []),
    ((0, 12, 0, 1), []),
  ],
)
def test_flags_are_added_on_the_releases_that_need_them(version, needed):
  own = ["--xla_cpu_multi_thread_eigen=false"]
  assert _xla.add_flags("", version).split() == needed
  assert _xla.add_flags(own[0], version).split() == own + needed
  assert _xla.add_flags(_xla.add_flags(own[0], version), version).split() == own + needed
  assert not _xla.unsafe(" ".join(needed), version)
  assert list(_xla.unsafe("", version)) == needed


def test_what_the_user_set_stays_and_counts_as_unsafe():
  own = "--xla_cpu_use_fusion_emitters=true"
  assert _xla.add_flags(own, (0, 10, 1)) == own
  assert _xla.unsafe(own, (0, 10, 1)) == (EMITTERS,)
  assert not _xla.unsafe("--xla_cpu_use_fusion_emitters=0", (0, 10, 1))
  assert _xla.add_flags("flags.txt", (0, 10, 1)) == "flags.txt"


def test_importing_the_lab_is_enough_before_jax_starts():
  assert run_as_users_do(TOLD.format(before="")) == ["2.0", "[] False None"]


def test_after_jax_started_the_lab_warns_and_has_options_for_its_own_programs():
  expected = f"{WARNED} {{'xla_cpu_use_fusion_emitters': False}}" if _xla.faults() else "[] False None"
  assert run_as_users_do(TOLD.format(before="jax.numpy.ones(3) + 1")) == ["2.0", expected]


def test_the_release_with_quadratic_scans_is_excluded():
  """findings/quadratic_scan.sh shows the fault of 0.11.1."""
  project = tomllib.loads((Path(__file__).parent.parent.parent / "pyproject.toml").read_text())["project"]
  needed = [Requirement(text) for text in project["dependencies"] if text.startswith("jaxlib")]
  allowed = lambda release: all(one.specifier.contains(release) for one in needed)
  assert [allowed(release) for release in ("0.10.2", "0.11.0", "0.11.1", "0.11.2", "0.12.0.1")] == [
    True,
    True,
    False,
    True,
    True,
  ]


@pytest.mark.skipif(not _xla.faults(), reason="this release of jaxlib has no fault")
def test_what_the_user_asks_for_is_left_with_a_warning():
  assert run_as_users_do(TOLD.format(before=""), "--xla_cpu_use_fusion_emitters=true") == ["2.0", f"{WARNED} None"]


@pytest.mark.parametrize(
  ("name", "runs"),
  [
    ("lstm", "(rl.unroll,)"),
    *(
      pytest.param(
        name, "(rl.unroll, rl.reverse_unroll, functools.partial(rl.unroll, segment=3))", marks=pytest.mark.slow
      )
      for name in ("lstm", "gru", "gru_reset_before", "peephole_lstm", "simplified_lstm")
    ),
  ],
)
def test_gradients_of_gated_cells_as_users_compile_them(name, runs):
  run_as_users_do(GRADIENTS.replace("NAME", repr(name)).replace("RUNS", runs))


@pytest.mark.parametrize("module", ["experiments.adding", "sweepkit.runner", "benchmarks.command"])
def test_every_launch_sets_the_flags_before_jax_starts(module):
  code = f"""
import os, {module}, recurrent_lab
from jax._src import xla_bridge
print(xla_bridge.backends_are_initialized(), recurrent_lab._xla.unsafe(os.environ["XLA_FLAGS"]), os.environ["XLA_FLAGS"])
"""
  (line,) = run_as_users_do(code, "--xla_cpu_multi_thread_eigen=false")
  assert line.startswith("False () --xla_cpu_multi_thread_eigen=false")
