"""Files that are whole or not there at all, and names that stay inside their folder.

    .<name>.<pid>.tmp     what process <pid> is writing; it is renamed to <name> when all of it is on disk

A temporary file or folder whose process is dead is a leftover of a killed launch and is removed by the next one.
"""

from collections.abc import Iterator
import contextlib
import os
from pathlib import Path
import re
import shutil

_TEMPORARY = re.compile(r"\..+\.([0-9]+)\.tmp")


class ResultsError(ValueError):
  """A results folder or file that cannot be used, with the reason in one sentence."""


class CheckpointError(ResultsError):
  """A checkpoint or its folder that cannot be used, with the reason in one sentence."""


def temporary(path: Path) -> Path:
  """The name beside `path` under which this process prepares it."""
  return path.with_name(f".{path.name}.{os.getpid()}.tmp")


@contextlib.contextmanager
def writing(path: Path, error: type[ResultsError] = ResultsError) -> Iterator[None]:
  """Turns a write that fails, as on a full disk, into an `error` of one sentence that names `path`."""
  try:
    yield
  except OSError as failure:
    reason = failure.strerror or str(failure)
    raise error(
      f"{path} cannot be written ({reason}); earlier files are kept: free some space or repair the folder, and run it again."
    ) from failure


def make_folder(folder: Path) -> None:
  """Makes a folder and those above it, unless they are there.

  Raises:
    ResultsError: if it cannot be made, as where a file has its name.
  """
  with writing(folder):
    folder.mkdir(parents=True, exist_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
  """Writes under a temporary name, syncs, renames: the path holds all of `content` or what it held before.

  Raises:
    ResultsError: if the disk is full or the folder cannot be written; nothing is left behind.
  """
  name = temporary(path)
  with writing(path):
    try:
      name.unlink(missing_ok=True)
      with open(name, "xb") as file:  # a new file: a link of that name is not followed
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
      os.replace(name, path)
    finally:
      name.unlink(missing_ok=True)


def remove_folder(folder: Path) -> None:
  """Removes a folder atomically: it is renamed first. A folder that is removed halfway is a leftover."""
  aside = temporary(folder.with_name(f"{folder.name}.old"))  # another name than that of a folder that is being prepared
  os.replace(folder, aside)
  shutil.rmtree(aside)


def _is_alive(pid: int) -> bool:
  try:
    os.kill(pid, 0)
  except (ProcessLookupError, OverflowError):
    return False
  except PermissionError:  # it is another user's
    pass
  return True


def remove_leftovers(folder: Path) -> None:
  """Removes the temporary files and folders in `folder` of processes that have ended, and of this one."""
  for path in folder.glob(".*.tmp"):
    match = _TEMPORARY.fullmatch(path.name)
    if match and (int(match[1]) == os.getpid() or not _is_alive(int(match[1]))):
      if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
      else:
        path.unlink(missing_ok=True)


def check_name(name: str) -> str:
  """The name of an experiment, a block or a run, if it is one of a single file or folder.

  Raises:
    ResultsError: if it is empty, leads elsewhere (`..`, a path) or holds a control character.
  """
  if not name or name in (".", "..") or re.search(r"[/\\]", name) or not name.isprintable():
    raise ResultsError(
      f"The name {name!r} is not allowed; a name has no / or \\, is not . or .., and holds no control character."
    )
  return name


def check_path(text: str) -> str:
  """The path of a folder that a flag names, which may be anywhere; `~` is the home folder, as a shell has it.

  Raises:
    ResultsError: if it is empty, holds a control character, is a flag or is the home of an unknown user.
  """
  if text.startswith("--"):
    raise ResultsError(f"{text!r} is a flag, and the name of the folder before it is missing.")
  if not text or not text.isprintable():
    raise ResultsError(f"The folder {text!r} is not allowed; its name must not be empty or hold a control character.")
  return at_home(text)


def at_home(text: str) -> str:
  """A path with `~` and `~user` as home folders.

  Raises:
    ResultsError: if there is no such user.
  """
  path = os.path.expanduser(text)
  if path.startswith("~"):
    raise ResultsError(f"{text!r} begins with the home folder of a user who is not known; write ./{text} for a name.")
  return path


def check_inside(path: Path, folder: Path) -> Path:
  """`path`, which lies in `folder`, if no symbolic link on its way leads out of there.

  Raises:
    ResultsError: if one does.
  """
  if not path.resolve().is_relative_to(folder.resolve()):
    raise ResultsError(
      f"{str(path)!r} leads out of {folder} by a symbolic link or by ..; nothing is read or written there."
    )
  return path
