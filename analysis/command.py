"""What all commands of this floor share: where results lie, where to write, and one sentence about what is wrong."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
import sys

from absl import flags

from sweepkit import terminal
from sweepkit.store import ResultsError
from sweepkit.store.files import at_home, check_path


@terminal.command()
def run(
  name: str,
  write: Callable[..., Iterable[Path]],
  argv: Sequence[str] | None,
  out: str,
  holds: str,
  about: str,
  **others: str,
) -> int:
  """Runs a command with its flags, prints every file as soon as it is written, and returns an exit code.

  Args:
    name: of the command, for what is said of errors.
    write: `(results, out, other flags by name) -> files`; raises `ResultsError` for what cannot be used.
    argv: its flags; those of the process by default.
    out: the folder to write to by default.
    holds: what is written there.
    about: what the command does, and how it is called, for --help.
    others: more flags, for texts, and what each is for; None unless given.
  """
  values = flags.FlagValues()
  flags.DEFINE_string("results", "results", "Folder of all results.", flag_values=values)
  flags.DEFINE_string("out", out, f"Folder for {holds}.", flag_values=values)
  for other, purpose in others.items():
    flags.DEFINE_string(other, None, purpose, flag_values=values)
  flags.DEFINE_boolean("help", False, "Print this and exit.", short_name="h", flag_values=values)
  *first, last = (f"--{flag}" for flag in ("results", "out", *others))
  try:
    rest = values([name, *(sys.argv[1:] if argv is None else argv)])[1:]
    if values.help:
      print(f"{about.strip()}\n{values.get_help()}")
      return 0
    if rest:
      raise ResultsError(f"{rest[0]!r} is not a flag; the flags are {', '.join(first)} and {last}.")
    given = {other: text and at_home(text) for other in others for text in [values.flag_values_dict()[other]]}
    for path in write(*(Path(check_path(text)) for text in (values.results, values.out)), **given):
      print(path)
  except flags.Error as error:
    print(f"{name}: {str(error).rstrip(' ?.')}. --help shows all flags.", file=sys.stderr)
    return 2
  except ResultsError as error:
    print(f"{name}: {error}", file=sys.stderr)
    return 2
  return 0
