"""A pure function of a point and a run that keeps files are two types, and a launch treats each as what it is."""

import dataclasses

import numpy as np
import pytest

from sweepkit import Experiment, Measure, RunMeasure, store
from sweepkit.runner import main
from tests.support import chaos

SHARED = {"settings": chaos.MEASURE.settings, "dims": {"value": ()}, "headline": {"value": "1"}}


def test_the_two_share_what_is_said_of_arrays_and_not_how_they_run():
  pure, run = (kind(lambda *_: {}, **SHARED) for kind in (Measure, RunMeasure))
  assert not isinstance(pure, RunMeasure)
  assert not isinstance(run, Measure)
  fields = [{field.name for field in dataclasses.fields(kind)} for kind in (Measure, RunMeasure)]
  assert fields[1] - fields[0] == {"remarks", "may_end_early"}
  for measure in (pure, run):
    with pytest.raises(dataclasses.FrozenInstanceError):
      measure.run = None


def test_a_pure_measure_sees_one_point_and_its_key(tmp_path):
  seen = []

  def run(static, key, values):
    seen.append((dict(static), key.shape, {name: value.shape for name, value in values.items()}))
    return {"value": values["r"]}

  assert main(Experiment("pure", "A test.", Measure(run, **SHARED), seeds=2), ["--r=1,2", f"--out={tmp_path}"]) == 0
  assert seen[0] == ({"map": "logistic", "steps": 12, "x64": False}, (), {"r": ()})
  assert not (tmp_path / "pure" / "runs").exists()


def test_a_run_sees_a_whole_block_a_folder_of_its_own_and_what_to_say(tmp_path, capsys):
  seen = []

  def run(points, folder, checkpoint_seconds):
    seen.append((len(points), folder, checkpoint_seconds))
    return {"value": np.array([point["r"] for point in points])}

  measure = RunMeasure(run, **SHARED, remarks=lambda missing, stored: [f"{len(missing)} missing, {len(stored)} stored"])
  flags = [f"--out={tmp_path}", "--checkpoint_seconds=5"]
  assert main(Experiment("runs", "A test.", measure, seeds=2), ["--r=1", *flags]) == 0
  (path,) = store.block_paths(tmp_path / "runs")
  assert seen == [(2, path.parent / "runs" / path.stem, 5.0)]
  assert main(Experiment("runs", "A test.", measure, seeds=2), ["--r=1,2", *flags]) == 0
  assert "2 missing, 2 stored" in capsys.readouterr().err
