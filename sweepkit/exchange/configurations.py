"""Configurations: a launch as a file, which `--save_config` writes and `--config` reads.

    experiment = "package.chaos"
    map = ["logistic", "sine"]
    r = "3:4:101"
    seeds = 4

A key is the name of a flag. Its value is the text of the flag, a number, true or false, or a list. Flags on the command line
count more than those of the file. A stored block is a configuration too, namely that of the launch that computed it:
`--config=results/chaos/sine-0123456789abcdef.json`. Its flags come from the stored command. Settings that the command leaves
to their defaults have the values that they had then.
"""

from collections.abc import Mapping, Sequence
import difflib
import json
from pathlib import Path
import re
import shlex
import tomllib
from typing import Any, NamedTuple

from absl import flags

from sweepkit import brought, commands, options
from sweepkit.exchange.texts import flag_text, flags_of
from sweepkit.experiment import Experiment
from sweepkit.options import UsageError
from sweepkit.settings import dimension
from sweepkit.store import blocks, files

# Flags that say which part of a launch is computed here, or that nothing is: they are not part of a configuration.
HERE = ("shard", "summary", "dry_run", "distributed", "coordinator_address", "num_processes", "process_id")
_ABOUT_FILES = ("config", "save_config", "help", "h", "flagfile", "undefok")

# Flags that say where results are computed and stored, but not which.
_PLACES = ("out", "compile_cache", "track", *HERE)

_Flags = dict[str, list[str]]  # name of a flag -> the words that set it


class Saved(NamedTuple):
  """A configuration that is to be written.

  Attributes:
    path: of the file.
    text: its content.
  """

  path: Path
  text: str


def kept_command(experiment: Experiment, parsed: flags.FlagValues) -> str:
  """The launch with every flag that was given, also by a file, and without what belongs to this machine."""
  settings = experiment.measure.settings
  words = []
  for _, flag in _items(parsed):
    if not flag.present or flag.name in (*_PLACES, *_ABOUT_FILES):
      continue
    value = flag.value
    if isinstance(value, list):
      words += [f"--{flag.name}={one}" for one in value]
      continue
    if flag.name in settings and (reference := settings[flag.name].reference):
      value = ",".join(map(reference.shown, str(value).split(",")))
    words.append(f"--{'' if value or not flag.boolean else 'no'}{flag.name}" + ("" if flag.boolean else f"={value}"))
  return commands.python(experiment.module, *words)


def expanded(experiment: Experiment, argv: Sequence[str]) -> list[str]:
  """Returns a command line with the flags of the file of `--config` before its own; the same without that flag.

  Raises:
    UsageError: if the file cannot be read, is of another experiment or sets a flag that is not there.
  """
  given = options.define(experiment)
  try:
    given([experiment.name, *argv], known_only=True)
  except (flags.Error, OSError):
    return list(argv)  # it is refused when all flags are read
  name = given["config"].value
  if name is None:
    return list(argv)
  try:
    path = Path(files.check_path(name))
    found = _of_block(experiment, path) if path.suffix == ".json" else _of_toml(experiment, path)
  except files.ResultsError as error:
    raise UsageError(f"--config: {error}") from None
  if given["zip"].present:
    found.pop("zip", None)  # groups of the command line would join those of the file
  before = [word for words in found.values() for word in words]
  known = set(options.define(brought.completed(experiment, [*before, *argv]))) - {*HERE, *_ABOUT_FILES}
  if unknown := [key for key in found if key not in known]:
    close = difflib.get_close_matches(unknown[0], known, n=1)
    guess = f"did you mean {close[0]!r}?" if close else "--help shows all flags."
    raise UsageError(
      f"--config: {path} sets {unknown[0]!r}, which a configuration of {experiment.name} cannot; {guess}"
    )
  return [*before, *argv]


def _check_same(experiment: Experiment, path: Path, module: str) -> None:
  if module.rpartition(".")[2] != experiment.name:
    raise UsageError(f"--config: {path} is a launch of {module} and not of {experiment.module}.")


