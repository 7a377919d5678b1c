"""Programs are compiled once for many launches, and no launch computes other bits, fails or says more for it."""

import os

import jax
import jax.numpy as jnp
import pytest

from sweepkit import runner
from sweepkit.execution import programs
from tests.support import chaos
from tests.support.launches import ended, stored

FLAGS = ("--map=sine", "--r=3,3.5,4", "--seeds=2")


@pytest.fixture
def cache(tmp_path, monkeypatch):
  """An empty cache folder of the user."""
  monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
  return tmp_path / "cache"


def launch(out, *flags):
  """Launches in this process, and returns the bits that are stored."""
  assert runner.main(chaos.EXPERIMENT, [*FLAGS, f"--out={out}", *flags]) == 0
  return stored(out / chaos.NAME)


def entries(cache):
  """file -> its content and the time of its last change."""
  return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in cache.rglob("*") if path.is_file()}


def test_bits_are_the_same_with_the_cache_empty_filled_and_off(tmp_path, cache):
  """In three processes. The second one finds the program of the first, and the third one reads and writes none."""
  found, kept = {}, {}
  for name, flags in {"empty": (), "filled": (), "off": ("--nocompile_cache",)}.items():
    code, said = ended(chaos.started(*FLAGS, *flags, f"--out={tmp_path / name}"))
    assert code == 0, said
    found[name], kept[name] = stored(tmp_path / name / chaos.NAME), entries(cache)
  assert len(found["empty"]) == 6
  assert found["empty"] == found["filled"] == found["off"]
  assert sorted(path.name.startswith("trace-") for path in kept["empty"]) == [
    False,
    True,
  ]  # a compiled and a traced one
  assert kept["empty"] == kept["filled"] == kept["off"]


def test_a_program_that_is_kept_is_not_compiled_again(tmp_path, cache):
  events = []
  jax.monitoring.register_event_listener(lambda event, **_: events.append(event.rpartition("/")[2]))
  counts = []
  for name in ("one", "two"):
    events.clear()
    launch(tmp_path / name)
    counts.append((events.count("cache_misses"), events.count("cache_hits")))
  events.clear()
  launch(tmp_path / "three", "--nocompile_cache")
  assert counts == [(1, 0), (0, 1)]
  assert not {"cache_misses", "cache_hits"} & set(events)


def test_a_damaged_program_is_compiled_again_and_replaced(tmp_path, cache, capsys, recwarn):
  whole = launch(tmp_path / "whole")
  paths = sorted(entries(cache))
  assert len(paths) == 2
  for path in paths:
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"", content[:-4] + b"xxxx"):
      path.write_bytes(damaged)
      assert launch(tmp_path / f"damaged-{path.name[:5]}-{len(damaged)}") == whole
      assert sorted(entries(cache)) == paths
      assert path.read_bytes() != damaged
  assert "compilation cache" not in capsys.readouterr().err
  assert not recwarn.list


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, cache, capsys):
  cache.write_text("a file")
  assert len(launch(tmp_path / "out")) == 6
  (line,) = [line for line in capsys.readouterr().err.splitlines() if "not kept" in line]
  assert line.startswith(f"Compiled programs are not kept: {cache}")


def test_a_folder_of_jax_is_used_as_it_is(tmp_path, cache):
  own = tmp_path / "own"
  with programs.configured(jax_compilation_cache_dir=str(own), jax_persistent_cache_min_compile_time_secs=0.0):
    programs.compilation_cache.reset_cache()
    launch(tmp_path / "out")
  programs.compilation_cache.reset_cache()
  assert len(entries(own)) == 1
  assert not cache.exists()


def test_after_a_launch_jax_is_as_it_was(tmp_path, cache):
  before = {name: getattr(jax.config, name) for name in jax.config.values if "cache" in name}
  launch(tmp_path / "out")
  kept = entries(cache)
  jax.jit(lambda x: jnp.sin(x) * 1.2345)(1.0)
  assert entries(cache) == kept
  assert {name: getattr(jax.config, name) for name in before} == before


def test_another_pool_of_threads_has_other_programs(monkeypatch):
  folders = set()
  for threads in ("1", "4"):
    monkeypatch.setenv("PJRT_NPROC", threads)
    folders.add(programs.folder())
  assert len(folders) == 2


def test_what_was_not_used_for_longest_is_removed_first(tmp_path):
  for i, name in enumerate(("old", "used", "new")):
    (tmp_path / name).write_bytes(bytes(100))
    os.utime(tmp_path / name, (i + (name == "used") * 10, i))
  for most, left in ((300, {"old", "used", "new"}), (200, {"used", "new"}), (199, {"used"}), (0, set())):
    programs.tidy(tmp_path, most)
    assert set(os.listdir(tmp_path)) == left
