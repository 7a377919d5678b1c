"""A dry run counts points, calls, what is stored and what the rest takes. It lists no points, and Ctrl-C ends it at once."""

import dataclasses
import signal
import subprocess
import sys

import numpy as np
import pytest

from sweepkit import Point, RunMeasure, grids, plan, runner, store
from sweepkit.pages import preview
from tests.support import chaos
from tests.support.launches import ROOT, experiment

HUGE = ("--r=3:4:1000", "--seeds=[" + ",".join(map(str, range(600))) + "]")

# A dry run that would take a minute for its shapes.
SLOW = """
import dataclasses, sys, time
from sweepkit import runner
from tests.support import chaos

def coords(point):
  print("on", flush=True)
  time.sleep(60)

measure = dataclasses.replace(chaos.MEASURE, coords=coords)
sys.exit(runner.main(dataclasses.replace(chaos.EXPERIMENT, measure=measure), ["--dry_run", f"--out={sys.argv[1]}"]))
"""


def dry(capsys, out, *flags, about=chaos.EXPERIMENT):
  assert runner.main(about, [*flags, f"--out={out}", "--dry_run"]) == 0
  return capsys.readouterr().out


def test_no_point_of_a_huge_grid_is_listed(tmp_path, monkeypatch, capsys):
  made = []
  init = Point.__init__
  monkeypatch.setattr(Point, "__init__", lambda self, *args, **more: made.append(1) or init(self, *args, **more))
  monkeypatch.setattr(grids.Grid, "__iter__", lambda _: pytest.fail("the points were listed"))
  text = dry(capsys, tmp_path, "--steps=8,12", *HUGE)
  assert "2 400 000 points in 75 000 calls" in text
  assert "r (1 000): 3.0, 3.001001001, 3.002002002, …, 3.998998999, 4.0" in text
  assert "a point of sine (steps=8): orbit [8], mean []" in text
  assert "seed (600): 0, 1, 2, …, 598, 599" in text
  assert len(made) < 100


def test_what_is_stored_is_counted_from_the_blocks(tmp_path, capsys):
  assert runner.main(chaos.EXPERIMENT, ["--r=1,2,3", "--seeds=3", f"--out={tmp_path}"]) == 0
  capsys.readouterr()
  assert "stored already: 8 of 16 points\n" in dry(capsys, tmp_path, "--r=2,3,4,5", "--seeds=2")
  assert "stored already: 0 of 4 points\n" in dry(capsys, tmp_path, "--r=7", "--seeds=2")
  all_of_it = dry(capsys, tmp_path, "--r=1,2,3", "--seeds=3")
  assert "stored already: 18 of 18 points\n  expected time: none" in all_of_it
  changed = dataclasses.replace(chaos.MEASURE, run=lambda *arguments: chaos.orbit(*arguments))
  other = dataclasses.replace(chaos.EXPERIMENT, measure=changed)
  said = dry(capsys, tmp_path, "--r=1,2,3,4", "--seeds=3", about=other)
  assert "0 of 24 points; beside them 18 points of other code, which a launch computes again" in said
  assert "18 of 24 points\n" in dry(capsys, tmp_path, "--r=1,2,3,4", "--seeds=3", "--changed_code=keep", about=other)
  path, _ = store.block_paths(tmp_path / chaos.NAME)
  path.write_bytes(b"{" + path.read_bytes())
  assert "9 of 18 points; beside them 1 file that cannot be read" in dry(capsys, tmp_path, "--r=1,2,3", "--seeds=3")


def test_the_time_comes_from_what_is_stored_or_from_the_default_grid(tmp_path, capsys):
  about = dataclasses.replace(chaos.EXPERIMENT, seconds=40)  # 20 points
  assert "expected time: about 16 s in one process, at the rate of the default grid (40 s for 20 points on" in dry(
    capsys, tmp_path, "--r=1,2", about=about
  )
  said = dry(capsys, tmp_path, "--r=1:2:10", "--steps=9", "--shard=1/4", about=about)
  assert "about 1 min 20 s in one process, and 20 s for shard 1/4, at the rate" in said
  assert said.rstrip().endswith(", whose steps differ")
  assert "expected time: not known" in dry(capsys, tmp_path, about=dataclasses.replace(about, seconds=None))
  assert runner.main(about, ["--r=1", f"--out={tmp_path}"]) == 0
  capsys.readouterr()
  paths = store.block_paths(tmp_path / chaos.NAME)
  spent = sum(preview._seconds(store.read_block(path).provenance) for path in paths)
  found = preview.stored(about.measure, plan.parse(about, ["--r=1,2", f"--out={tmp_path}"]))
  assert found.done == 4
  assert sum(seconds for seconds, _ in found.rates.values()) == pytest.approx(spent)
  assert "at the rate of the 4 points of these sizes stored here" in dry(capsys, tmp_path, "--r=1,2", about=about)


def test_runs_that_end_when_they_are_solved_are_told(tmp_path, capsys):
  may_end = experiment("adding").measure.may_end_early
  assert may_end(Point(stop="solved"))
  assert not may_end(Point(stop="never"))
  measure = RunMeasure(
    lambda *_: {}, settings=chaos.MEASURE.settings, dims={}, may_end_early=lambda point: point["steps"] == 12
  )
  about = dataclasses.replace(chaos.EXPERIMENT, measure=measure)
  assert "a run ends as soon as it is solved" in dry(capsys, tmp_path, about=about)
  assert "as soon as it is solved" not in dry(capsys, tmp_path, "--steps=9", about=about)


def test_a_dry_run_says_that_it_has_not_checked_everything(tmp_path, capsys):
  measure = RunMeasure(
    lambda *_: {"zero": np.zeros(1)},
    settings=chaos.MEASURE.settings,
    dims={"zero": ()},
    check=lambda point: hash(point),
  )
  about = dataclasses.replace(chaos.EXPERIMENT, measure=measure)
  assert f"{plan.MOST_CHECKED} were tried; a launch tries all" in dry(capsys, tmp_path, "--r=0:1:500", about=about)
  assert "were tried" not in dry(capsys, tmp_path, "--r=0:1:5", about=about)


def test_ctrl_c_ends_a_dry_run_at_once(tmp_path):
  process = subprocess.Popen(
    [sys.executable, "-c", SLOW, str(tmp_path)], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
  )
  assert process.stdout.readline() == "on\n"
  process.send_signal(signal.SIGINT)
  _, said = process.communicate(timeout=30)  # less than it would take
  assert process.returncode == 130
  assert said == ""
