"""An older commit beside this checkout: the commands that run, in which order, and the numbers that are kept."""

import json
from pathlib import Path
import shlex
import subprocess
import sys

import pytest

from benchmarks import against
from benchmarks.timing import BenchmarkError

# Stores one block, after a pause of the length that its checkout says, and leaves a mark in its cache.
PROGRAM = """
import os, pathlib, sys, time
sys.path.insert(0, {root!r})
from tests.support.results import block
from sweepkit import store
time.sleep(float(pathlib.Path("pause").read_text()))
store.write_block(pathlib.Path(sys.argv[1].removeprefix("--out=")) / "adding", block())
cache = pathlib.Path(os.environ["XDG_CACHE_HOME"])
cache.mkdir(parents=True, exist_ok=True)
with pathlib.Path(sys.argv[2]).open("a") as log:
  print(pathlib.Path("pause").read_text(), (cache / "mark").exists(), file=log)
(cache / "mark").touch()
"""


@pytest.fixture
def repository(tmp_path):
  """Two commits of a repository: the pause of the first is longer."""
  root = tmp_path / "repository"
  root.mkdir()
  git = lambda *words: subprocess.run(
    ["git", "-C", root, "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True, capture_output=True, text=True
  )
  git("init")
  for pause in ("0.5", "0"):
    (root / "pause").write_text(pause)
    (root / "program.py").write_text(PROGRAM.format(root=str(against.ROOT)))
    git("add", ".")
    git("commit", "--message", pause)
  return root


@pytest.mark.parametrize("cache", ["warm", "cold"])
def test_both_commands_run_in_turns_and_no_path_is_kept(cache, repository, tmp_path, monkeypatch, capsys):
  log = tmp_path / "log"
  monkeypatch.setattr(against, "checkout", lambda commit, make=against.checkout: make(commit, repository))
  monkeypatch.setattr(against, "ROOT", repository)
  monkeypatch.setattr(against, "measure", lambda *_, **__: {})
  flags = ["HEAD~1", f"--cache={cache}", "--rounds=2", f"--out={tmp_path / 'numbers'}", "--name=pause"]
  assert against.main([*flags, "--", "python", "program.py", "--out={out}", str(log)]) == 0
  order = [line.split() for line in log.read_text().splitlines()]
  pauses = ["0.5", "0", "0", "0.5"] + (["0.5", "0"] if cache == "warm" else [])
  assert [pause for pause, _ in order] == pauses
  assert [was_filled for _, was_filled in order] == ["False"] * (2 if cache == "warm" else 4) + ["True"] * (
    len(order) - 4 if cache == "cold" else 4
  )
  result = json.loads((tmp_path / "numbers" / "against-pause.json").read_text())
  facts = result["facts"]
  for name in ("seconds", "seconds_to_first_block", "points_per_second", "peak_bytes"):
    for one in facts[name].values():
      assert 0 < one["low"] <= one["middle"] <= one["high"]
  before = facts["seconds_to_first_block"]["before"]["middle"]
  assert 0.5 <= before <= facts["seconds"]["before"]["middle"]
  assert facts["points_per_second"]["before"]["middle"] == pytest.approx(
    2 / facts["seconds"]["before"]["middle"], rel=0.5
  )
  assert str(tmp_path) not in json.dumps({**result, "settings": None, "command": None})
  assert "ratio" in capsys.readouterr().out
  assert len(subprocess.check_output(["git", "-C", repository, "worktree", "list"], text=True).splitlines()) == 1


def test_a_command_that_fails_is_one_sentence(tmp_path):
  with pytest.raises(BenchmarkError, match="ended with exit code 3: no luck"):
    against.run([sys.executable, "-c", "import sys; print('no luck', file=sys.stderr); sys.exit(3)"], Path(), tmp_path)


@pytest.mark.parametrize(
  ("words", "message"),
  [
    ("", "a commit and a command are needed"),
    ("HEAD", "a commit and a command are needed"),
    ("no-such-commit --rounds=1 -- python -m this", "'no-such-commit' is not a commit of this repository"),
    ("HEAD --cache=hot -- python -m this", "cache"),
  ],
)
def test_a_bad_command_line_is_one_sentence(words, message, capsys):
  assert against.main(shlex.split(words)) == 2
  (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("against: ")]
  assert message in line
