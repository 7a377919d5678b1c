"""Ctrl-C and SIGTERM, heard at safe points only.

An exception that a signal handler raises in the middle of a library's work (a compilation, a checkpoint being written) may come
out of it as any other error. So the handler only notes the signal, and long-running code checks the note where it can stop. A
thread prints the answer at once, even while the program waits for XLA. A second Ctrl-C ends the process immediately, which the
store survives as it survives SIGKILL.
"""

from collections.abc import Iterator
import contextlib
import os
import signal
import threading
from typing import Any

from sweepkit.execution.progress import say

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_asked: int | None = None  # the signal that asked to stop


class Stopped(KeyboardInterrupt):
  """Raised where it is safe to stop; `signum` is the signal that asked for it."""

  def __init__(self, signum: int):
    super().__init__()
    self.signum = signum


def _take_note(signum: int, frame: Any) -> None:
  global _asked
  _asked = _asked or signum


def _answer(pipe: int) -> None:
  """Answers the signals whose numbers come out of a pipe, until it is closed."""
  heard = False
  while byte := os.read(pipe, 1):
    if heard and byte[0] == signal.SIGINT:
      os.write(2, b"\nEnded at once; what was in work is lost, what is stored is whole.\n")
      os._exit(128 + signal.SIGINT)
    if not heard and byte[0] in _SIGNALS:
      say("Stopping: what is being computed is kept first. Ctrl-C once more ends at once and loses it.")
      heard = True
  os.close(pipe)


@contextlib.contextmanager
def listening() -> Iterator[None]:
  """Notes Ctrl-C and SIGTERM instead of ending the process. A signal that was ignored before stays ignored."""
  global _asked
  _asked = None
  out, into = os.pipe()
  os.set_blocking(into, False)
  thread = threading.Thread(target=_answer, args=(out,), daemon=True)
  thread.start()
  wakeup = signal.set_wakeup_fd(into, warn_on_full_buffer=False)
  heard = [signum for signum in _SIGNALS if signal.getsignal(signum) != signal.SIG_IGN]
  before = {signum: signal.signal(signum, _take_note) for signum in heard}
  try:
    yield
  finally:
    for signum, handler in before.items():
      signal.signal(signum, handler)
    signal.set_wakeup_fd(wakeup)
    os.close(into)
    thread.join()


def is_asked_to_stop() -> bool:
  return _asked is not None


def stop_if_asked() -> None:
  """Raises `Stopped` if a signal came."""
  if _asked is not None:
    raise Stopped(_asked)
