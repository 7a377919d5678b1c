"""SIGTERM, heard at safe points only.

An exception that a signal handler raises in the middle of a library's work (a compilation, a checkpoint being written) may come
out of it as any other error. So the handler takes a note, and whoever runs long asks for it where it can stop.
"""

from collections.abc import Iterator
import contextlib
import signal
from typing import Any

_asked_to_stop = False


class Terminated(KeyboardInterrupt):
  """SIGTERM asks to stop as Ctrl-C does."""


def _take_note(signum: int, frame: Any) -> None:
  global _asked_to_stop
  _asked_to_stop = True


@contextlib.contextmanager
def listening() -> Iterator[None]:
  """Within it SIGTERM is noted instead of ending the process."""
  global _asked_to_stop
  _asked_to_stop = False
  before = signal.signal(signal.SIGTERM, _take_note)
  try:
    yield
  finally:
    signal.signal(signal.SIGTERM, before)


def is_asked_to_stop() -> bool:
  return _asked_to_stop


def stop_if_asked() -> None:
  """Raises `Terminated` if SIGTERM came."""
  if _asked_to_stop:
    raise Terminated
