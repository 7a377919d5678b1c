"""The package: wheel and sdist hold the library and the kit, and both work where nothing else of the lab is."""

import os
from pathlib import Path
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

ROOT = Path(__file__).parent.parent

# What an import of the library must not bring along beyond jax, as all of it is heavy or of the floors above. (absl comes with
# optax, which imports its logging.)
HEAVY = (
  *(
    "sweepkit",
    "experiments",
    "analysis",
    "matplotlib",
    "xarray",
    "pandas",
    "scipy",
    "tqdm",
    "orbax",
    "sklearn",
    "sacrebleu",
  ),
  *("flax", "haiku", "equinox", "torch", "keras", "safetensors"),
)


def run(*command, **options):
  done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
  assert done.returncode == 0, done.stdout + done.stderr
  return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
  """(wheel, sdist) built from a copy of the tree, without the network; the wheel is built from the sdist."""
  pytest.importorskip("build.env", reason="it is in the extra dev")
  source, out = tmp_path_factory.mktemp("source") / "lab", tmp_path_factory.mktemp("dist")
  untracked = shutil.ignore_patterns(".*", "results", "figures", "build", "*.egg-info", "__pycache__", "docs")
  shutil.copytree(ROOT, source, ignore=untracked)
  run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source)
  return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


@pytest.mark.slow
def test_wheel_and_sdist_hold_the_library_and_the_kit(built):
  wheel, sdist = built
  rooms = ("recurrent_lab", "sweepkit")
  wanted = {str(path.relative_to(ROOT)) for room in rooms for path in (ROOT / room).rglob("*.py")}
  wanted |= {f"{room}/py.typed" for room in rooms} | {"sweepkit/README.md"}
  with zipfile.ZipFile(wheel) as archive:
    names = set(archive.namelist())
  assert {name for name in names if ".dist-info/" not in name} == wanted
  assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
  with tarfile.open(sdist) as archive:
    names = {name.partition("/")[2] for name in archive.getnames()}
  assert wanted | {"LICENSE", "README.md", "pyproject.toml", "PKG-INFO"} <= names
  assert not {name.partition("/")[0] for name in names} & {"experiments", "analysis", "benchmarks", "results"}


@pytest.mark.slow
def test_it_installs_and_imports_by_itself(built, tmp_path):
  target = tmp_path / "site"
  run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", target, built[0])
  program = f"""
import sys
import jax
before = set(sys.modules)
import recurrent_lab
assert recurrent_lab.__file__.startswith({str(target)!r}), recurrent_lab.__file__
new = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(new & set({HEAVY!r})))
xs = jax.numpy.zeros((5, 3))
cell = recurrent_lab.get_cell("lstm")
assert recurrent_lab.product_log_norms(cell, cell.init(jax.random.key(0), 3, 4), xs).shape == (5,)
"""
  environment = os.environ | {"PYTHONPATH": str(target)}
  assert run(sys.executable, "-c", program, cwd=tmp_path, env=environment).split() == []


@pytest.mark.slow
def test_a_type_checker_sees_the_types(built, tmp_path):
  """An argument of a wrong type is found in a program of a user's."""
  target = tmp_path / "site"
  run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", target, built[0])
  (tmp_path / "use.py").write_text('import recurrent_lab as rl\n\nrl.get_cell(3)\nreveal_type(rl.get_cell("rnn"))\n')
  command = [sys.executable, "-m", "mypy", "--ignore-missing-imports", "use.py"]
  environment = os.environ | {"MYPYPATH": str(target)}
  done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
  assert 'use.py:3: error: Argument 1 to "get_cell" has incompatible type "int"; expected "str"' in done.stdout
  assert "recurrent_lab.cell.Cell" in done.stdout


def clean_environment(folder, wheel):
  """The Python of a new environment that holds the wheel and what it depends on."""
  run(sys.executable, "-m", "venv", folder)
  python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
  run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
  return python


USE = f"""
import jax
import sweepkit
from sweepkit import Experiment, Measure, Quantity, Setting, load_results, sweep
from sweepkit.settings import FINITE, one_of

assert not sweepkit.__file__.startswith({str(ROOT)!r}), sweepkit.__file__
measure = Measure(
  lambda static, key, values: {{"sine": jax.numpy.sin(values["x"])}},
  settings={{
    "kind": Setting(str, "plain", "the kind", *one_of(("plain",))),
    "x": Setting(float, "0:1:3", "where", *FINITE, True, units="rad"),
  }},
  dims={{"sine": ()}},
  quantities={{"sine": Quantity("sine of x", "1")}},
)
made = sweep(Experiment("sines", "The sine.", measure, seeds=1), out="results")
assert made.equals(load_results("results/sines"))
assert made.sine.attrs == {{"long_name": "sine of x", "units": "1"}}, made.sine.attrs
assert made.x.attrs["units"] == "rad", made.x.attrs
assert abs(made.sine.squeeze().values - [0, 0.479426, 0.841471]).max() < 1e-6

kept = load_results({str(ROOT / "results" / "reference" / "copy_memory")!r})
assert kept.test_loss.attrs["units"] and kept.test_loss.attrs["long_name"]
assert {{"cell", "length", "forget_bias", "seed", "update"}} <= set(kept.test_loss.dims), kept.test_loss.dims
"""


@pytest.mark.slow
def test_results_load_and_sweeps_run_from_any_folder(built, tmp_path):
  """In an environment without the rest of the lab, from a folder that is not its checkout."""
  python = clean_environment(tmp_path / "environment", built[0])
  (tmp_path / "elsewhere").mkdir()
  clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
  run(python, "-c", USE, cwd=tmp_path / "elsewhere", env=clean)
