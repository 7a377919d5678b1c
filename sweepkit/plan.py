"""Plans: absl flags are turned into a plan before anything is computed or written."""

from collections.abc import Mapping, Sequence
import os
from pathlib import Path
import re
from types import MappingProxyType
from typing import Any, NamedTuple

from sweepkit import brought, combinations, commands, options, points, store
from sweepkit.exchange import configurations
from sweepkit.execution import tracking
from sweepkit.experiment import Experiment, default
from sweepkit.grids import Grid, checks
from sweepkit.options import UsageError
from sweepkit.settings import Settings, Value, dimension, parse_axis
from sweepkit.store import files, places


class Hosts(NamedTuple):
  """Addresses by which the processes of a `--distributed` run find each other. The cluster provides those that are None."""

  coordinator_address: str | None
  num_processes: int | None
  process_id: int | None


class Plan(NamedTuple):
  """A launch, as the flags ask for it."""

  experiment: Experiment  # with the settings that the values of its flags bring
  points: Grid
  axes: Mapping[str, tuple[Value, ...]]  # by dimension
  out: Path
  inventory: store.Inventory  # `out`, which is read as late as possible
  chunk: int
  shard: tuple[int, int]
  max_failures: int
  dry_run: bool
  summary: bool
  checkpoint_seconds: float
  cpu_devices: int | None
  compile_cache: bool
  hosts: Hosts | None
  command: str  # does the rest of it when it is pasted
  kept_command: str  # the same for the results to keep: without folders of this machine
  keeps_other_code: bool = False
  brought: points.Brought = MappingProxyType({})  # the settings beside `axes` that only points with some value have
  zipped: Sequence[Sequence[str]] = ()  # groups of dimensions whose values go together
  seeds: int | Sequence[int] = 0  # the seeds, or their number
  saved: configurations.Saved | None = None  # the configuration to write
  track: str | None = None  # the tracker that gets the rows of runs
  is_checked: bool = True  # False if a dry run has checked only some combinations of the settings


MOST_CHECKED = 40  # combinations of settings that a dry run asks about: of training runs about a second


def _shard(text: str | None, environment: Mapping[str, str]) -> tuple[int, int]:
  """(i, n) of --shard=i/n or, without that flag, of a Slurm array, whose n tasks are numbered MIN, MIN + STEP, …"""
  if text is not None:
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not int(match[1]) < int(match[2]):
      raise UsageError(f"--shard: {text!r} is not allowed; it must be i/n with 0 ≤ i < n, such as 0/4.")
    return int(match[1]), int(match[2])
  prefix = "SLURM_ARRAY_TASK_"
  array = {name.removeprefix(prefix): value for name, value in environment.items() if name.startswith(prefix)}
  if "ID" not in array:
    return 0, 1
  try:
    task, first, step, count = (
      int(array.get(k, d)) for k, d in (("ID", ""), ("MIN", "0"), ("STEP", "1"), ("COUNT", ""))
    )
    last = int(array.get("MAX", first + step * (count - 1)))
    i, rest = divmod(task - first, step)
    is_regular = rest == 0 and 0 <= i < count == (last - first) // step + 1
  except (ValueError, ZeroDivisionError):
    is_regular = False
  if not is_regular:
    found = ", ".join(f"{prefix}{name}={value}" for name, value in sorted(array.items()))
    raise UsageError(f"--shard: the Slurm array ({found}) is not a range of equal steps; give --shard=i/n.")
  return i, count


def _hosts(values: Mapping[str, Any]) -> Hosts | None:
  hosts = Hosts(*(values[name] for name in Hosts._fields))
  given = [f"--{name}" for name, value in zip(Hosts._fields, hosts, strict=True) if value is not None]
  if not values["distributed"]:
    if given:
      raise UsageError(f"{given[0]}: it has a meaning with --distributed only.")
    return None
  if given and len(given) < len(Hosts._fields):
    missing = [f"--{name}" for name in Hosts._fields if f"--{name}" not in given]
    raise UsageError(f"{given[0]}: it goes together with {' and '.join(missing)}; give all three or none.")
  if hosts.coordinator_address is not None and not re.fullmatch(r".+:\d+", hosts.coordinator_address):
    raise UsageError(
      f"--coordinator_address: {hosts.coordinator_address!r} is not allowed; it must be host:port, such as node1:1234."
    )
  if hosts.process_id is not None and hosts.num_processes is not None and hosts.process_id >= hosts.num_processes:
    raise UsageError(
      f"--process_id: {hosts.process_id} is not allowed; it must be below --num_processes={hosts.num_processes}."
    )
  return hosts


def _parse_axes(
  settings: Settings, texts: Mapping[str, Any], results: Path, zipped: Sequence[str]
) -> dict[str, tuple[Value, ...]]:
  """The values of all settings that every point has, by dimension."""
  axes = {}
  for name, setting in settings.items():
    if setting.absent:
      continue
    if setting.reference:
      setting.reference.find(texts[name], results)
    try:
      axes[dimension(name, settings)] = parse_axis(name, texts[name], settings, name in zipped)
    except ValueError as error:
      raise UsageError(f"--{name}: {str(error).rstrip('.')}.") from None
  return axes


