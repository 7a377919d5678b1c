"""Every command that a launch prints works when it is pasted: with the folders in use, however they are called."""

import dataclasses
import os
import re
import shlex
import signal
import stat
import subprocess
import sys

import pytest

from sweepkit import Experiment, Measure, commands, plan, runner, store
from sweepkit.from_python import sweep
from sweepkit.settings import Reference
from tests.support import chaos
from tests.support.launches import ROOT, array, watch

PRINTED = re.compile(r"(?:Draw it|Load it|To go on): +(python .*)")
FLAGS = ["--map=sine", "--r=1,2", "--seeds=1", "--chunk=1"]


@pytest.fixture
def out(tmp_path):
  """Folders have such names."""
  return tmp_path / "it's a $HOME; of results"


@pytest.fixture
def paste(tmp_path):
  """Runs a line in a shell whose `python` is this one."""
  python = tmp_path / "bin" / "python"
  python.parent.mkdir()
  python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
  python.chmod(python.stat().st_mode | stat.S_IXUSR)

  def run(line):
    environment = os.environ | {"PATH": f"{python.parent}:{os.environ['PATH']}"}
    done = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    return done

  return run


def launched(capsys, experiment, *flags):
  """The exit code of a launch, and the commands that it prints."""
  code = runner.main(experiment, flags)
  said = capsys.readouterr()
  return code, PRINTED.findall(said.out + said.err)


def test_what_is_printed_when_stopped_does_the_rest_and_what_has_no_figure_is_loaded(out, paste, capsys, monkeypatch):
  with monkeypatch.context() as patch:
    events = []
    stop = lambda: len(events) == 1 and os.kill(os.getpid(), signal.SIGINT)
    watch(patch, store, "write_block", events, stop)
    code, (go_on,) = launched(capsys, chaos.EXPERIMENT, *FLAGS, "--r=1,2,3", f"--out={out}")
  assert code == 130
  done = paste(go_on)
  assert "1 point to compute, 2 already done" in done.stderr
  (load,) = PRINTED.findall(done.stdout)
  exec(shlex.split(load)[2], {})  # as the shell would take it apart
  assert "orbit" in capsys.readouterr().out
  assert launched(capsys, chaos.EXPERIMENT, "--summary", f"--out={out}") == (0, [load])


def test_a_study_of_ones_own_is_loaded(out, paste, capsys):
  """A study without a module has no command that runs it, and no figure."""
  measure = Measure(
    lambda static, key, values: {"gain": values["r"]}, settings=chaos.MEASURE.settings, dims={"gain": ()}
  )
  study = Experiment("my study", "It echoes.", measure, seeds=1)
  assert sweep(study, r=[1, 2], out=out).gain.squeeze().values.tolist() == [1, 2]
  (load,) = PRINTED.findall(capsys.readouterr().out)
  assert "gain" in paste(load).stdout


def test_a_launch_that_a_program_made_is_not_a_command(out, capsys, monkeypatch):
  made = dataclasses.replace(chaos.EXPERIMENT, module="made")
  events = []
  watch(monkeypatch, store, "write_block", events, lambda: len(events) == 1 and os.kill(os.getpid(), signal.SIGINT))
  assert launched(capsys, made, *FLAGS, "--r=1,2,3", f"--out={out}") == (130, [])


def test_a_task_of_an_array_resumes_with_its_share(monkeypatch):
  for name, value in array(ID=3, MIN=0, MAX=15, STEP=1, COUNT=16).items():
    monkeypatch.setenv(name, value)
  asked = plan.parse(chaos.EXPERIMENT, FLAGS)
  assert asked.command == commands.python(chaos.EXPERIMENT.module, *FLAGS, "--shard=3/16")
  assert plan.parse(chaos.EXPERIMENT, [*FLAGS, "--shard=1/2"]).command.endswith(" --shard=1/2")


FILES = Reference(lambda text, out: None, lambda stored, asked: stored == asked, lambda text: text.rpartition("/")[2])


@pytest.mark.parametrize(
  ("flags", "kept"),
  [
    (["--out=/home/me/x", "--steps=8"], "--steps=8"),
    (["--out", "/home/me/x", "--steps", "8", "--summary"], "--steps=8"),
    (["-out=/home/me/x", "--shard=0/2", "--nox64"], "--nox64"),
    (["--flagfile=FILE"], "--x64 --steps=9"),
    (["--map=/home/me/my text.txt,sine"], "--map='my text.txt',sine"),
  ],
)
def test_kept_commands_hold_no_path(flags, kept, tmp_path):
  (tmp_path / "flags").write_text(f"--steps=9\n--x64\n--out={tmp_path}\n")
  name = chaos.MEASURE.settings["map"]._replace(reference=FILES, check=lambda text: True)
  settings = {**chaos.MEASURE.settings, "map": name}
  about = dataclasses.replace(chaos.EXPERIMENT, measure=dataclasses.replace(chaos.MEASURE, settings=settings))
  words = [flag.replace("FILE", str(tmp_path / "flags")) for flag in flags]
  if not any("out" in word for word in words):
    words.append(f"--out={tmp_path}")
  elif "/home/me/x" in str(words):
    words = [word.replace("/home/me/x", str(tmp_path)) for word in words]
  found = shlex.split(plan.parse(about, words).kept_command)
  assert str(tmp_path) not in str(found)
  assert "/home" not in str(found)
  assert set(found) >= {"python", "-m", chaos.EXPERIMENT.module, *shlex.split(kept)}
  assert not any(word.startswith(("--out", "--shard", "--flagfile", "--summary")) for word in found)
