"""Checkpoints are restored bit for bit; or an older one is, with a sentence; or an error says why."""

import itertools
import json
import logging
import os
from pathlib import Path
import resource
import shutil
import signal
import subprocess
import sys
import time
from typing import NamedTuple

from absl import logging as absl_logging
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sweepkit.points import content_hash
from sweepkit.store import checkpoints, locks, manifests
from sweepkit.store.files import CheckpointError

CONFIG = {"cell": "gru", "hidden_size": 64, "gains": (0.5, 1.0)}


class Params(NamedTuple):
  kernel: jax.Array
  bias: jax.Array


class State(NamedTuple):
  params: Params
  opt_state: optax.OptState
  step: jax.Array
  key: jax.Array


def state(seed, seeds=3):
  """A training state with the seeds on the leading axis."""
  keys = jax.random.split(jax.random.key(seed), seeds)
  params = Params(jax.vmap(lambda key: jax.random.normal(key, (4, 5)))(keys), jnp.zeros((seeds, 5)))
  optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(1e-2, 100)))
  _, opt_state = jax.vmap(optimizer.update)(params, jax.vmap(optimizer.init)(params))
  return State(params, opt_state, jnp.full(seeds, seed, jnp.int32), keys)


def small(step):
  """A tree that any process can compute from the step alone."""
  return {"w": np.random.default_rng(step).normal(size=(20, 30)), "step": np.int64(step)}


def bits(leaf):
  if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
    return str(jax.random.key_impl(leaf)), *bits(jax.random.key_data(leaf))
  array = np.asarray(leaf)
  return array.dtype, array.shape, array.tobytes()


def assert_same(got, wanted):
  assert jax.tree.structure(got) == jax.tree.structure(wanted)
  for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
    assert type(a) is type(b)
    assert bits(a) == bits(b)


def files(folder):
  return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")


def steps(folder):
  return sorted(int(path.stem) for path in folder.glob("[0-9]*.json"))


def test_round_trip_of_a_training_state(tmp_path):
  assert checkpoints.restore(tmp_path / "none", state(0), CONFIG) is None
  for seed in (1, 2):
    checkpoints.save(tmp_path / "run", seed, state(seed), CONFIG)
  step, tree, problems = checkpoints.restore(tmp_path / "run", state(0), CONFIG)
  assert (step, problems) == (2, [])
  assert_same(tree, state(2))
  np.testing.assert_array_equal(jax.random.bits(tree.key[1]), jax.random.bits(state(2).key[1]))


def test_odd_values_keep_every_bit(tmp_path, rng):
  nans = rng.integers(0, 2**64, 50, np.uint64) | np.uint64(0x7FF0 << 48)  # infinities and NaNs, signalling ones too
  tree = {
    "float64": nans.view(np.float64),
    "float32": (rng.integers(0, 2**32, 50, np.uint32) | np.uint32(0x7F8 << 20)).view(np.float32),
    "random": [rng.integers(0, 2**32, 99, np.uint32).view(np.float32), rng.integers(0, 2**32, 99, np.uint32)],
    "-0": (np.full(7, -0.0, np.float32), np.float32(-0.0), -0.0, np.array(-0.0), jnp.float32(-0.0)),
    "subnormal": jnp.asarray(np.array([1, 2**31 + 1], np.uint32).view(np.float32)),
    "bool": jnp.array([True, False]),
    "int32": jnp.int32(-(2**31)),
    "bfloat16": jnp.ones(3, jnp.bfloat16),
    "numbers": [3, 2**62, 0.1, float("nan"), True, np.int8(-3), np.True_],
    "empty": (np.zeros((0, 3)), jnp.zeros((2, 0))),
    "nothing": (None, optax.EmptyState(), {}),
    "a/b.c ['σ']": np.arange(6).reshape(2, 3).T,
    "x" * 300: rng.normal(size=(3, 4))[:, ::2],
    "keys": (jax.random.key(3), jax.random.key(4, impl="rbg"), jax.random.split(jax.random.key(5), (2, 3))),
    "tuples": {("key", 1): np.zeros(9), ("key", 2): np.ones(9)},
  }
  with jax.enable_x64(True):
    tree["jax in float64"] = jnp.array(nans.view(np.float64))
  checkpoints.save(tmp_path, 0, tree, {})
  assert_same(checkpoints.restore(tmp_path, tree, {})[1], tree)  # in the mode of 32 bits
  lone = np.full((2, 2), -0.0)
  checkpoints.save(tmp_path / "lone", 0, lone, {})
  assert_same(checkpoints.restore(tmp_path / "lone", lone, {})[1], lone)


