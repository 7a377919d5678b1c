"""One writer for a folder: a lock that the operating system ends with its process, in the file `.lock`."""

from collections.abc import Iterator
import contextlib
import fcntl
import os
from pathlib import Path

from sweepkit.store.files import CheckpointError, writing


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
  """Makes this process the only writer of `folder`; hold it around every `restore` and `save` of a run.

  The lock is the operating system's and ends with the process, however it ends.

  Raises:
    CheckpointError: if it is held already, or the folder cannot be written.
  """
  with writing(folder, CheckpointError):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".lock").touch()
  with open(folder / ".lock", "a+") as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
      file.seek(0)
      raise CheckpointError(
        f"{folder} is in use by process {file.read() or '(unknown)'}; wait for it to end or use another folder."
      ) from None
    with contextlib.suppress(OSError):  # the number is for the message above only; the disk may be full
      file.truncate(0)
      file.write(str(os.getpid()))
      file.flush()
    yield


def is_in_use(folder: Path) -> bool:
  """Returns True while a process holds the `lock` of `folder`; writes nothing."""
  try:
    with open(folder / ".lock") as file:
      fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
  except BlockingIOError:
    return True
  except OSError:
    pass
  return False
