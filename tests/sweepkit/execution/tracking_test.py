"""Rows of runs reach a tracker as they are logged, and a tracker that fails in any way stops no run."""

import importlib
import json
import struct
import sys
import time

import numpy as np
import pytest

from sweepkit import Experiment, RunMeasure, runner, store
from sweepkit.execution import tracking
from sweepkit.store import journal
from tests.support import chaos

PACKAGES = ("trackio", "wandb", "tensorboardX")

# A tracker that writes what it gets to a file, and fails where the environment asks for it.
FAKE = """
import json, os, threading
def _note(what, *more):
  if os.environ.get("FAILS_AT") == what:
    if os.environ["FAILS_HOW"] == "hangs":
      threading.Event().wait(20)
    raise {"error": ValueError("no\\nplace"), "exit": SystemExit(3)}[os.environ["FAILS_HOW"]]
  with open(os.environ["NOTES"], "a") as file:
    print(json.dumps([what, *more]), file=file)
class Run:
  def log(self, numbers, step):
    _note("log", step, numbers)
  def finish(self):
    _note("finish")
def init(project, name, config, **options):
  _note("init", project, name, config)
  return Run()
"""


def train(points, folder, checkpoint_seconds):
  """A run of four rows, which resumes after those that are there."""
  folder.mkdir(parents=True, exist_ok=True)
  rows = journal.rows(folder / "metrics.jsonl")
  for step in (1, 2, 3, 4):
    loss = np.array([point["r"] / step + point["seed"] for point in points], np.float32)
    worst = np.where(loss > 3, np.inf, np.nan)
    journal.append(
      folder / "metrics.jsonl",
      rows,
      {"step": step, "loss": loss, "worst": worst, "rate": 7.5, "by_lag": np.ones((2, 3))},
    )
  return {"last": journal.column(rows, "loss")[-1]}


MEASURE = RunMeasure(train, settings=chaos.MEASURE.settings, dims={"last": ()})
EXPERIMENT = Experiment("tests.runs", "Runs.", MEASURE, {"map": "sine", "r": "2"}, seeds=2)
CURVES = {  # as `train` defines them
  step: {
    "loss/seed_0": float(np.float32(2 / step)),
    "loss/seed_1": float(np.float32(2 / step + 1)),
    **({"worst/seed_1": np.inf} if 2 / step + 1 > 3 else {}),
    "rate": 7.5,
  }
  for step in (1, 2, 3, 4)
}


@pytest.fixture
def notes(tmp_path, monkeypatch):
  """Reads the notes of the tracker that is installed here."""
  (tmp_path / "installed").mkdir()
  (tmp_path / "installed" / "trackio.py").write_text(FAKE)
  monkeypatch.syspath_prepend(tmp_path / "installed")
  monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
  for name in PACKAGES:
    monkeypatch.delitem(sys.modules, name, raising=False)
  importlib.invalidate_caches()
  yield lambda: [json.loads(line) for line in (tmp_path / "notes").read_text().splitlines()]
  sys.modules.pop("trackio", None)


def launch(out, *flags):
  return runner.main(EXPERIMENT, [f"--out={out}", *flags])


def test_a_tracker_gets_every_row_once(notes, tmp_path):
  assert launch(tmp_path, "--track=trackio") == 0
  (path,) = store.block_paths(tmp_path / "runs")
  settings = {"map": "sine", "steps": 12, "r": 2.0, "x64": False, "seeds": [0, 1]}
  rows = [["log", step, curves] for step, curves in CURVES.items()]
  assert notes() == [["init", "runs", path.stem, settings], *rows, ["finish"]]
  assert "--track" not in store.read_meta(path)["provenance"]["command"]


def test_points_that_differ_in_more_than_the_seed_have_numbers(notes, tmp_path):
  assert launch(tmp_path, "--track=trackio", "--r=2,5", "--seeds=1") == 0
  assert notes()[1][2] == {"loss/point_0": 2.0, "loss/point_1": 5.0, "worst/point_1": np.inf, "rate": 7.5}


def test_rows_are_sent_when_they_are_logged_and_not_at_the_end(notes, tmp_path, monkeypatch):
  seen = []
  append = journal.append

  def slow(path, written, row):
    append(path, written, row)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not ((tmp_path / "notes").exists() and len(notes()) > row["step"]):
      time.sleep(0.01)
    seen.append(len(notes()))

  monkeypatch.setattr(journal, "append", slow)
  assert launch(tmp_path, "--track=trackio") == 0
  assert seen == [2, 3, 4, 5]


