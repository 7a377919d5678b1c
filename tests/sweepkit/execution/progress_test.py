"""A bar on a terminal, plain lines in a log, and both say the same."""

import io
import sys

import pytest

from sweepkit.execution import progress


@pytest.fixture
def clock(monkeypatch):
  """The time, which stands still unless a test moves it."""
  now = [1000.0]
  monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
  return now


def test_a_log_gets_a_line_now_and_then(clock, capsys):
  with progress.progress(100, "point", initial=10) as advance:
    advance(0, "sweep rnn")
    for _ in range(8):
      clock[0] += 5
      advance(10, note="all is well")
  said = capsys.readouterr().err
  assert said.splitlines() == [
    "sweep rnn: 40 of 100 points, 2 points per second, 30 s left; all is well",
    "sweep rnn: 70 of 100 points, 2 points per second, 15 s left; all is well",
  ]
  assert "\r" not in said


class Terminal(io.StringIO):
  def isatty(self):
    return True


def test_a_terminal_gets_a_bar_that_says_the_same(monkeypatch):
  monkeypatch.setattr(sys, "stderr", Terminal())
  with progress.progress(1200, "point") as advance:
    advance(0, "sweep rnn")
    advance(300, note="all is well")
    progress.say("a line in between")
  said = sys.stderr.getvalue()
  assert "sweep rnn:   0 %|" in said
  assert "0 of 1 200 points" in said
  assert "\r" in said
  assert "a line in between\n" in said


@pytest.mark.parametrize("is_terminal", [True, False])
def test_nothing_to_do_shows_nothing(is_terminal, monkeypatch):
  monkeypatch.setattr(sys, "stderr", Terminal() if is_terminal else io.StringIO())
  with progress.progress(5, "update", initial=5) as advance:
    advance(0, "sweep rnn")
  assert sys.stderr.getvalue() == ""


def test_slow_units_are_told_by_their_time():
  assert progress.status(1, 3, "point", 1 / 90) == "1 of 3 points, 1 min 30 s per point, 3 min left"
  assert progress.status(0, 3, "point", None) == "0 of 3 points"


def test_what_may_end_before_says_at_most(clock, capsys):
  with progress.progress(100, "update", at_most=True) as advance:
    clock[0] += 20
    advance(20, "adding rnn")
  assert capsys.readouterr().err == "adding rnn: 20 of 100 updates, 1 updates per second, at most 1 min 20 s left\n"
