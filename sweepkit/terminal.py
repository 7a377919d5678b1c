"""What every command does about the terminal that it speaks to, and about the devices that it was told to use.

A reader that has seen enough (`... | head`) ends a command in silence, as it ends other programs of a shell; what a sweep has
stored stays. A character that the terminal cannot show is replaced. Devices that are not there are one sentence.
"""

from collections.abc import Iterator
import contextlib
import io
import os
import sys

BROKEN_PIPE = 141  # the exit code: 128 and the number of SIGPIPE, as of a program that the signal ends


@contextlib.contextmanager
def command() -> Iterator[None]:
  """Around the `main` of a command, as a decorator.

  Raises:
    SystemExit: with `BROKEN_PIPE` if nobody reads any more, and with 2 if JAX has no device.
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
    os.dup2(nowhere, 1)  # lest Python, at its end, complain of what is left for it
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