def test_the_dtype_is_that_of_the_array_not_of_the_mode(tmp_path, x64):
  tree = {"x": jnp.linspace(0, 1, 5), "y": jnp.ones(2, jnp.float32)}
  assert tree["x"].dtype == np.float64
  checkpoints.save(tmp_path, 0, tree, {})
  assert_same(checkpoints.restore(tmp_path, tree, {})[1], tree)


def damage_flip(path, rng):
  content = bytearray(path.read_bytes())
  content[rng.integers(len(content))] ^= 1 << rng.integers(8)
  path.write_bytes(bytes(content))


def damage_truncate(path, rng):
  path.write_bytes(path.read_bytes()[: -rng.integers(1, 8)])


def damage_remove(path, rng):
  path.unlink()


@pytest.mark.parametrize("damage", [damage_flip, damage_truncate, damage_remove])
def test_damage_to_any_file_is_found_named_and_passed_over(tmp_path, damage, rng):
  for step in (1, 2):
    checkpoints.save(tmp_path / "good", step, small(step), CONFIG)
  newest = [name for path in files(tmp_path / "good") if str(name := path.relative_to(tmp_path / "good"))[0] == "2"]
  assert len(newest) > 5
  for name in newest:
    for _ in range(5 if damage is damage_flip else 1):
      shutil.copytree(tmp_path / "good", tmp_path / "bad", dirs_exist_ok=True)
      damage(tmp_path / "bad" / name, rng)
      step, tree, problems = checkpoints.restore(tmp_path / "bad", small(0), CONFIG)
      assert step == 1
      assert_same(tree, small(1))
      if damage is damage_remove and name.suffix == ".json":
        assert problems == []  # without a manifest it never was a checkpoint
      else:
        assert len(problems) == 1
        assert str(tmp_path / "bad" / name) in problems[0]
        assert ("missing" if damage is damage_remove else "altered") in problems[0]


def test_every_byte_of_the_manifest_counts(tmp_path):
  checkpoints.save(tmp_path, 1, {"x": np.ones(2)}, {"rate": 1e-30})
  original = (tmp_path / "1.json").read_bytes()
  for position in range(len(original)):
    for mask in (1, 32):  # 32 turns e into E, which JSON reads alike in a number
      flipped = bytearray(original)
      flipped[position] ^= mask
      (tmp_path / "1.json").write_bytes(bytes(flipped))
      found = manifests.check(tmp_path / "1.json")
      assert isinstance(found, str)
      assert "1.json is truncated or altered" in found


def test_garbage_is_passed_over_and_removed_by_the_next_save(tmp_path):
  checkpoints.save(tmp_path, 1, small(1), CONFIG)
  for step, content in enumerate([b"", b"\xff\x00", b"[]", b"3", b"{}", b"null", b'{"sha256": NaN}'], 2):
    (tmp_path / f"{step}.json").write_bytes(content)
  shutil.copy(tmp_path / "1.json", tmp_path / "9.json")
  (tmp_path / "10.json").symlink_to("nowhere")
  [arrays] = tmp_path.glob("1-*")
  (arrays / "d" / "extra").write_bytes(b"x")
  foreign = ["notes.json", ".hidden", "1.jsonl"]
  for name in foreign:
    (tmp_path / name).write_text("mine")
  with pytest.raises(CheckpointError, match=r"holds no intact checkpoint; .*extra does not belong there"):
    checkpoints.restore(tmp_path, small(0), CONFIG)
  (arrays / "d" / "extra").unlink()
  step, _, problems = checkpoints.restore(tmp_path, small(0), CONFIG)
  assert step == 1
  assert [f"/{n}.json" in sentence for n, sentence in zip(range(10, 1, -1), problems, strict=True)] == [True] * 9
  checkpoints.save(tmp_path, 2, small(2), CONFIG)
  assert steps(tmp_path) == [1, 2]
  assert all((tmp_path / name).read_text() == "mine" for name in foreign)