def _of_toml(experiment: Experiment, path: Path) -> _Flags:
  """Returns the flags of a file that a person or `text` has written."""
  try:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
  except OSError as error:
    raise UsageError(f"--config: {path} cannot be read ({error.strerror}).") from None
  except ValueError as error:  # not UTF-8, or not TOML
    raise UsageError(f"--config: {path} is not a file of TOML: {str(error).rstrip('.')}.") from None
  _check_same(experiment, path, str(content.pop("experiment", experiment.module)))
  found = {}
  for name, value in content.items():
    every = value if isinstance(value, list) else [value]
    inner = [one for entry in every for one in (entry if name == "zip" and isinstance(entry, list) else [entry])]
    if wrong := [one for one in inner if not isinstance(one, str | int | float)]:
      kind = type(wrong[0]).__name__
      raise UsageError(
        f"--config: {path} sets {name!r} to a {kind}; allowed are a text, a number, true, false or a list of them."
      )
    found[name] = flags_of(experiment, name, value)
  return found


def _of_block(experiment: Experiment, path: Path) -> _Flags:
  """Returns the flags of the launch that computed a block, given the path of its JSON."""
  made = blocks.read_meta(path)["provenance"]
  words = shlex.split(str(made.get("command", "")))
  if words[:2] != ["python", "-m"] or len(words) < 3:
    raise UsageError(f"--config: {path} does not name the command that computed it.")
  _check_same(experiment, path, words[2])
  found = _of_plan(experiment, made.get("planned", {}))
  switches = [name for name, flag in _items(options.define(experiment)) if flag.boolean]
  given: _Flags = {}
  for word in words[3:]:
    name = word.removeprefix("--").partition("=")[0]
    name = name.removeprefix("no") if name.removeprefix("no") in switches else name
    given.setdefault(name, []).append(word)
  return {name: of for name, of in {**found, **given}.items() if name not in _PLACES}


def _of_plan(experiment: Experiment, planned: Mapping[str, Any]) -> _Flags:
  """Returns the flags of every setting, of the seeds and of the precision, from what a block stores of its launch."""
  settings = experiment.measure.settings
  flag_of = {dimension(name, settings): name for name in settings}
  found = {
    flag: [f"--{flag}={','.join(map(str, values))}"]
    for name, values in planned.get("axes", {}).items()
    for flag in [flag_of.get(name, name)]
  }
  if "seeds" in planned:
    found["seeds"] = flags_of(experiment, "seeds", planned.get("chosen_seeds", planned["seeds"]))
    found["x64"] = [f"--x64={planned['x64']}"]
  return found


def _items(values: flags.FlagValues) -> list[tuple[str, flags.Flag]]:
  return [(name, values[name]) for name in values]


def text(experiment: Experiment, parsed: flags.FlagValues) -> str:
  """Returns the configuration of a launch: every flag, whether it was given or has its default."""
  settings = experiment.measure.settings
  lines = [f'experiment = "{experiment.module}"']
  for name, flag in _items(parsed):
    is_default_of_each = name in settings and settings[name].absent and not flag.present
    if flag.value in (None, []) or is_default_of_each or name in (*HERE, *_ABOUT_FILES):
      continue
    # A flag that may be given several times is a list of lists.
    value = [one.split(",") for one in flag.value] if isinstance(flag.value, list) else flag.value
    lines.append(f"{name} = {_value(value)}")
  return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
  """Returns the value of a flag in TOML. Texts that spell a number are written as numbers if that keeps the spelling."""
  if isinstance(value, list):
    return f"[{', '.join(map(_value, value))}]"
  if not isinstance(value, str):
    return str(value).lower() if isinstance(value, bool) else repr(value)
  if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", value) and flag_text(tomllib.loads(f"x = {value}")["x"]) == value:
    return value
  return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # a text of JSON is one of TOML, but for DEL


def to_save(experiment: Experiment, parsed: flags.FlagValues) -> Saved | None:
  """Returns the configuration that `--save_config` asks for; None without that flag.

  Raises:
    UsageError: if the file holds something else already, or its folder is not there.
  """
  if parsed["save_config"].value is None:
    return None
  try:
    saved = Saved(Path(files.check_path(parsed["save_config"].value)), text(experiment, parsed))
    is_there = saved.path.exists() or saved.path.is_symlink()
    if is_there and not (saved.path.is_file() and saved.path.read_bytes() == saved.text.encode()):
      raise UsageError(f"--save_config: {saved.path} is there and holds something else; choose another name.")
  except (files.ResultsError, OSError) as error:
    raise UsageError(f"--save_config: {error}") from None
  if not saved.path.parent.is_dir():
    raise UsageError(f"--save_config: there is no folder {saved.path.parent}.")
  return saved


def save(saved: Saved) -> None:
  """Writes a configuration, whole or not at all.

  Raises:
    ResultsError: if it cannot be written.
  """
  files.write_atomically(saved.path, saved.text.encode())
