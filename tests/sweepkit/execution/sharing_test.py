"""Two launchers on one folder: they share the work, none is lost or done twice, and the second says so."""

import subprocess
import sys

import pytest

from sweepkit import Point, plan, runner, store
from sweepkit.execution import sharing
from tests.support import chaos
from tests.support.launches import ended, stored

FLAGS = ("--r=0.5,1,2,3", "--map=sine", "--chunk=2")

# Locks bytes of a file, says so, and holds them until it is killed.
HOLD = """
import fcntl, os, sys, time
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
for byte in map(int, sys.argv[2:]):
  fcntl.lockf(lock, fcntl.LOCK_EX, 1, byte)
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def others(tmp_path):
  """Another launcher, as far as locks go: at work in `tmp_path` and computing the given points."""
  processes = []

  def hold(points):
    folder = tmp_path / chaos.NAME
    folder.mkdir(exist_ok=True)
    held = [0, *(sharing._byte(point) for point in points)]
    command = [sys.executable, "-c", HOLD, str(folder / ".lock"), *map(str, held)]
    processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    assert processes[-1].stdout.readline() == "held\n"
    return processes[-1]

  yield hold
  for process in processes:
    process.kill()
    process.wait()
    process.stdout.close()


def launch(out):
  return runner.main(chaos.EXPERIMENT, [*FLAGS, f"--out={out}"])


def test_what_another_launcher_computes_is_left_to_it_and_done_when_it_died(tmp_path, others, capsys):
  points = plan.parse(chaos.EXPERIMENT, [*FLAGS, f"--out={tmp_path}"]).points
  process = others([points[2], points[3], points[4]])
  assert launch(tmp_path) == 0
  text = capsys.readouterr().err
  assert "Another launcher is at work in" in text
  assert "Left to other launchers at work in" in text
  found = stored(tmp_path / chaos.NAME)
  assert sorted(found) == sorted(p.content_hash for i, p in enumerate(points) if i not in (2, 3, 4))
  process.kill()
  process.wait()
  assert launch(tmp_path) == 0
  text = capsys.readouterr().err
  assert "nother launcher" not in text
  assert "3 points to compute, 5 already done" in text
  assert len(stored(tmp_path / chaos.NAME)) == 8


def test_what_another_launcher_stored_meanwhile_is_not_computed_again(tmp_path):
  assert launch(tmp_path) == 0
  folder = tmp_path / chaos.NAME
  points = [store.read_block(path).points for path in store.block_paths(folder)]
  with sharing.at_work(store.Inventory(folder), set()) as work:  # as seen by one that started before
    assert list(sharing.shared_out(work, points)) == []


def test_what_another_launcher_gave_up_is_done_at_the_end(tmp_path, others):
  points = [Point(map="sine", seed=seed) for seed in range(6)]
  process = others(points[:3])
  with sharing.at_work(store.Inventory(tmp_path / chaos.NAME), set()) as work:
    queue = sharing.shared_out(work, [points[:2], points[2:4], points[4:]])
    assert next(queue) == [points[3]]
    process.kill()
    process.wait()
    assert list(queue) == [points[4:], points[:2], [points[2]]]


def test_without_locks_a_launcher_says_so_and_goes_on(tmp_path, capsys, monkeypatch):
  def refuse(*_):
    raise OSError(37, "No locks available")

  monkeypatch.setattr(sharing.fcntl, "lockf", refuse)
  assert launch(tmp_path) == 0
  assert "is on a file system without locks (No locks available)" in capsys.readouterr().err
  assert len(stored(tmp_path / chaos.NAME)) == 8


@pytest.mark.slow
def test_two_launchers_at_once_compute_every_point_once(tmp_path):
  flags = ["--r=3:4:25", "--map=sine,logistic", "--chunk=1", "--seeds=8", f"--out={tmp_path}"]
  both = [chaos.started(*flags) for _ in range(2)]
  (first, first_text), (second, second_text) = map(ended, both)
  assert first == second == 0
  assert "Another launcher is at work" in first_text + second_text
  assert "Left to other launchers at work in" in first_text + second_text
  assert len(stored(tmp_path / chaos.NAME)) == 400


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
  (tmp_path / "file").write_text("")
  with (
    pytest.raises(store.ResultsError, match=r"cannot be written"),
    sharing.at_work(store.Inventory(tmp_path / "file/below"), set()),
  ):
    pass