def test_a_corrupted_checkpoint_is_replaced_and_does_not_count_as_kept(tmp_path):
  for step in (1, 2, 3):
    checkpoints.save(tmp_path, step, small(step), CONFIG, keep=3)
  for step in (2, 3):
    next(tmp_path.glob(f"{step}-*/manifest.ocdbt")).write_bytes(b"")
  checkpoints.save(tmp_path, 3, small(3), CONFIG)
  assert steps(tmp_path) == [1, 3]
  step, tree, problems = checkpoints.restore(tmp_path, small(0), CONFIG)
  assert (step, problems) == (3, [])
  assert_same(tree, small(3))


def test_keep_and_saving_a_step_again(tmp_path):
  for step in (0, 9, 10, 100):  # as text, 9 would be the newest
    checkpoints.save(tmp_path, step, small(step), CONFIG, keep=3)
  assert steps(tmp_path) == [9, 10, 100]
  checkpoints.save(tmp_path, 100, small(7), CONFIG, keep=2)
  assert steps(tmp_path) == [10, 100]
  assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2
  assert_same(checkpoints.restore(tmp_path, small(0), CONFIG)[1], small(7))
  before = files(tmp_path)
  with pytest.raises(CheckpointError, match=r"100.json is ahead of step 99; restore it, or use another"):
    checkpoints.save(tmp_path, 99, small(99), CONFIG)
  for step, keep in [(-1, 1), (101, 0)]:
    with pytest.raises(CheckpointError, match=f"step {step} and keep {keep} are not allowed"):
      checkpoints.save(tmp_path, step, small(1), CONFIG, keep=keep)
  for tree, message in [({"x": "text"}, r"tree\['x'\] is str 'text'"), ({}, "holds no values"), ([2**70], "is int")]:
    with pytest.raises(CheckpointError, match=message):
      checkpoints.save(tmp_path, 101, tree, CONFIG)
  assert files(tmp_path) == before


def test_another_run_is_refused(tmp_path):
  checkpoints.save(tmp_path, 100, small(1), CONFIG)
  before = files(tmp_path)
  other = CONFIG | {"cell": "lstm", "hidden_size": 128}
  sentence = (
    f"{tmp_path}/100.json is a checkpoint of cell 'gru' and hidden_size 64, but this run has 'lstm' and 128; "
    "use another folder."
  )
  with pytest.raises(CheckpointError) as error:
    checkpoints.restore(tmp_path, small(0), other)
  assert str(error.value) == sentence
  with pytest.raises(CheckpointError) as error:
    checkpoints.save(tmp_path, 101, small(0), other)
  assert str(error.value) == sentence
  with pytest.raises(CheckpointError, match="of no task and cell 'gru', but this run has 'copy' and no cell"):
    checkpoints.restore(tmp_path, small(0), {"hidden_size": 64, "task": "copy", "gains": [0.5, 1.0]})
  for like, message in [
    (small(0) | {"w": np.zeros((20, 31))}, r"of tree\['w'\] 'float64\[20,30\]', but this run has 'float64\[20,31\]'"),
    (small(0) | {"w": np.zeros((20, 30), np.float32)}, r"this run has 'float32\[20,30\]'"),
    (small(0) | {"w": {"u": np.zeros((20, 30))}}, r"of no tree\['w'\]\['u'\] and tree\['w'\] 'float64"),
    ({"w": small(0)["w"]}, r"this run has no tree\['step'\]"),
    (small(0) | {"key": jax.random.key(0)}, r"has 'key<fry>\[\]'"),
  ]:
    with pytest.raises(CheckpointError, match=message):
      checkpoints.restore(tmp_path, like, CONFIG)
  assert files(tmp_path) == before


