"""Ctrl-C: answered at once, heard where it is safe, and a second one ends the process."""

import os
from pathlib import Path
import shlex
import signal
import subprocess
import sys
import time

import pytest

from sweepkit.execution import signals
from tests.support import chaos
from tests.support.launches import ROOT, stored

# Computes without looking up, as a compilation does, then stops where it may.
BUSY = """
import sys, time
from sweepkit.execution import signals
try:
  with signals.listening():
    print("on", flush=True)
    sys.stdin.readline()
    signals.stop_if_asked()
except signals.Stopped as stop:
  sys.exit(128 + stop.signum)
"""


def busy(**options):
  pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
  process = subprocess.Popen([sys.executable, "-c", BUSY], cwd=ROOT, text=True, **pipes, **options)
  assert process.stdout.readline() == "on\n"
  return process


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_answered_at_once_and_heard_where_it_is_safe(signum):
  process = busy()
  process.send_signal(signum)
  assert process.stderr.readline().startswith("Stopping: what is being computed is kept first.")
  assert process.poll() is None
  _, rest = process.communicate("\n")
  assert process.returncode == 128 + signum
  assert rest == ""


def test_a_second_one_ends_the_process_on_the_spot():
  process = busy()
  process.send_signal(signal.SIGINT)
  process.stderr.readline()
  process.send_signal(signal.SIGINT)
  assert process.wait(timeout=60) == 130
  assert "Ended at once" in process.communicate()[1]


def test_what_was_ignored_stays_so_and_what_was_there_comes_back():
  before = signal.signal(signal.SIGINT, signal.SIG_IGN)
  try:
    with signals.listening():
      assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
      os.kill(os.getpid(), signal.SIGINT)
      assert not signals.is_asked_to_stop()
      assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
  finally:
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
def test_a_sweep_stops_says_what_is_kept_and_goes_on(tmp_path):
  """The sentence about resuming is a command, and that does the rest."""
  folder = tmp_path / chaos.NAME
  process = chaos.started("--r=3:4:200", "--steps=100000", "--chunk=2", f"--out={tmp_path}")
  deadline = time.monotonic() + 120
  while not list(folder.glob("*.json")):
    assert process.poll() is None, process.communicate()[1]
    assert time.monotonic() < deadline
    time.sleep(0.01)
  process.send_signal(signal.SIGINT)
  out, text = process.communicate(timeout=120)
  assert process.returncode == 130, text
  assert "Traceback" not in text + out
  kept = len(stored(folder))
  assert 0 < kept < 800
  assert f"{chaos.NAME}: stopped. Kept in {folder}: {kept} of 800 points.\n" in text
  *_, command = text.strip().splitlines()
  words = shlex.split(command.removeprefix("To go on: "))
  assert words[:3] == ["python", "-m", chaos.EXPERIMENT.module]
  done = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
  assert f"{800 - kept} points to compute, {kept} already done" in done.stderr
  assert f"800 points: 800 ok ({kept} skipped, stored before)" in done.stdout
  assert len(stored(folder)) == 800
  assert not [path for path in Path(folder).glob(".*") if path.name != ".lock"]


@pytest.mark.slow
def test_ctrl_c_before_the_launcher_listens_is_silent():
  process = subprocess.Popen(chaos.command("--dry_run"), cwd=ROOT, stderr=subprocess.PIPE, text=True)
  time.sleep(0.3)  # it is importing
  process.send_signal(signal.SIGINT)
  assert process.communicate()[1] == ""
  assert process.returncode in (-signal.SIGINT, 130)
