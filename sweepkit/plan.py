"""What is asked for: absl flags turned into a plan before anything is computed or written."""

from collections.abc import Mapping, Sequence
import contextlib
import os
from pathlib import Path
import re
from typing import Any, NamedTuple

from absl import flags

from sweepkit import commands, points as grid, options, store
from sweepkit.store import files
from experiments.language import text
from sweepkit.experiment import Experiment
from sweepkit.points import Point
from sweepkit.options import UsageError as UsageError
from sweepkit.words import count


class Hosts(NamedTuple):
  """How the processes of a `--distributed` run find each other; what is None, the cluster tells."""

  coordinator_address: str | None
  num_processes: int | None
  process_id: int | None


class Plan(NamedTuple):
  """What the flags ask for."""

  points: list[Point]
  axes: Mapping[str, tuple[grid.Value, ...]]
  out: Path
  chunk: int
  shard: tuple[int, int]
  max_failures: int
  dry_run: bool
  summary: bool
  checkpoint_seconds: float
  cpu_devices: int | None
  hosts: Hosts | None
  command: str  # that does the rest of it when it is pasted
  kept_command: str  # the same for the results to keep: without folders of this machine
  keeps_other_code: bool = False


# Flags that say where and by whom, and not what, is computed.
_PLACES = ("out", "shard", "summary", "dry_run", "distributed", *Hosts._fields)


def _kept_command(experiment: Experiment, parsed: flags.FlagValues) -> str:
  """The launch with every flag that was given, also by a file of flags; a text goes by its name without its folder."""
  given = [parsed[name] for name in parsed if parsed[name].present and name not in (*_PLACES, "help", "h")]
  words = []
  for flag in given:
    value = ",".join(Path(part).name for part in str(flag.value).split(",")) if flag.name == "corpus" else flag.value
    words.append(f"--{'' if value or not flag.boolean else 'no'}{flag.name}" + ("" if flag.boolean else f"={value}"))
  return commands.python(f"experiments.{experiment.name}", *words)


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


def _as_stored(axes: dict[str, Any], folder: Path) -> None:
  """Names texts as the points of a folder do: older ones spell the path, and it is the checksum that counts."""
  asked = axes.get("corpus", ())
  if not any(text.place(name) for name in asked):
    return
  stored: dict[str, None] = {}
  for path in store.block_paths(folder):
    with contextlib.suppress(files.ResultsError):
      stored |= {point["corpus"]: None for point in store.read_meta(path)["points"] if "corpus" in point}
  axes["corpus"] = tuple(next((old for old in stored if text.is_same(old, name)), name) for name in asked)


def parse(experiment: Experiment, argv: Sequence[str]) -> Plan:
  """Turns flags into a plan; nothing is computed or written.

  Raises:
    UsageError: for any flag that cannot be used.
    SystemExit: after --help.
  """
  parsed, rest = options.read(experiment, argv)
  values: dict[str, Any] = parsed.flag_values_dict()
  if values["help"]:
    print(options.page(experiment, parsed))
    raise SystemExit(0)
  if rest:
    raise UsageError(f"{rest[0]!r} is not a flag; flags look like --ws=0.5,1.")
  axes: dict[str, tuple[grid.Value, ...]] = {}
  if "corpus" in experiment.measure.settings and text.HASHED.search(values["corpus"]):
    for run in Path(os.path.expanduser(values["out"])).glob("*/runs/*"):
      text.noted(run)
  for name in experiment.measure.settings:
    try:
      axes[name] = grid.parse_axis(name, values[name], experiment.measure.settings)
    except ValueError as error:
      raise UsageError(f"--{name}: {str(error).rstrip('.')}.") from None
  for cell in axes["cells"]:
    if experiment.cells and cell not in experiment.cells:
      raise UsageError(f"--cells: {cell!r} is not allowed here; it must be one of {', '.join(experiment.cells)}.")
  shard, hosts = _shard(values["shard"], os.environ), _hosts(values)
  try:
    results = Path(files.check_path(values["out"]))
    out = files.check_inside(results / files.check_name(experiment.name), results)
  except files.ResultsError as error:
    raise UsageError(f"--out: {error}") from None
  existing = next(path for path in (out, *out.parents) if path.exists())
  if not existing.is_dir() or not (values["summary"] or os.access(existing, os.W_OK)):
    raise UsageError(f"--out: {existing} is not a folder that can be written.")
  _as_stored(axes, out)
  points = grid.expand(axes, values["seeds"], values["x64"])
  try:
    # To look at results needs nothing of what they were made from.
    for static in {grid.content_hash(p | {"seed": 0}): p for p in points if not values["summary"]}.values():
      experiment.measure.check(static)
  except ValueError as error:
    raise UsageError(str(error)) from None
  return Plan(
    points=points,
    axes=axes,
    out=out,
    chunk=values["chunk"],
    shard=shard,
    max_failures=values["max_failures"],
    dry_run=values["dry_run"],
    summary=values["summary"],
    checkpoint_seconds=values["checkpoint_seconds"],
    cpu_devices=values["cpu_devices"],
    hosts=hosts,
    keeps_other_code=values["changed_code"] == "keep",
    command=commands.python(
      f"experiments.{experiment.name}",
      *argv,
      # A task of an array learns its share from Slurm, which is not there where the command is pasted.
      *([f"--shard={shard[0]}/{shard[1]}"] if shard != (0, 1) and values["shard"] is None else []),
    ),
    kept_command=_kept_command(experiment, parsed),
  )


def describe(experiment: Experiment, plan: Plan, blocks: Sequence[Sequence[Point]]) -> str:
  """The grid in words: axes, number of points and calls, and the shapes that a point yields."""
  lines = [f"{experiment.name}: {count(len(plan.points), 'point')} in {count(len(blocks), 'call')} -> {plan.out}"]
  seeds = len({point["seed"] for point in plan.points})
  traced = grid.traced_names(experiment.measure.settings)
  for name, values in plan.axes.items():
    lines.append(f"  {grid.dimension(name)} ({len(values)}): {', '.join(map(str, values))}")
  lines.append(f"  seed ({seeds}): 0 … {seeds - 1}")
  firsts = {grid.content_hash(grid.static_part(block[0], traced)): block[0] for block in blocks}
  for point in firsts.values():
    labels = experiment.measure.coords(point)
    shapes = ", ".join(
      f"{name} {[len(labels[axis]) for axis in axes]}" for name, axes in experiment.measure.dims.items()
    )
    sizes = ", ".join(f"{name}={point[name]}" for name in ("hidden_size", "seq_len", "length") if name in point)
    lines.append(f"  a point of {point['cell']} ({sizes}): {shapes}")
  lines = list(dict.fromkeys(lines))  # blocks of the same shapes need saying once
  return "\n".join(lines)
