"""XLA's flags: what is set on which release, and the numbers of programs that run as users run them."""

from functools import partial
import os
from pathlib import Path
import subprocess
import sys
import tomllib

from packaging.requirements import Requirement
import pytest

from recurrent_lab import _xla

EMITTERS, ISA = "--xla_cpu_use_fusion_emitters=false", "--xla_cpu_max_isa=AVX2"
NEEDED = [ISA, EMITTERS]
X86 = "x86_64"

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

# Gradients in float64 with two batch axes by every way of running a cell, against the sum over the examples without a compiler.
GRADIENTS = """
import functools, sys
import jax, numpy as np
import recurrent_lab as rl
jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(0)
xs, weights = rng.normal(size=(7, 2, 4, 3)), rng.normal(size=(7, 2, 4, 5))
def loop(cell, params, xs):
  state, outputs = cell.initial_state(params, xs.shape[1:-1]), []
  for x in xs:
    state, output = cell.step(params, state, x)
    outputs.append(output)
  return state, jax.numpy.stack(outputs)
def loss(cell, run, params, xs, weights):
  return (run(cell, params, xs)[1] * weights).sum()
close = functools.partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-11)
for name in NAMES:
  cell = rl.get_cell(name)
  params = cell.init(jax.random.key(1), 3, 5, dtype=np.float64)
  gradient = lambda run: jax.grad(functools.partial(loss, cell, run))
  with jax.disable_jit():
    true = gradient(loop)(params, xs, weights)
  for run in RUNS:
    jax.tree.map(close, jax.jit(gradient(run))(params, xs, weights), true)
  seeds = jax.jit(jax.vmap(gradient(rl.unroll), in_axes=(None, 1, 1)))(params, xs, weights)
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
    ((0, 10, 0), NEEDED),
    ((0, 10, 1), NEEDED),
    ((0, 10, 2), NEEDED),
    ((0, 11, 0), NEEDED),
    ((0, 11, 1), []),
    ((0, 12, 0, 1), []),
  ],
)
def test_flags_are_added_on_the_releases_that_need_them(version, needed, monkeypatch):
  monkeypatch.setattr(_xla, "faults", partial(_xla.faults, machine=X86))
  own = ["--xla_cpu_multi_thread_eigen=false"]
  assert _xla.add_flags("", version).split() == needed
  assert _xla.add_flags(own[0], version).split() == own + needed
  assert _xla.add_flags(_xla.add_flags(own[0], version), version).split() == own + needed
  assert not _xla.unsafe(" ".join(needed), version)
  assert list(_xla.unsafe("", version)) == needed


def test_what_the_user_set_stays_and_counts_as_unsafe(monkeypatch):
  monkeypatch.setattr(_xla, "faults", partial(_xla.faults, machine=X86))
  own = "--xla_cpu_use_fusion_emitters=true --xla_cpu_max_isa=AVX512"
  assert _xla.add_flags(own, (0, 10, 1)) == own
  assert list(_xla.unsafe(own, (0, 10, 1))) == NEEDED
  assert not _xla.unsafe("--xla_cpu_use_fusion_emitters=0 --xla_cpu_max_isa=AVX", (0, 10, 1))
  assert _xla.add_flags("flags.txt", (0, 10, 1)) == "flags.txt"


def test_other_processors_need_no_flags():
  assert not _xla.faults((0, 10, 2), "aarch64")


def test_importing_the_lab_is_enough_before_jax_starts():
  assert run_as_users_do(TOLD.format(before="")) == ["2.0", "[] False None"]


def test_after_jax_started_the_lab_warns_and_has_options_for_its_own_programs():
  expected = (
    f"{WARNED} {{'xla_cpu_max_isa': 'AVX2', 'xla_cpu_use_fusion_emitters': False}}"
    if _xla.faults()
    else "[] False None"
  )
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


GATED = ("gru", "gru_reset_before", "ugrnn", "peephole_lstm", "simplified_lstm")


@pytest.mark.parametrize(
  ("names", "runs"),
  [
    (("lstm",), "(rl.unroll,)"),
    pytest.param(
      GATED, "(loop, rl.unroll, rl.reverse_unroll, functools.partial(rl.unroll, segment=3))", marks=pytest.mark.slow
    ),
  ],
)
def test_gradients_of_gated_cells_as_users_compile_them(names, runs):
  """With AVX-512, the compiler gets the loop, the scan or the reverse pass of these wrong on the releases that need flags."""
  run_as_users_do(GRADIENTS.replace("NAMES", repr(names)).replace("RUNS", runs))


@pytest.mark.parametrize("module", ["experiments.adding", "sweepkit.runner", "benchmarks.command"])
def test_every_launch_sets_the_flags_before_jax_starts(module):
  code = f"""
import os, {module}, recurrent_lab
from jax._src import xla_bridge
print(xla_bridge.backends_are_initialized(), recurrent_lab._xla.unsafe(os.environ["XLA_FLAGS"]), os.environ["XLA_FLAGS"])
"""
  (line,) = run_as_users_do(code, "--xla_cpu_multi_thread_eigen=false")
  assert line.startswith("False () --xla_cpu_multi_thread_eigen=false")
