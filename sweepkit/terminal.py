"""Wraps every command: closed pipes, characters that the terminal lacks, and devices that are missing.

When the reader of its output exits (`... | head`), a command ends silently, as other programs of a shell do, and keeps what it
has stored. A character that the terminal cannot show is replaced. A missing device is reported in one sentence.
"""

from collections.abc import Iterator
import contextlib
import io
import os
import sys

BROKEN_PIPE = 141  # the exit code: 128 and the number of SIGPIPE, as for a program that the signal ends


@contextlib.contextmanager
def command() -> Iterator[None]:
  """Decorates the `main` of a command.

  Raises:
    SystemExit: with `BROKEN_PIPE` if the output is closed, and with 2 if JAX has no device.
  """
  streams = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, io.TextIOWrapper)]
  before = [(stream, stream.errors) for stream in streams]
  for stream in streams:
    stream.reconfigure(errors="replace")
  try:
    try:
      with _devices():
        yield
    finally:
      for stream in streams:
        stream.flush()
  except BrokenPipeError:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # otherwise Python reports at exit that it cannot flush its output
    os.close(nowhere)
    raise SystemExit(BROKEN_PIPE) from None
  finally:
    for stream, errors in before:
      stream.reconfigure(errors=errors)


@contextlib.contextmanager
def _devices() -> Iterator[None]:
  try:
    yield
  except (RuntimeError, AssertionError):
    from sweepkit.execution import devices  # it imports JAX, which a page of help does without

    if reason := devices.missing():
      print(reason, file=sys.stderr)
      raise SystemExit(2) from None
    raise