def test_another_schema_is_refused_and_kept(tmp_path):
  checkpoints.save(tmp_path, 1, small(1), CONFIG)
  path = tmp_path / "1.json"
  meta = json.loads(path.read_text()) | {"schema_version": 99}
  del meta["sha256"]
  path.write_text(json.dumps(meta | {"sha256": content_hash(meta)}, indent=1))
  before = files(tmp_path)
  for use in (checkpoints.restore, lambda folder, like, config: checkpoints.save(folder, 2, like, config)):
    with pytest.raises(CheckpointError, match="has schema version 99, but this version reads 1"):
      use(tmp_path, small(0), CONFIG)
  assert files(tmp_path) == before


def test_a_failed_save_leaves_the_previous_one_and_is_cleaned_up(tmp_path, monkeypatch):
  checkpoints.save(tmp_path, 1, small(1), CONFIG)

  def full(*_):
    raise OSError(28, "No space left on device")

  with monkeypatch.context() as patch:
    patch.setattr(checkpoints, "write_atomically", full)
    for _ in range(3):
      with pytest.raises(CheckpointError, match=r"checkpoint 2 of .* cannot be written .*No space left"):
        checkpoints.save(tmp_path, 2, small(2), CONFIG)
  (tmp_path / "3-01234567.orbax-checkpoint-tmp" / "d").mkdir(parents=True)
  (tmp_path / ".3.json.123.tmp").write_text("half")
  assert len(list(tmp_path.glob("2-*"))) == 1  # what failed saves leave does not pile up
  assert checkpoints.restore(tmp_path, small(0), CONFIG)[::2] == (1, [])
  checkpoints.save(tmp_path, 4, small(4), CONFIG)
  assert len(list(tmp_path.iterdir())) == 4  # two manifests and their directories


SAVER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from sweepkit.store import checkpoints, locks, manifests
from checkpoints_test import CONFIG, small
folder = Path(sys.argv[1])
with locks.lock(folder):
  found = checkpoints.restore(folder, small(0), CONFIG)
  step = found[0] if found else 0
  print(step, flush=True)
  while True:
    step += 1
    checkpoints.save(folder, step, small(step), CONFIG)
    print(step, flush=True)
