"""Times a command of this checkout against the same command of an older commit, as whole processes in turns.

    python -m benchmarks.against 630df1e -- python -m experiments.recurrent_gain --hidden_size=64 --seq_len=100
    python -m benchmarks.against 630df1e --before="python -m experiments.verify" -- python -m sweepkit.verify

The commit is checked out in a temporary git worktree, which is removed afterwards. Both commands run with the Python of this
process, in the root of their checkout, each with its own cache folder. `{out}` in a command stands for a new, empty folder; a
command without it gets `--out={out}`. `--before` gives the command of the older commit where its name or flags have changed.

`--cache=cold` empties the cache folders before every run. With `--cache=warm`, a first run of each is not counted. The side that
runs first changes from round to round. Written to `<out>/against-<name>.json`, per side: wall seconds, seconds to the first
stored block, stored points per second, and the peak memory of the process.
"""

from collections.abc import Iterator, Sequence
import contextlib
import os
from pathlib import Path
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, NamedTuple

from absl import flags

from benchmarks import limits
from benchmarks.command import RESULTS, keep
from benchmarks.estimates import Estimate, estimate
from benchmarks.timing import BenchmarkError, measure
from sweepkit import store, terminal
from sweepkit.store.files import ResultsError, check_path

ROOT = Path(__file__).parent.parent
SIDES = ("before", "now")
LOOK = 0.005  # seconds between two looks for the first stored block


class Run(NamedTuple):
  """One run of a command.

  Attributes:
    seconds: wall time of the process.
    first_block: seconds until the first block was stored; `seconds` if none was.
    points: stored points.
    peak_bytes: peak memory of the process, or of the largest that it has waited for.
  """

  seconds: float
  first_block: float
  points: int
  peak_bytes: int


@contextlib.contextmanager
def checkout(commit: str, repository: Path = ROOT) -> Iterator[Path]:
  """Checks a commit out in a temporary worktree.

  Raises:
    BenchmarkError: if there is no such commit.
  """
  git = lambda *words: subprocess.run(
    ["git", "-C", str(repository), *words], capture_output=True, text=True, check=False
  )
  with tempfile.TemporaryDirectory() as folder:
    place = Path(folder) / "checkout"
    added = git("worktree", "add", "--detach", str(place), commit)
    if added.returncode:
      raise BenchmarkError(f"{commit!r} is not a commit of this repository ({added.stderr.strip().splitlines()[-1]}).")
    try:
      subprocess.run([sys.executable, "-m", "compileall", "-q", str(place)], stdout=subprocess.DEVNULL, check=False)
      yield place
    finally:
      git("worktree", "remove", "--force", str(place))


def _words(command: Sequence[str], out: Path) -> list[str]:
  """The words of a command with its folder of results, and this Python in place of `python`."""
  words = [word.replace("{out}", str(out)) for word in command]
  words += [] if any("{out}" in word for word in command) else [f"--out={out}"]
  return [sys.executable if words[0] == "python" else words[0], *words[1:]]


def _first_block(out: Path, found: list[float], is_over: threading.Event) -> None:
  """Notes the time at which the first block is stored."""
  while not found and not is_over.wait(LOOK):
    found += [
      time.perf_counter() for _, _, names in os.walk(out) if any(map(store.blocks.BLOCK_FILE.fullmatch, names))
    ][:1]


def _points(out: Path) -> int:
  """Number of points that are stored below a folder."""
  folders = {path.parent for path in out.rglob("*.json") if store.blocks.BLOCK_FILE.fullmatch(path.name)}
  return sum(len(store.read_meta(path)["points"]) for folder in folders for path in store.block_paths(folder))


def run(command: Sequence[str], root: Path, caches: Path) -> Run:
  """Runs a command in a checkout, with an empty folder of results, and waits for it.

  Args:
    command: its words; see the head of this file.
    root: of the checkout.
    caches: its cache folder.

  Raises:
    BenchmarkError: if it fails.
  """
  with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as said:
    words, out = _words(command, Path(folder)), Path(folder)
    environment = {**os.environ, "PYTHONPATH": str(root), "XDG_CACHE_HOME": str(caches)}
    found: list[float] = []
    is_over = threading.Event()
    begin = time.perf_counter()
    process = subprocess.Popen(words, cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=said)
    watch = threading.Thread(target=_first_block, args=(out, found, is_over))
    watch.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    is_over.set()
    watch.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
      said.seek(0)
      last = (said.read().strip().splitlines() or [""])[-1]
      raise BenchmarkError(f"{shlex.join(command)} ended with exit code {process.returncode}: {last}")
    kilobyte = 1 if platform.system() == "Darwin" else 1024  # the unit of ru_maxrss
    return Run(seconds, (found or [begin + seconds])[0] - begin, _points(out), usage.ru_maxrss * kilobyte)


