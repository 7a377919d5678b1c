"""The verses of two Bibles, which serve as texts and as translations of each other."""

import ast
import functools
from pathlib import Path
import re

from experiments.training.data import package_file

VERSES_FILE = "html_bible.py"  # within the package of a Bible
BIBLES = ("kjv", "bbe")  # the King James Version (1611), the Bible in Basic English (1949)


def verses(bible: str) -> dict[int, str]:
  """The verses of a Bible by their King James number, 1000000 book + 1000 chapter + verse, in increasing order.

  Without verse numbers, brackets of added words and line breaks; apostrophes are straight.

  Raises:
    ValueError: for another name than those of `BIBLES`.
    ImportError: without its package.
  """
  if bible not in BIBLES:
    raise ValueError(f"The Bible {bible!r} is not known; it must be one of {', '.join(BIBLES)}.")
  return dict(_verses(bible, package_file(f"pythonbible_{bible}", VERSES_FILE)))


@functools.cache
def _verses(bible: str, path: Path) -> dict[int, str]:
  def tidy(verse: str) -> str:
    verse = re.sub(r"</?p>|\*\*\*", " ", verse)  # paragraphs, words that are lost
    return " ".join(re.sub(r"[\[\]]", "", verse).replace("’", "'").split()).replace("( ", "(")

  plain = {number: tidy(verse) for number, verse in _numbered_verses(path).items()}
  # A verse of dots or a plus sign is one that this text leaves out.
  written = {number: verse for number, verse in plain.items() if any(map(str.isalpha, verse))}
  return dict(sorted((_in_king_james_numbers(written) if bible == "bbe" else written).items()))


def _numbered_verses(path: Path) -> dict[int, str]:
  """Reads the package's module as text: a call with a string, `<sup>verse</sup>` before every verse, and a dict of all numbers.

  The dict also has the offset of every verse, but those of the Basic English text are wrong from Genesis 43 on.
  """
  call = next(node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))
  text, offsets = (ast.literal_eval(argument) for argument in call.args[1:3])
  _, *parts = re.split(r"<sup>(\d+)</sup>", text)
  if [number % 1000 for number in offsets] != list(map(int, parts[::2])):
    raise ImportError(f"{path} has other verses than it says; install the package again.")
  return dict(zip(offsets, parts[1::2], strict=True))


def _in_king_james_numbers(numbered: dict[int, str]) -> dict[int, str]:
  r"""A verse that King James numbers otherwise begins with that number, \43:1\, but for two stretches that the package shifts."""
  pieces: dict[int, list[str]] = {}
  for number, verse in numbered.items():
    if 43_001_040 <= number <= 43_001_052:  # an empty verse was counted
      number -= 1
    elif 23_066_000 <= number < 23_068_000:  # chapter 64 was split in two
      number -= 1000
    marker = re.match(r"\\(\d+):(\d+)\\", verse)
    if marker:
      number = number // 1_000_000 * 1_000_000 + 1000 * int(marker[1]) + int(marker[2])
      verse = verse[marker.end() :]
    pieces.setdefault(number, []).append(verse.strip(" \\"))
  # Several with one number are its parts, but in the psalms the last is the verse, after titles that King James does not count.
  return {n: verse[-1] if n // 1_000_000 == 19 else " ".join(verse) for n, verse in pieces.items()}