def test_a_run_that_resumes_is_sent_from_its_first_row(notes, tmp_path):
  assert launch(tmp_path / "whole") == 0
  (path,) = store.block_paths(tmp_path / "whole" / "runs")
  begun = tmp_path / "broken" / "runs" / "runs" / path.stem
  begun.mkdir(parents=True)
  lines = (tmp_path / "whole/runs/runs" / path.stem / "metrics.jsonl").read_bytes().splitlines(keepends=True)
  (begun / "metrics.jsonl").write_bytes(b"".join(lines[:2]))
  assert launch(tmp_path / "broken", "--track=trackio") == 0
  assert [note[1] for note in notes() if note[0] == "log"] == [1, 2, 3, 4]


@pytest.mark.parametrize(
  ("where", "how"),
  [(where, how) for where in ("init", "log", "finish") for how in ("error", "exit")]
  + [("init", "hangs"), ("finish", "hangs")],
)
def test_a_tracker_that_fails_stops_no_run(where, how, notes, tmp_path, monkeypatch, capsys):
  """Both runs of the launch end as without it, and one sentence is said."""
  monkeypatch.setenv("FAILS_AT", where)
  monkeypatch.setenv("FAILS_HOW", how)
  monkeypatch.setattr(tracking, "SECONDS", 0.1 if how == "hangs" else 20)
  assert launch(tmp_path, "--track=trackio", "--map=sine,logistic") == 0
  said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("--track")]
  reason = {
    "error": "failed (ValueError: no place)",
    "exit": "failed (SystemExit: 3)",
    "hangs": "did not answer for 0.1 s",
  }
  assert said == [f"--track: trackio {reason[how]}; the runs go on without it."]
  assert launch(tmp_path / "without", "--map=sine,logistic") == 0
  tracked, plain = (
    {path.stem: store.read_meta(path)["arrays_sha256"] for path in store.block_paths(folder / "runs")}
    for folder in (tmp_path, tmp_path / "without")
  )
  assert tracked == plain
  assert len(plain) == 2


def test_nothing_of_it_is_imported_otherwise(notes, tmp_path):
  assert launch(tmp_path) == 0
  assert launch(tmp_path, "--track=trackio") == 0  # nothing is left to train
  assert launch(tmp_path / "dry", "--track=trackio", "--dry_run") == 0
  assert not set(PACKAGES) & set(sys.modules)


@pytest.mark.parametrize(
  ("experiment", "flag", "message"),
  [
    (EXPERIMENT, "mlflow", "--track=mlflow: value should be one of <trackio|wandb|tensorboard>"),
    (chaos.EXPERIMENT, "trackio", "--track: chaos has no training runs, whose rows a tracker gets."),
    (EXPERIMENT, "trackio", '--track: trackio is not installed; pip install ".[trackio]" installs it.'),
  ],
)
def test_what_cannot_be_tracked_is_refused(experiment, flag, message, tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(tracking, "find_spec", lambda name: None)
  assert runner.main(experiment, [f"--track={flag}", f"--out={tmp_path}/out"]) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "out").exists()


def events(folder):
  """The events of a folder of TensorBoard, read from its records: length, checksum, content, checksum."""
  from tensorboardX.proto.event_pb2 import Event

  (path,) = folder.glob("events.out.tfevents.*")
  content, at = path.read_bytes(), 0
  while at < len(content):
    (length,) = struct.unpack_from("<Q", content, at)
    yield Event.FromString(content[at + 12 : at + 12 + length])
    at += 16 + length


def test_tensorboard_itself(tmp_path):
  pytest.importorskip("tensorboardX", reason='needs pip install ".[tensorboard]"')
  assert launch(tmp_path, "--track=tensorboard") == 0
  (path,) = store.block_paths(tmp_path / "runs")
  read = {}
  for event in events(tmp_path / "runs" / "runs" / path.stem):
    for value in event.summary.value:
      read.setdefault(event.step, {})[value.tag] = value.simple_value
  assert read == {step: {name: np.float32(value) for name, value in curves.items()} for step, curves in CURVES.items()}


def test_trackio_itself(tmp_path, monkeypatch):
  monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))  # it is read when trackio is imported
  pytest.importorskip("trackio", reason='needs pip install ".[trackio]"')
  from trackio.sqlite_storage import SQLiteStorage

  assert launch(tmp_path, "--track=trackio") == 0
  (path,) = store.block_paths(tmp_path / "runs")
  logs = SQLiteStorage.get_logs("runs", path.stem)
  curves = {row["step"]: {name: value for name, value in row.items() if name in CURVES[1]} for row in logs}
  assert curves == CURVES