def compare(
  commands: Sequence[Sequence[str]], roots: Sequence[Path], rounds: int, is_warm: bool
) -> dict[str, list[Run]]:
  """Runs both commands in turns. Returns the runs of each side, one per round."""
  runs: dict[str, list[Run]] = {side: [] for side in SIDES}
  with tempfile.TemporaryDirectory() as folder:
    for i in range(rounds + is_warm):
      for j in (0, 1) if i % 2 == 0 else (1, 0):
        caches = Path(folder) / SIDES[j]
        if not is_warm:
          shutil.rmtree(caches, ignore_errors=True)
        runs[SIDES[j]].append(run(commands[j], roots[j], caches))
  return {side: of_side[is_warm:] for side, of_side in runs.items()}


def facts(runs: dict[str, list[Run]]) -> dict[str, Any]:
  """Estimates of each number of both sides, and of the ratio now / before within a round."""
  numbers = {
    "seconds": lambda run: run.seconds,
    "seconds_to_first_block": lambda run: run.first_block,
    "points_per_second": lambda run: run.points / run.seconds,
    "peak_bytes": lambda run: run.peak_bytes,
  }
  found: dict[str, Any] = {}
  for name, of in numbers.items():
    by_side = {side: [of(run) for run in runs[side]] for side in SIDES}
    found[name] = {side: estimate(values)._asdict() for side, values in by_side.items()}
    if all(by_side["before"]):
      ratios = [now / before for now, before in zip(by_side["now"], by_side["before"], strict=True)]
      found[name]["ratio"] = estimate(ratios)._asdict()
  return found


def _shown(name: str, found: dict[str, Any]) -> str:
  """A line about one number."""
  texts = [
    f"{one}: {estimated.middle:.4g} ({estimated.low:.4g} to {estimated.high:.4g})"
    for one, estimated in ((one, Estimate(**numbers)) for one, numbers in found.items())
  ]
  return f"  {name:24}{'   '.join(texts)}"


def _parse(argv: Sequence[str]) -> tuple[str, list[list[str]], flags.FlagValues]:
  """Returns the commit, the commands of both sides, and the flags."""
  values = flags.FlagValues()
  flags.DEFINE_string("before", None, "The command of the older commit, if its name has changed.", flag_values=values)
  flags.DEFINE_string("name", None, "Name of the result; the module's by default.", flag_values=values)
  flags.DEFINE_enum("cache", "warm", ["warm", "cold"], "Whether caches are filled before the runs.", flag_values=values)
  flags.DEFINE_integer("rounds", 5, "Runs of each command.", lower_bound=1, flag_values=values)
  flags.DEFINE_string("out", RESULTS, "Folder of the numbers.", flag_values=values)
  own, command = (
    (list(argv[: argv.index("--")]), list(argv[argv.index("--") + 1 :])) if "--" in argv else (list(argv), [])
  )
  commits = values(["against", *own])[1:]
  if len(commits) != 1 or not command:
    raise BenchmarkError("a commit and a command are needed, such as 630df1e -- python -m experiments.one_unit.")
  before = shlex.split(values.before) if values.before else command
  return commits[0], [before, command], values


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command and returns its exit code."""
  try:
    commit, commands, values = _parse(sys.argv[1:] if argv is None else argv)
    out = Path(check_path(values.out))
    with checkout(commit) as older:
      runs = compare(commands, (older, ROOT), values.rounds, values.cache == "warm")
  except (flags.Error, BenchmarkError, ResultsError) as error:
    print(f"against: {error}", file=sys.stderr)
    return 2
  found = facts(runs)
  for name, numbers in found.items():
    print(_shown(name, numbers))
  module = next((word for word in commands[1] if "." in word), commands[1][0])
  name = values.name or f"{module.rpartition('.')[2]}-{values.cache}"
  settings = {"command": shlex.join(commands[1]), "commit": commit, "cache": values.cache}
  if values.before:
    settings["before"] = values.before
  typed = f"python -m benchmarks.against {commit} --cache={values.cache} -- {shlex.join(commands[1])}"
  print(keep(out, "against", name, settings, typed, measure(limits.CONTENDERS, rounds=5), facts=found))
  return 0


if __name__ == "__main__":
  sys.exit(main())
