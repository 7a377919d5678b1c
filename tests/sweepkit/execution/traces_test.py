"""A traced program is found again by later launches, and by nothing that could differ from it."""

from pathlib import Path
import sys
import types

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

from sweepkit.code import loaded
from sweepkit.code.scope import Scope
from sweepkit.execution import programs, traces

X = [np.arange(4, dtype=np.float32)]


@pytest.fixture
def kept(tmp_path, monkeypatch):
  """An empty folder in which programs are kept."""
  monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
  with programs.kept(True):
    yield programs.place()


@pytest.fixture
def made(monkeypatch):
  """The shapes of all programs that were traced, one by one."""
  made = []
  before = export.export

  def counting(function):
    write = before(function)
    return lambda *arguments: made.append(arguments[0].shape) or write(*arguments)

  monkeypatch.setattr(export, "export", counting)
  return made


def wave(x):
  return {"y": jnp.sin(x) * 2}


def test_a_kept_program_is_not_traced_again_and_computes_the_same(kept, made):
  first = traces.traced(wave, X, "code")
  second = traces.traced(wave, X, "code")
  assert len(made) == 1
  np.testing.assert_array_equal(jax.jit(first)(*X)["y"], jax.jit(second)(*X)["y"])
  np.testing.assert_allclose(jax.jit(second)(*X)["y"], 2 * np.sin(X[0].astype(np.float64)), rtol=1e-6)


def test_other_code_shapes_dtypes_and_settings_are_other_programs(kept, made, monkeypatch):
  traces.traced(wave, X, "code")
  for identity, arguments in (("other", X), ("code", [X[0][:2]]), ("code", [X[0].astype(np.int32)])):
    before = len(made)
    traces.traced(wave, arguments, identity)
    assert len(made) == before + 1
  with programs.configured(jax_default_matmul_precision="highest"):
    traces.traced(wave, X, "code")
  monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=true")
  traces.traced(wave, X, "code")
  assert len(made) == 6


def test_nothing_is_kept_without_an_identity_or_a_folder(kept, made):
  traces.traced(wave, X, None)
  traces.traced(wave, X, None)
  assert len(made) == 2
  assert not list(kept.glob("trace-*"))


def test_what_cannot_be_exported_runs_as_it_is(kept):
  def function(x):
    return {"y": jax.pure_callback(lambda x: 3 * x, jax.ShapeDtypeStruct(x.shape, x.dtype), x)}

  assert traces.traced(function, X, "code") is function
  assert not list(kept.glob("trace-*"))


def test_a_program_of_another_writer_is_made_again(kept, made):
  traces.traced(wave, X, "code")
  (path,) = kept.glob("trace-*")
  whole = path.read_bytes()
  path.write_bytes(traces.hashlib.sha256(b"other").digest() + b"other")  # whole, but no program
  traces.traced(wave, X, "code")
  assert len(made) == 2
  assert (
    export.deserialize(bytearray(path.read_bytes()[32:])).fun_name == export.deserialize(bytearray(whole[32:])).fun_name
  )


def test_any_change_of_a_file_is_other_code(tmp_path, monkeypatch):
  """Comments too. A file that changed after the process started may not be what was loaded, so it names nothing."""
  package = tmp_path / "own"
  package.mkdir()
  (package / "part.py").write_text("x = 1")
  module = types.ModuleType("own")
  module.__path__ = [str(package)]
  monkeypatch.setitem(sys.modules, "own", module)
  scope = Scope(frozenset({"own"}), ())
  assert loaded.name_of(scope) is None
  monkeypatch.setattr(loaded, "process_start", lambda: 1e12)
  names = [loaded.name_of(scope)]
  for text in ("x = 1  # one", "x = 2"):
    (package / "part.py").write_text(text)
    names.append(loaded.name_of(scope))
  (package / "more.py").touch()
  names.append(loaded.name_of(scope))
  assert len({*names}) == 4
  assert loaded.name_of(scope) == names[-1]
  monkeypatch.setattr(loaded, "process_start", lambda: None)
  assert loaded.name_of(scope) is None


def test_the_start_of_this_process_is_before_now_and_after_the_files_of_python():
  start = loaded.process_start()
  if not Path("/proc/uptime").exists():
    assert start is None
  else:
    assert Path(sys.executable).resolve().stat().st_mtime < start < loaded.time.time()
