"""The flags of an experiment: its settings, those that every launch has, and the page about them that --help prints."""

from collections.abc import Iterable, Iterator
import shutil
import textwrap

from absl import flags

from sweepkit.experiment import MACHINE, Experiment, default, default_size, expected_time, first_line


class UsageError(ValueError):
  """A flag that cannot be used, with the value and what is allowed in one sentence."""


def define(experiment: Experiment) -> flags.FlagValues:
  """Defines all flags of an experiment."""
  values = flags.FlagValues()
  for name, setting in experiment.measure.settings.items():
    flags.DEFINE_string(name, default(experiment, name), f"{setting.help}; {setting.allowed}.", flag_values=values)
  _define_combinations(values, experiment)
  flags.DEFINE_string("out", "results", "Folder of all results.", flag_values=values)
  flags.DEFINE_boolean("dry_run", False, "Print the grid, its size and shapes, and run nothing.", flag_values=values)
  flags.DEFINE_boolean(
    "summary", False, "Print a table of the results that are in --out, and run nothing.", flag_values=values
  )
  flags.DEFINE_string(
    "shard",
    None,
    "i/n: compute every n-th block, from the i-th (0 … n-1). The default is the task of a Slurm array, or else 0/1.",
    flag_values=values,
  )
  flags.DEFINE_integer(
    "chunk",
    32,
    "Most points in one call; it bounds memory. From 8 on it is rounded down to a multiple of 8.",
    lower_bound=1,
    flag_values=values,
  )
  flags.DEFINE_integer(
    "cpu_devices",
    None,
    "CPU cores that compute at once; all that the process may use by default.",
    lower_bound=1,
    flag_values=values,
  )
  flags.DEFINE_boolean(
    "compile_cache",
    True,
    "Keep compiled programs for later launches, in the user's cache folder or in JAX_COMPILATION_CACHE_DIR.",
    flag_values=values,
  )
  _define_processes(values)
  _define_files(values)
  flags.DEFINE_integer(
    "max_failures", 0, "Blocks that may raise an error before the sweep stops.", lower_bound=0, flag_values=values
  )
  flags.DEFINE_enum(
    "changed_code",
    "recompute",
    ["recompute", "keep"],
    "Recompute stored points that other code computed, or keep them.",
    flag_values=values,
  )
  flags.DEFINE_float(
    "checkpoint_seconds",
    30,
    "Seconds between checkpoints, for runs that write them.",
    lower_bound=0,
    flag_values=values,
  )
  flags.DEFINE_boolean("x64", experiment.x64, "Compute in float64.", flag_values=values)
  flags.DEFINE_boolean("help", False, "Print this and exit.", short_name="h", flag_values=values)
  return values


def _define_combinations(values: flags.FlagValues, experiment: Experiment) -> None:
  """Defines the flags that say how the values of the settings are combined."""
  flags.DEFINE_string(
    "seeds",
    str(experiment.seeds),
    "Random nets per combination, or chosen seeds in brackets, such as [3,7].",
    flag_values=values,
  )
  flags.DEFINE_multi_string(
    "zip",
    [],
    "Settings whose values go together, the first with the first and so on: ws,forget_bias.",
    flag_values=values,
  )


def _define_processes(values: flags.FlagValues) -> None:
  """Defines the flags of several processes that share a sweep."""
  flags.DEFINE_boolean(
    "distributed",
    False,
    "Run as one of several processes that share the sweep. Slurm, Open MPI and TPU pods number the processes.",
    flag_values=values,
  )
  flags.DEFINE_string(
    "coordinator_address",
    None,
    "host:port of process 0. Needed with --distributed unless the cluster provides it.",
    flag_values=values,
  )
  flags.DEFINE_integer(
    "num_processes",
    None,
    "Number of processes. Needed with --distributed unless the cluster provides it.",
    lower_bound=1,
    flag_values=values,
  )
  flags.DEFINE_integer(
    "process_id",
    None,
    "Number of this process, from 0. Needed with --distributed unless the cluster provides it.",
    lower_bound=0,
    flag_values=values,
  )


def _define_files(values: flags.FlagValues) -> None:
  """Defines the flags that exchange a launch with files and with other programs."""
  flags.DEFINE_string(
    "config",
    None,
    "Flags from a file of --save_config, or from the JSON of a stored block. Flags given beside it count more.",
    flag_values=values,
  )
  flags.DEFINE_string(
    "save_config", None, "Write all flags of this launch to a new file (TOML), for --config.", flag_values=values
  )
  flags.DEFINE_enum(
    "track",
    None,
    ["trackio", "wandb", "tensorboard"],
    "Send the rows of training runs to this tracker as they are logged.",
    flag_values=values,
  )


def read(experiment: Experiment, argv: Iterable[str]) -> tuple[flags.FlagValues, list[str]]:
  """Parses a command line; returns its flags and the other words.

  Raises:
    UsageError: for a flag that does not exist, with the one it may be a typo of, or whose value has the wrong type.
  """
  values = define(experiment)
  try:
    rest = values([experiment.name, *argv])[1:]
  except flags.UnrecognizedFlagError as error:
    raise UsageError(f"{str(error).rstrip(' ?.')}. {_brought(experiment)}--help shows all flags.") from None
  except (flags.Error, OSError) as error:
    raise UsageError(str(error)) from None
  return values, rest


def _brought(experiment: Experiment) -> str:
  """Says which settings come with values of other settings, where some setting can bring any."""
  settings = experiment.measure.settings
  bringing = [f"--{name}" for name, setting in settings.items() if setting.brings is not None]
  own = [name for name, setting in settings.items() if setting.absent]
  return (
    f"The values of {' and '.join(bringing)} bring {', '.join(own) or 'no setting of their own'}. " if bringing else ""
  )


def page(experiment: Experiment, values: flags.FlagValues) -> str:
  """Returns the page of --help: the question, all flags in groups, and the full description."""
  width = min(shutil.get_terminal_size((120, 24)).columns, 120)
  settings = experiment.measure.settings
  own = [*(name for name, one in settings.items() if name in experiment.defaults or one.absent), "seeds"]
  groups = {
    "Flags of this experiment": own,
    "Other settings, fixed by default": [name for name in settings if name not in own],
    "Flags of every launch": [name for name in values if name not in (*settings, "seeds", "help", "h")],
  }
  lines = [
    first_line(experiment),
    "",
    f"  python -m {experiment.module} [--flag=value ...]",
    "",
    f"By default {default_size(experiment)}: {expected_time(experiment)} on {MACHINE}.",
    "An axis takes a list (0.5,1) or a range (0.5:6:12, 0.1:10:log:12).",
  ]
  for title, names in groups.items():
    lines += ["", f"{title}:"]
    for name in names:
      lines += _entry(values[name], width)
  lines += ["", "Flags of absl:", "  --flagfile=FILE", "      Flags from a file, one per line."]
  _, _, rest = experiment.doc.strip().partition("\n")
  return "\n".join([*lines, "", rest.strip("\n")])


def _entry(flag: flags.Flag, width: int) -> Iterator[str]:
  """Yields the lines about a flag: its default and its purpose."""
  if flag.boolean:
    yield f"  --{flag.name}{' (on by default)' if flag.default else ''}"
  else:
    yield f"  --{flag.name}={'' if flag.default is None else flag.default}"
  yield from textwrap.wrap(flag.help, width, initial_indent="      ", subsequent_indent="      ")
