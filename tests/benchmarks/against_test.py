"""The comparison of a command on an older commit and now."""

import json
import shlex
import subprocess
import sys

import pytest

from benchmarks import against, goals, report, results
from benchmarks.timing import BenchmarkError


def git(folder, *words):
  identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
  subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
  """A repository in which a program waits 0.4 s before one commit, and not at all after it."""
  folder = tmp_path / "repository"
  folder.mkdir()
  git(folder, "init", "--quiet")
  for seconds in (0.4, 0):
    (folder / "program.py").write_text(f"import time\ntime.sleep({seconds})\n")
    git(folder, "add", "program.py")
    git(folder, "commit", "--quiet", "--message", f"{seconds}")
  return folder


def test_an_older_commit_runs_beside_this_one_in_a_worktree_that_is_removed(repository):
  command = ["python", "program.py"]
  with against.checkout("HEAD~1", repository) as (tree, name):
    assert len(name) >= 7
    assert (tree / "program.py").read_text() != (repository / "program.py").read_text()
    made = against.compare({"before": (tree, command), "now": (repository, command)}, rounds=1)
  assert not tree.exists()
  listed = subprocess.run(["git", "worktree", "list"], cwd=repository, capture_output=True, text=True, check=True)
  assert len(listed.stdout.splitlines()) == 1
  assert made["before"]["median"] >= 0.4
  assert made["before"]["facts"]["first_seconds"] >= 0.4
  assert made["now"]["facts"]["points"] == 0


def test_each_commit_has_a_cache_of_its_own_and_empty_results(tmp_path):
  """The program fails if its results are not empty, and writes a file in its cache in the first round alone."""
  program = """
import os, pathlib, sys
out, cache = pathlib.Path(sys.argv[1]), pathlib.Path(os.environ["XDG_CACHE_HOME"])
out.mkdir(parents=True)
cache.mkdir(exist_ok=True)
with open(sys.argv[2], "a") as seen:
  print(sys.argv[3], sorted(os.listdir(cache)), file=seen)
(cache / sys.argv[3]).touch()
"""
  seen = tmp_path / "seen"
  trees = {name: (tmp_path, ["python", "-c", program, "{out}", str(seen), name]) for name in ("before", "now")}
  against.compare(trees, rounds=1)
  assert sorted(seen.read_text().splitlines()) == ["before ['before']", "before []", "now ['now']", "now []"]


def test_a_command_that_fails_says_what_it_said(tmp_path):
  with pytest.raises(BenchmarkError, match=r"ended with code 3: no such thing$"):
    against.once(["python", "-c", "import sys; print('no such thing'); sys.exit(3)"], tmp_path, tmp_path)


@pytest.mark.parametrize(
  ("argv", "sentence"),
  [
    (["HEAD"], "it takes one commit and, after --, a command"),
    (["--", "python"], "it takes one commit and, after --, a command"),
    (["no-such-commit", "--", "python"], "'no-such-commit' is not a commit of this repository."),
    (["HEAD", "--rounds=0", "--", "python"], "rounds"),
  ],
)
def test_bad_input_is_one_sentence(capsys, argv, sentence):
  assert against.main(argv) == 2
  said = capsys.readouterr().err
  assert said.startswith("against: ")
  assert sentence in said
  assert said.count("\n") == 1


@pytest.mark.slow
def test_a_sweep_against_the_commit_itself_is_shown_on_the_page(tmp_path):
  sweep = "python -m experiments.small_gain --cells=rnn --hidden_size=4 --seq_len=8 --ws=0.5 --seeds=1 --out={out}"
  argv = ["HEAD", "--case=gain_64", "--rounds=1", f"--out={tmp_path}", "--", *sweep.split()]
  subprocess.run([sys.executable, "-m", "benchmarks.against", *argv], check=True, cwd=against.ROOT)
  (one,) = results.load(tmp_path)
  assert shlex.split(one["settings"]["command"]) == sweep.split()
  assert str(against.ROOT) not in json.dumps(one)
  assert one["contenders"]["now"]["facts"]["points"] == one["contenders"]["before"]["facts"]["points"] > 0
  first = results.first_block(one)
  assert 0.2 < first.middle < 5
  assert "sweep, H = 64, T = 100: time before / now" in [name for name, *_ in goals.judge([one])]
  assert "| gain_64 | " in report.markdown([one])
