"""The command line that all figures and pages share: its flags, and one sentence for every error."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
import sys

from absl import flags

from sweepkit import terminal
from sweepkit.store import ResultsError
from sweepkit.store.files import at_home, check_path
from sweepkit.store.places import as_flag, why_too_deep


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
  """Runs a command with its flags, prints the name of every file as soon as it is written, and returns an exit code.

  Args:
    name: of the command; errors begin with it.
    write: `(results, out, other flags by name) -> files written`; raises `ResultsError` for results that cannot be used.
    argv: its flags; by default those of the process.
    out: default of the flag --out, the folder to write to.
    holds: what is written there, for --help.
    about: what the command does and how it is called, for --help.
    others: further text flags, each with its help; None unless given.
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
      like = as_flag(rest[0], "results") or f"the flags are {', '.join(first)} and {last}"
      raise ResultsError(f"{rest[0]!r} is not a flag; {like}.")
    if wrong := why_too_deep(Path(check_path(values.results))):
      raise ResultsError(f"--results: {wrong}")
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
