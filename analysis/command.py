"""The command line that all figures and pages share: its flags, its page of help, and one sentence for every error.

A page of help imports neither Matplotlib nor xarray, because both take longer than reading it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
import contextlib
from pathlib import Path
import shutil
import sys
import textwrap
from types import MappingProxyType
from typing import Any, NamedTuple

from absl import flags

from sweepkit import terminal
from sweepkit.store import ResultsError
from sweepkit.store.files import at_home, check_path
from sweepkit.store.places import as_flag, why_too_deep


class Flag(NamedTuple):
  """A text flag of a command.

  Attributes:
    help: its purpose, in a sentence.
    default: its value if it is not given.
    is_list: whether it may be given several times; its value is then the list of all values.
  """

  help: str
  default: str | None = None
  is_list: bool = False


RESULTS = Flag("Folder of all results.", "results")
NO_OTHERS: Mapping[str, str | Flag] = MappingProxyType({})
STYLE = Flag("A Matplotlib style file, or the name of a style that Matplotlib has, for the look of the figures.")


def _define(known: Mapping[str, Flag]) -> flags.FlagValues:
  values = flags.FlagValues()
  for name, flag in known.items():
    if flag.is_list:
      flags.DEFINE_multi_string(name, None, flag.help, flag_values=values)
    else:
      flags.DEFINE_string(name, flag.default, flag.help, flag_values=values)
  flags.DEFINE_boolean("help", False, "Print this and exit.", short_name="h", flag_values=values)
  return values


def page(about: str, known: Mapping[str, Flag]) -> str:
  """Returns the page of --help: what the command does, its flags with their defaults, and the rest of its description."""
  width = min(shutil.get_terminal_size((120, 24)).columns, 120)
  summary, _, rest = about.strip().partition("\n\n")
  return "\n".join([summary, "", "Flags:", *_entries(known, width), *["", rest.strip("\n")] * bool(rest)])


def _entries(known: Mapping[str, Flag], width: int) -> Iterator[str]:
  """The lines about the flags: each with its default, and its purpose below it."""
  rest = {"help": Flag("Print this and exit."), "flagfile": Flag("Flags from a file, one per line.")}
  for name, flag in {**known, **rest}.items():
    value = "" if name == "help" else f"={flag.default or ''}"
    yield f"  --{name}{value}{' (may be repeated)' if flag.is_list else ''}"
    yield from textwrap.wrap(flag.help, width, initial_indent="      ", subsequent_indent="      ")


@contextlib.contextmanager
def _look(file: str | None) -> Iterator[None]:
  """Draws in the user's own style within a `with`, if there is one."""
  if file is None:
    yield
    return
  from analysis import style  # it imports Matplotlib, which a page of help does without

  with style.own(file):
    yield


def _value(given: Any) -> Any:
  return at_home(given) if isinstance(given, str) and given else given


@terminal.command()
def run(
  name: str,
  write: Callable[..., Iterable[Path]],
  argv: Sequence[str] | None,
  out: str,
  holds: str,
  about: str,
  others: Mapping[str, str | Flag] = NO_OTHERS,
  draws: bool = False,
) -> int:
  """Runs a command with its flags, prints the name of every file as soon as it is written, and returns an exit code.

  Args:
    name: of the command; errors begin with it.
    write: `(results, out, other flags by name) -> files written`; raises `ResultsError` for results that cannot be used.
    argv: its flags; by default those of the process.
    out: default of the flag --out, the folder to write to.
    holds: what is written there, for --help.
    about: what the command does and how it is called, for --help.
    others: further text flags by name, or their help alone. A flag called `results` takes the place of the usual one.
    draws: whether it draws figures, and therefore takes --style.
  """
  own = {flag: text if isinstance(text, Flag) else Flag(text) for flag, text in others.items()}
  known = {"results": RESULTS, "out": Flag(f"Folder for {holds}.", out), **own, **({"style": STYLE} if draws else {})}
  values = _define(known)
  *first, last = (f"--{flag}" for flag in known)
  try:
    rest = values([name, *(sys.argv[1:] if argv is None else argv)])[1:]
    if values.help:
      print(page(about, known))
      return 0
    if rest:
      like = as_flag(rest[0], "results") or f"the flags are {', '.join(first)} and {last}"
      raise ResultsError(f"{rest[0]!r} is not a flag; {like}.")
    if "results" not in own and (wrong := why_too_deep(Path(check_path(values.results)))):
      raise ResultsError(f"--results: {wrong}")
    given = {flag: _value(values[flag].value) for flag in own if flag != "results"}
    folders = [Path(check_path(text)) for text in (values.results, values.out)]
    existing = next(path for path in (folders[1], *folders[1].absolute().parents) if path.exists())
    if not existing.is_dir():
      raise ResultsError(f"--out: {existing} is a file; give the name of a folder.")
    with _look(values.style if draws else None):
      for path in write(*folders, **given):
        print(path)
  except flags.Error as error:
    print(f"{name}: {str(error).rstrip(' ?.')}. --help shows all flags.", file=sys.stderr)
    return 2
  except ResultsError as error:
    print(f"{name}: {error}", file=sys.stderr)
    return 2
  return 0
