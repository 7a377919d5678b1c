"""Help, lists and refused flags come from kept declarations: the same text, no heavy import, and never that of an older file."""

import importlib
import json
import os
import re
import subprocess
import sys

import pytest

import experiments
from sweepkit import listing, options
from sweepkit.pages import declared
from tests.support.launches import ROOT

HEAVY = {"jax", "jaxlib", "xarray", "matplotlib", "scipy", "flax", "optax", "orbax", "orbax.checkpoint", "pandas"}
ONE = ["experiments.one_unit --help", "experiments.one_unit --no_such_flag", "analysis.plot --help"]
EVERY = [
  "experiments --list",
  "experiments recurrent_gain --help",
  "experiments.recurrent_gain --help",
  "experiments.adding -h",
  "experiments.recurrent_gain --no_such_flag",
  "experiments --no_such_flag",
  "analysis.plot --no_such_flag",
  "analysis.paper --help",
  "analysis.report --help",
]
STUDY = '''"""Does it rise?"""
import dataclasses
from tests.support.chaos import EXPERIMENT
EXPERIMENT = dataclasses.replace(EXPERIMENT, module=__name__, doc={doc!r}, seconds=75)
'''


def ran(command, cache):
  """Returns the exit code of a command, its output, its errors and the modules that it imported."""
  done = subprocess.run(
    [sys.executable, "-X", "importtime", "-m", *command.split()],
    cwd=ROOT,
    env=os.environ | {"XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT)},
    capture_output=True,
    text=True,
    check=False,
  )
  timed, said = [], []
  for line in done.stderr.splitlines():
    (timed if line.startswith("import time:") else said).append(line)
  return done.returncode, done.stdout, "\n".join(said), {line.rpartition("|")[2].strip() for line in timed}


@pytest.mark.parametrize("commands", [ONE, pytest.param(EVERY, marks=pytest.mark.slow)])
def test_nothing_heavy_is_imported_for_a_list_for_help_or_for_a_refused_flag(commands, tmp_path):
  code, first, _, modules = ran(commands[0], tmp_path)
  assert code == 0
  assert "jax" in modules  # there was nothing kept yet
  answers = {command: ran(command, tmp_path) for command in commands}
  assert {command: sorted(HEAVY & modules) for command, (*_, modules) in answers.items() if HEAVY & modules} == {}
  assert answers[commands[0]][:2] == (0, first)
  for command, (code, text, said, _) in answers.items():
    if "no_such" in command:
      assert (code, text) == (2, "")
      assert re.search("Unknown command line flag 'no_such_flag'", said)
    else:
      assert (code, said) == (0, "")
      assert text


def test_a_kept_declaration_shows_what_the_experiment_shows():
  for experiment in listing.experiments(experiments).values():
    kept = declared._from_data(json.loads(json.dumps(declared._as_data(experiment))))
    pages = [options.page(one, options.define(one)) for one in (experiment, kept)]
    assert pages[0] == pages[1]
    assert listing.listing([experiment], {}) == listing.listing([kept], {})


@pytest.fixture
def package(tmp_path, monkeypatch):
  """A package with one study, whose declarations may be kept at once."""
  folder = tmp_path / "questions"
  folder.mkdir()
  (folder / "__init__.py").write_text("")
  (folder / "rises.py").write_text(STUDY.format(doc="Does it rise?"))
  monkeypatch.syspath_prepend(tmp_path)
  monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
  monkeypatch.setattr(declared.loaded, "process_start", lambda: 1e12)
  yield importlib.import_module("questions")
  for name in [name for name in sys.modules if name.partition(".")[0] == "questions"]:
    del sys.modules[name]


def test_declarations_are_those_of_the_files_as_they_are(package, monkeypatch, tmp_path):
  imported = []
  find = listing.experiments
  monkeypatch.setattr(listing, "experiments", lambda of: imported.append(1) or find(of))
  times = lambda: (declared.listed(package, None), len(imported))[1]
  assert [times(), times()] == [1, 1]
  (tmp_path / "questions" / "rises.py").write_text(STUDY.format(doc="Does it fall?"))
  assert [times(), times()] == [2, 2]
  (tmp_path / "questions" / "falls.py").write_text(STUDY.format(doc="Does it fall?"))
  importlib.invalidate_caches()
  assert [times(), times()] == [3, 3]
  (kept,) = (tmp_path / "cache").rglob("*.json")
  kept.write_bytes(kept.read_bytes()[:-9])
  assert [times(), times()] == [4, 4]
  monkeypatch.setattr(declared.loaded, "process_start", lambda: 0.0)  # a file may have changed since it was imported
  kept.unlink()
  assert [times(), times()] == [5, 6]


def test_what_needs_more_than_a_declaration_is_left_to_the_experiment(package, capsys):
  assert declared.reply("questions", "rises", ["--help"]) is None
  declared.listed(package, None)
  assert declared.reply("questions", "rises", ["--help"]) == 0
  assert "Does it rise?" in capsys.readouterr().out
  assert declared.reply("questions", "rises", ["--steps=3"]) is None
  assert declared.reply("questions", "rises", ["--help", "--flagfile=x"]) is None
  assert declared.reply("questions", "rises", ["--step=3"]) == 2
  assert "rises: Unknown command line flag 'step'. Did you mean: steps. --help shows" in capsys.readouterr().err
  assert declared.reply("questions", "falls", ["--help"]) is None
