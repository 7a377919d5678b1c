"""The ledger of landmarks: what it says of experiments is what they say themselves, and its page is what the code writes."""

import json
from pathlib import Path
import re
import shlex

import pytest

from analysis import claims
from analysis.claims import __main__ as command
from studies import jobs
from sweepkit import plan
from sweepkit.store import block_paths
from tests.made_up import REFERENCE

ROOT = Path(__file__).parents[3]
KEPT = {path.name for path in REFERENCE.iterdir() if block_paths(path)}
EXPERIMENTS = {path.stem for path in (ROOT / "experiments").glob("*.py")}
LANDMARKS = claims.LANDMARKS.claims.values()


def experiment(name):
  return jobs.experiment_of(jobs.Job(f"experiments.{name}", (), "the ledger"))


def test_there_are_nineteen():
  assert list(claims.LANDMARKS.claims) == list(range(1, 20))
  assert len(LANDMARKS) == 19


@pytest.mark.parametrize("landmark", LANDMARKS, ids=lambda one: str(one.number))
def test_its_commands_run_and_its_prediction_is_that_of_the_experiment(landmark):
  """An experiment that does not exist yet has no results either."""
  named = {*landmark.reads, *(line.split()[0] for line in landmark.commands)}
  assert not (named - EXPERIMENTS) & KEPT
  assert landmark.judge is not None or not set(landmark.reads) & KEPT
  for name, *flags in (shlex.split(line) for line in landmark.commands):
    if name in EXPERIMENTS:
      assert plan.parse(experiment(name), [*flags, "--out=results"]).points
  there = [experiment(name).doc for name in landmark.reads if name in EXPERIMENTS]
  expected = [" ".join(about.split("Expect:")[1].split()) for about in there if "Expect:" in about]
  assert not expected or any(landmark.prediction in text for text in expected)


def test_the_study_repeats_every_measured_landmark():
  planned = {(job.module, job.flags) for job in jobs.read("landmarks")}
  entries = json.loads((ROOT / "docs" / "landmarks.json").read_text())
  measured = [entry["number"] for entry in entries if entry["verdict"] != "not measured"]
  assert measured
  for line in (line for number in measured for line in claims.LANDMARKS.claims[number].commands):
    name, *flags = shlex.split(line)
    assert (f"experiments.{name}", tuple(flags)) in planned, line


def test_the_page_in_git_is_what_the_kept_results_say(tmp_path, monkeypatch, capsys):
  monkeypatch.chdir(ROOT)
  flags = ["--ledger=landmarks", "--results=results/reference", f"--out={tmp_path}"]
  assert command.main(flags) == 0
  capsys.readouterr()
  for name in ("landmarks.md", "landmarks.json"):
    assert (tmp_path / name).read_text() == (ROOT / "docs" / name).read_text(), name


def test_every_verdict_is_one_of_four_and_a_condition_names_numbers_or_cells():
  for entry in json.loads((ROOT / "docs" / "landmarks.json").read_text()):
    assert entry["verdict"] in claims.LANDMARKS.words.values()
    assert (entry["verdict"] == "reproduced under conditions") == bool(entry["condition"])
    assert re.search(r"\(.*seeds?\)$", entry["measured"]) or entry["verdict"] == "not measured"


def test_a_ledger_that_does_not_exist_is_refused(tmp_path, capsys):
  assert command.main(["--ledger=claim", "--results=results/reference", f"--out={tmp_path / 'x'}"]) == 2
  assert "'claim' is not a ledger; the ledgers are claims and landmarks" in capsys.readouterr().err
  assert not (tmp_path / "x").exists()