def _as_stored(
  axes: dict[str, tuple[Value, ...]], settings: Settings, inventory: store.Inventory
) -> dict[str, tuple[Value, ...]]:
  """Spells references as the stored points of a folder do, where both refer to the same thing."""
  references = {dimension(name, settings): s.reference for name, s in settings.items() if s.reference}
  if not references:
    return axes
  inventory.look()
  for name, reference in references.items():
    stored = dict.fromkeys(str(point[name]) for point in inventory.points() if name in point)
    axes[name] = tuple(
      next((old for old in stored if reference.is_same(old, str(value))), value) for value in axes[name]
    )
  return axes


def _folder(experiment: Experiment, text: str, is_read_only: bool) -> Path:
  """The folder of the experiment's results."""
  try:
    results = Path(files.check_path(text))
    if wrong := places.why_too_deep(results):
      raise UsageError(f"--out: {wrong}")
    out = files.check_inside(results / files.check_name(experiment.name), results)
  except files.ResultsError as error:
    raise UsageError(f"--out: {error}") from None
  existing = next(path for path in (out, *out.parents) if path.exists())
  if not existing.is_dir() or not (is_read_only or os.access(existing, os.W_OK)):
    raise UsageError(f"--out: {existing} is not a folder that can be written.")
  return out


def _of_array(shard: tuple[int, int], given: str | None) -> list[str]:
  """The share of a task of an array, which learns it from Slurm. Slurm is absent where the command is pasted."""
  return [f"--shard={shard[0]}/{shard[1]}"] if shard != (0, 1) and given is None else []


def _check_points(experiment: Experiment, asked: Grid, values: Mapping[str, Any]) -> bool:
  """Asks the measure whether the settings go together. Returns False if a dry run has too many combinations to ask for all."""
  if values["summary"]:  # results can be shown without the files that they were made from
    return True
  most = MOST_CHECKED if values["dry_run"] else None
  try:
    return checks.check(experiment.measure.check, asked, most) is not None
  except ValueError as error:
    raise UsageError(str(error)) from None


def _no_flag(experiment: Experiment, word: str) -> str:
  """A sentence on a word that is not a flag."""
  first = next(iter(experiment.measure.settings))
  like = f"flags look like --{first}={default(experiment, first)}, with commas between values"
  return f"{word!r} is not a flag; {places.as_flag(word, 'out') or like}."


def parse(experiment: Experiment, argv: Sequence[str]) -> Plan:
  """Turns a command line into a plan.

  Raises:
    UsageError: for any flag that cannot be used, saying which value is wrong and what is allowed.
    SystemExit: after printing the page of help, where --help is among the flags.
  """
  whole = configurations.expanded(experiment, argv)
  experiment = brought.completed(experiment, whole)
  parsed, rest = options.read(experiment, whole)
  values: dict[str, Any] = parsed.flag_values_dict()
  settings = experiment.measure.settings
  if values["help"]:
    print(options.page(experiment, parsed))
    raise SystemExit(0)
  if rest:
    raise UsageError(_no_flag(experiment, rest[0]))
  groups = combinations.parse_zip(values["zip"], settings)
  together = [name for group in groups for name in group]
  axes = _parse_axes(settings, values, Path(os.path.expanduser(values["out"])), together)
  for name, allowed in experiment.allowed.items():
    if wrong := [value for value in axes[dimension(name, settings)] if value not in allowed]:
      raise UsageError(f"--{name}: {wrong[0]!r} is not allowed here; it must be one of {', '.join(allowed)}.")
  shard, hosts = _shard(values["shard"], os.environ), _hosts(values)
  out = _folder(experiment, values["out"], values["summary"])
  inventory = store.Inventory(out, kept=("status", *experiment.measure.headline))
  axes = _as_stored(axes, settings, inventory)
  own = brought.brought_axes(parsed, settings, axes, together)
  zipped = combinations.zipped_dimensions(groups, settings, axes, own)
  seeds = combinations.parse_seeds(values["seeds"])
  asked = Grid(axes, seeds, values["x64"], zipped, own)
  return Plan(
    experiment=experiment,
    points=asked,
    axes=axes,
    out=out,
    inventory=inventory,
    chunk=values["chunk"],
    shard=shard,
    max_failures=values["max_failures"],
    dry_run=values["dry_run"],
    summary=values["summary"],
    checkpoint_seconds=values["checkpoint_seconds"],
    cpu_devices=values["cpu_devices"],
    compile_cache=values["compile_cache"],
    hosts=hosts,
    keeps_other_code=values["changed_code"] == "keep",
    command=commands.python(experiment.module, *argv, *_of_array(shard, values["shard"])),
    kept_command=configurations.kept_command(experiment, parsed),
    brought=own,
    zipped=zipped,
    seeds=seeds,
    saved=configurations.to_save(experiment, parsed),
    track=tracking.checked(experiment, values["track"]),
    is_checked=_check_points(experiment, asked, values),
  )
