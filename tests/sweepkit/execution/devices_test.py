"""Tiles over devices: the same bits for every way of cutting them into calls, and calls that shrink when memory runs out."""

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

from sweepkit.execution import devices
from tests.support.launches import ended, launcher, stored


def chaos(x):
  """[points] -> what rounding alone would make differ."""
  for _ in range(40):
    x = 3.9 * x * (1 - x)
  return {"x": x, "powers": jnp.stack([x, x**2, jnp.tanh(x)], axis=1)}


def measured(group, x):
  return devices.finish(group, [x], devices.start(group, [x]))


@pytest.mark.parametrize("points", [1, 7, 8, 9, 40])
def test_calls_of_every_size_give_the_same_bits_in_order(points, rng):
  x = rng.uniform(0.1, 0.9, points).astype(np.float32)
  whole = measured(devices.Group("chaos", chaos, 64), x)
  assert whole["x"].shape == (points,)
  assert whole["powers"].shape == (points, 3)
  np.testing.assert_array_equal(whole["powers"][:, 0], whole["x"])
  for i in range(points):
    np.testing.assert_allclose(whole["x"][i], np.asarray(chaos(np.repeat(x[i], 8))["x"])[0], rtol=1e-2)
  for call in (8, 16, 24):
    parts = measured(devices.Group("chaos", chaos, call), x)
    assert {name: a.tobytes() for name, a in parts.items()} == {name: a.tobytes() for name, a in whole.items()}


def test_what_is_left_of_a_tile_costs_no_second_program():
  group = devices.Group("chaos", chaos, 32)
  for points in (32, 8, 3, 17):
    measured(group, np.full(points, 0.3, np.float32))
  assert len(group.programs) == 1


def test_tiles_lower_for_every_platform():
  mesh = jax.sharding.Mesh(np.array(jax.local_devices()[:1]), ("device",))
  function = jax.jit(devices.tiled(chaos, mesh))
  export.export(function, platforms=["cpu", "cuda", "rocm", "tpu"])(np.full(8, 0.3, np.float32))


def scarce(monkeypatch, most, text="RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes."):
  """Calls of more points than `most` fail as XLA's do when they are waited for; returns the sizes that were tried."""
  collect, tried = devices.collect, []

  def failing(started):
    tried.append(started.call)
    if min(started.call, started.points) > most:
      raise RuntimeError(text)
    return collect(started)

  monkeypatch.setattr(devices, "collect", failing)
  return tried


def test_a_call_that_runs_out_of_memory_is_halved_until_it_fits(monkeypatch, capsys, rng):
  x = rng.uniform(0.1, 0.9, 40).astype(np.float32)
  whole = measured(devices.Group("chaos", chaos, 40), x)
  tried = scarce(monkeypatch, 8)
  group = devices.Group("chaos", chaos, 40)
  parts = measured(group, x)
  assert tried == [40, 40, 16, 8, 8, 8, 8, 8]  # the first was started ahead, and may have lacked what another one held
  assert (group.call, group.halvings) == (8, 2)
  assert parts["x"].tobytes() == whole["x"].tobytes()
  assert capsys.readouterr().err.splitlines() == [
    "chaos: out of memory with 40 points in a call; going on with 16.",
    "chaos: out of memory with 16 points in a call; going on with 8.",
  ]


def test_below_a_tile_calls_shrink_to_one_point(monkeypatch, rng):
  x = rng.uniform(0.1, 0.9, 11).astype(np.float32)
  scarce(monkeypatch, 1)
  group = devices.Group("chaos", chaos, 32)
  np.testing.assert_allclose(measured(group, x)["x"], [chaos(v[None])["x"][0] for v in x], rtol=1e-2)
  assert group.call == 1


@pytest.mark.parametrize(("most", "text"), [(0, "RESOURCE_EXHAUSTED"), (4, "INTERNAL: a bug")])
def test_other_errors_and_a_single_point_are_not_halved(most, text, monkeypatch):
  scarce(monkeypatch, most, text)
  with pytest.raises(RuntimeError, match=text):
    measured(devices.Group("chaos", chaos, 8), np.full(8, 0.3, np.float32))


@pytest.mark.parametrize(
  ("error", "is_one"),
  [
    (MemoryError(), True),
    (RuntimeError("XlaRuntimeError: RESOURCE_EXHAUSTED: failed to allocate"), True),
    (RuntimeError("CUDA_ERROR_OUT_OF_MEMORY: out of memory"), True),
    (RuntimeError("INVALID_ARGUMENT: memory layout"), False),
  ],
)
def test_what_counts_as_out_of_memory(error, is_one):
  assert devices.is_out_of_memory(error) == is_one


@pytest.mark.parametrize(
  ("name", "cells"),
  [
    pytest.param("activation_choice", "rnn,gru", marks=pytest.mark.slow),
    pytest.param("recurrent_gain", "rnn", marks=pytest.mark.exhaustive),
  ],
)
def test_devices_chunks_and_shards_change_no_bit(name, cells, tmp_path):
  launches = {
    "one": [["--cpu_devices=1"]],
    "two": [["--cpu_devices=2"]],
    "small": [["--cpu_devices=3", "--chunk=8"]],
    "shards": [["--chunk=16", "--shard=1/2"], ["--chunk=16", "--shard=0/2"]],
  }
  found = {}
  for folder, shards in launches.items():
    for flags in shards:
      code, text = ended(launcher(tmp_path / folder, f"--cells={cells}", *flags, name=name))
      assert code == 0, text
    found[folder] = stored(tmp_path / folder / name)
  assert len(found["one"]) == 25 * len(cells.split(","))
  for folder in launches:
    assert found[folder] == found["one"], folder
