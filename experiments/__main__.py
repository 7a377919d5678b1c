"""All experiments, by name.

    python -m experiments --list                              every experiment: default size, time, what it shows
    python -m experiments recurrent_gain --ws=0.5,1           the same as python -m experiments.recurrent_gain --ws=0.5,1
    python -m experiments.recurrent_gain --help               its flags

A trained language model writes with python -m experiments.generate. python -m sweepkit.verify checks stored results,
sweepkit.merge joins them, and sweepkit.slurm computes them on a cluster.
"""

from collections.abc import Sequence
import difflib
import importlib
import shutil
import sys

from absl import flags

from sweepkit import terminal


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Lists the experiments, or runs the one that is named first; returns an exit code."""
  arguments = list(sys.argv[1:] if argv is None else argv)
  if arguments and not arguments[0].startswith("-"):
    return _run(arguments[0], arguments[1:])
  values = flags.FlagValues()
  flags.DEFINE_boolean("list", False, "One line for every experiment.", flag_values=values)
  flags.DEFINE_boolean("help", False, "Print this and exit.", short_name="h", flag_values=values)
  try:
    rest = values(["experiments", *arguments])[1:]
  except flags.Error as error:
    return _refuse(f"{str(error).rstrip(' ?.')}; the flags are --list and --help.")
  if rest:
    return _refuse(f"{rest[0]!r} comes too late; an experiment is named first and its flags follow.")
  if values.list:
    import experiments
    from sweepkit.pages import declared

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print(declared.listed(experiments, width))
  else:
    print(__doc__.strip())
  return 0


def _run(name: str, arguments: Sequence[str]) -> int:
  import experiments
  from sweepkit import listing
  from sweepkit.pages import declared

  names = listing.modules(experiments)
  if name not in names:
    close = difflib.get_close_matches(name, names, n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    return _refuse(f"{name!r} is not an experiment.{guess} --list names all.")
  code = declared.reply("experiments", name, arguments)
  if code is not None:
    return code
  from sweepkit import runner  # it imports JAX, which a page of help does without

  module = importlib.import_module(f"experiments.{name}")
  return runner.main(module.EXPERIMENT, arguments) if hasattr(module, "EXPERIMENT") else module.main(arguments)


def _refuse(reason: str) -> int:
  print(f"experiments: {reason}", file=sys.stderr)
  return 2


if __name__ == "__main__":
  sys.exit(main())