"""


def saver(folder):
  here = Path(__file__)
  command = [sys.executable, "-c", SAVER, str(folder), str(here.parents[2]), str(here.parent)]
  process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
  assert process.stdout.readline(), process.stderr.read().decode()  # it has imported everything and holds the lock
  return process


def kill(process):
  """Sends SIGKILL and returns the last step that the process reported as saved, if any, and its stderr."""
  process.send_signal(signal.SIGKILL)
  out, err = process.communicate()
  return int(out.split()[-1]) if out.split() else None, err.decode()


@pytest.mark.slow
def test_sigkill_in_the_middle_of_saves_loses_nothing_that_was_reported(tmp_path, rng):
  reported = 0
  for _ in range(6):
    process = saver(tmp_path)
    time.sleep(rng.uniform(0, 0.4))
    last, err = kill(process)
    assert err == ""
    reported = last or reported
    found = checkpoints.restore(tmp_path, small(0), CONFIG)
    if found:
      step, tree, problems = found
      assert problems == []
      assert_same(tree, small(step))
    assert (found[0] if found else 0) - reported in (0, 1)  # 1: killed between the save and the report


def test_a_kill_between_any_two_changes_on_disk_loses_nothing(tmp_path, monkeypatch):
  """As if killed at each removal and each rename in turn."""
  for step in (1, 2):
    checkpoints.save(tmp_path / "good", step, small(step), CONFIG)

  class Killed(BaseException):
    pass

  def killed_at(stop):
    """Saves step 2 again, with another content, and tells whether it was killed at the change number `stop`."""
    calls = itertools.count()

    def counted(function):
      def call(*args, **kwargs):
        if next(calls) == stop:
          raise Killed
        return function(*args, **kwargs)

      return call

    with monkeypatch.context() as patch:
      for name in ("unlink", "rmdir", "replace"):
        patch.setattr(os, name, counted(getattr(os, name)))
      try:
        checkpoints.save(tmp_path / str(stop), 2, small(3), CONFIG, keep=1)
      except Killed:
        return True
    return False

  contents = []
  for stop in range(200):
    shutil.copytree(tmp_path / "good", tmp_path / str(stop))
    is_killed = killed_at(stop)
    step, tree, problems = checkpoints.restore(tmp_path / str(stop), small(0), CONFIG)
    assert (step, problems) == (2, [])
    assert not any(isinstance(manifests.check(path), str) for path in (tmp_path / str(stop)).glob("*.json"))
    contents.append(2 if np.array_equal(tree["w"], small(2)["w"]) else 3)
    assert_same(tree, small(contents[-1]))
    if not is_killed:
      break
  assert not is_killed
  assert contents == sorted(contents)  # the old content up to some moment, the new one from then on
  assert set(contents) == {2, 3}


def test_the_lock_refuses_a_second_process_and_ends_with_the_first(tmp_path):
  folder = tmp_path / "made" / "by lock"
  process = saver(folder)
  with (
    pytest.raises(CheckpointError, match=rf"by lock is in use by process {process.pid}; wait for it to end"),
    locks.lock(folder),
  ):
    pass
  kill(process)
  for _ in range(2):
    with locks.lock(folder):
      with (
        pytest.raises(CheckpointError, match=f"in use by process {os.getpid()};"),
        locks.lock(folder),
      ):
        pass
      with locks.lock(tmp_path):  # another folder is free
        pass


def test_orbax_is_silent_and_others_are_not(tmp_path, capfd, caplog):
  verbosity = absl_logging.get_verbosity()
  absl_logging.set_verbosity(absl_logging.DEBUG)
  try:
    with caplog.at_level(logging.DEBUG, logger="absl"):
      checkpoints.save(tmp_path, 1, state(1), CONFIG)
      checkpoints.restore(tmp_path, state(0), CONFIG)
      absl_logging.info("mine")
  finally:
    absl_logging.set_verbosity(verbosity)
  assert [record.getMessage() for record in caplog.records if record.name == "absl"] == ["mine"]
  assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("is_known_before", [True, False])
def test_a_full_disk_is_one_sentence(tmp_path, capfd, caplog, monkeypatch, is_known_before):
  """The system refuses files of more than 2 kB, before Orbax writes or within it."""
  if not is_known_before:
    monkeypatch.setattr(checkpoints, "_check_room", lambda *_: None)
  checkpoints.save(tmp_path, 1, small(1), CONFIG)
  limits = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
  try:
    with pytest.raises(CheckpointError) as raised:
      checkpoints.save(tmp_path, 2, small(2), CONFIG)
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
  assert str(raised.value) == (
    f"checkpoint 2 of {tmp_path} cannot be written (File too large); those before it are kept: make room and run it again."
  )
  assert capfd.readouterr() == ("", "")
  assert not [record for record in caplog.records if record.name == "absl"]
  assert checkpoints.restore(tmp_path, small(0), CONFIG)[::2] == (1, [])
  checkpoints.save(tmp_path, 2, small(2), CONFIG)
  assert manifests.inspect(tmp_path) == ([2, 1], [])


@pytest.mark.parametrize(("message", "is_silent"), [("Event loop is closed", True), ("another", False)])
def test_a_write_that_ends_after_a_failed_save_is_silent(tmp_path, message, is_silent):
  """TensorStore then reports an error that nothing can catch, as an object does whose `__del__` raises."""
  program = f"""
from pathlib import Path
import numpy as np
from sweepkit.store import checkpoints

class Late:
  def __del__(self):
    raise RuntimeError({message!r})

checkpoints.save(Path({str(tmp_path)!r}), 1, {{"a": np.ones(2)}}, {{}})
late = Late()
del late
"""
  done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
  assert (done.stderr == "") is is_silent
  assert is_silent or message in done.stderr


def test_nothing_is_pickled(tmp_path, monkeypatch):
  import pickle

  def refuse(*_, **__):
    raise AssertionError("pickle")

  for name in ("dump", "dumps", "load", "loads", "Pickler", "Unpickler"):
    monkeypatch.setattr(pickle, name, refuse)
  checkpoints.save(tmp_path, 1, small(1), CONFIG)
  assert_same(checkpoints.restore(tmp_path, small(0), CONFIG)[1], small(1))
