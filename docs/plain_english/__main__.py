"""The command: all breaches of some files, folders, or of the whole project."""

from collections.abc import Iterator
import os
from pathlib import Path
import sys
from typing import NamedTuple

from .prose import passages
from .rules import MASK, check

ROOT = Path(__file__).parent.parent.parent
# At the top of the project. Folders that start with a dot are not searched either.
NOT_SEARCHED = {"build", "figures", "report", "results"}
NOT_ENGLISH = {"README.zh-CN.md"}


class Breach(NamedTuple):
  """A sentence that breaks a rule."""

  path: Path
  line: int
  rule: str
  sentence: str

  def __str__(self) -> str:
    return f"{self.path}:{self.line}: {self.rule}: {self.sentence}"


def breaches(path: Path) -> Iterator[Breach]:
  """All breaches of a Python or Markdown file, by line."""
  for passage in sorted(passages(path)):
    for rule, sentence in check(passage):
      yield Breach(path, passage.line, rule, sentence.replace(MASK, "…"))


def files(paths: list[Path]) -> list[Path]:
  """The Python and Markdown files among the paths and in the folders among them."""
  found = [path for path in paths if path.is_file()]
  for path in (path for path in paths if path.is_dir()):
    for folder, inner, names in os.walk(path):
      skipped = NOT_SEARCHED if Path(folder) == ROOT else set()
      inner[:] = sorted(n for n in inner if not n.startswith(".") and not n.endswith(".egg-info") and n not in skipped)
      found += [Path(folder, n) for n in sorted(names) if n.endswith((".py", ".md")) and n not in NOT_ENGLISH]
  return found


def main(argv: list[str]) -> int:
  """Prints the breaches; returns the exit code."""
  paths = [Path(argument) for argument in argv] or [ROOT]
  if missing := [str(path) for path in paths if not path.exists()]:
    print(f"{missing[0]} does not exist.", file=sys.stderr)
    return 2
  found = [breach for file in files(paths) for breach in breaches(file)]
  for breach in found:
    print(breach._replace(path=breach.path.relative_to(ROOT)) if breach.path.is_relative_to(ROOT) else breach)
  return 1 if found else 0


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
