"""Job lists of studies: their jobs can run, the first failure stops a study, and Ctrl-C leaves no process."""

import itertools
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import pytest

from studies import __main__ as command
from studies import jobs, processes

ROOT = Path(__file__).parents[1]
# A program that names its process, and ends after a minute.
SLEEPER = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1], str(os.getpid())).touch(); time.sleep(60)"


@pytest.fixture
def folder(tmp_path, monkeypatch):
  """A folder of studies in place of the real one."""
  monkeypatch.setattr(jobs, "FOLDER", tmp_path)
  return tmp_path


def is_running(pid):
  """Returns True if a process exists."""
  try:
    os.kill(pid, 0)
  except ProcessLookupError:
    return False
  return True


def wait_for_processes(folder, count):
  """The processes of `count` sleepers, once all have started."""
  for _ in range(600):
    if len(pids := [int(path.name) for path in folder.iterdir()]) == count:
      return pids
    time.sleep(0.1)
  raise AssertionError("The processes did not start.")


def test_every_job_of_every_study_has_valid_flags(tmp_path):
  every = {job[:2]: job for name in jobs.names() for job in jobs.read(name)}
  assert len(every) >= 40
  jobs.check(list(every.values()), str(tmp_path / "results"))
  assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", jobs.names())
def test_a_study_and_each_of_its_jobs_say_what_they_ask(name):
  lines = (jobs.FOLDER / f"{name}.txt").read_text().splitlines()
  assert lines[0].startswith("# ")
  assert all(before.startswith("#") for before, line in itertools.pairwise(lines) if "experiments." in line)


def test_a_training_job_is_shared_by_processes_and_another_is_not(folder, monkeypatch, capsys):
  monkeypatch.delenv("XLA_FLAGS", raising=False)
  (folder / "one.txt").write_text("# A sweep.\nexperiments.forget_bias --seeds=2\ninclude two\n")
  (folder / "two.txt").write_text("# Training.\nexperiments.adding --length=9\n")
  assert command.main(["one", "--dry_run", f"--out={folder}", "--shards=2"]) == 0
  train = "XLA_FLAGS=--xla_cpu_multi_thread_eigen=false python -m experiments.adding --length=9"
  assert capsys.readouterr().out.splitlines() == [
    f"python -m experiments.forget_bias --seeds=2 --out={folder}",
    f"{train} --shard=0/2 --out={folder}",
    f"{train} --shard=1/2 --out={folder}",
  ]


@pytest.mark.parametrize(
  ("text", "reason"),
  [
    ("experiments.adding --no_such_flag=1", "bad.txt:2: Unknown command line flag 'no_such_flag'"),
    ("experiments.adding --length=zero", "bad.txt:2: --length"),
    ("experiments.nothing", "bad.txt:2: 'experiments.nothing' is not an experiment"),
    ("experiments.adding --length='5", "bad.txt:2: "),
    ("include nothing", "'nothing' is not a study; the studies are bad"),
    ("include bad", "bad.txt includes itself"),
  ],
)
def test_a_bad_line_is_one_sentence_and_nothing_runs(folder, monkeypatch, capsys, text, reason):
  monkeypatch.setattr(processes, "run", lambda *_: pytest.fail("A job was run."))
  (folder / "bad.txt").write_text(f"experiments.forget_bias\n{text}\n")
  assert command.main(["bad", f"--out={folder / 'results'}"]) == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert reason in line


def test_the_first_job_that_fails_stops_a_study_with_its_exit_code(folder, monkeypatch, capsys):
  codes = iter([0, 3])
  monkeypatch.setattr(processes, "run", lambda *_: next(codes))
  (folder / "three.txt").write_text("experiments.forget_bias\n" * 3)
  assert command.main(["three", f"--out={folder}"]) == 3
  assert "three.txt:2 ended with exit code 3" in capsys.readouterr().err


def test_a_process_that_fails_ends_the_others(tmp_path):
  failing = f"import os, sys, time\nwhile not os.listdir({str(tmp_path)!r}): time.sleep(0.1)\nsys.exit(5)"
  sleeping = [sys.executable, "-c", SLEEPER, str(tmp_path)]
  assert processes.run([sleeping, [sys.executable, "-c", failing]], os.environ) == 5
  (pid,) = wait_for_processes(tmp_path, 1)
  assert not is_running(pid)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_no_process(tmp_path, signum):
  """The runner alone gets the signal, as from `kill`; a terminal sends Ctrl-C to all processes."""
  program = f"""
import os, runpy, signal, sys
from studies import jobs, processes
sleeper = [sys.executable, "-c", {SLEEPER!r}, {str(tmp_path)!r}]
run = processes.run
processes.run = lambda commands, environment: run([sleeper, sleeper], environment)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["studies", "one", "--out={tmp_path / "results"}"]
jobs.names = lambda: ["one"]
jobs.read = lambda name: [jobs.Job("experiments.forget_bias", (), "one.txt:1")]
jobs.check = lambda planned, out: None
runpy.run_module("studies", run_name="__main__", alter_sys=True)
"""
  environment = os.environ | {"PYTHONPATH": str(ROOT)}
  runner = subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.DEVNULL)
  pids = wait_for_processes(tmp_path, 2)
  runner.send_signal(signum)
  assert runner.wait(60) == 130
  assert not any(map(is_running, pids))
