"""Times a command on an older commit and on this checkout, in turns.

    python -m benchmarks.against 630df1e -- python -m experiments.recurrent_gain --out={out}

The older commit is checked out in a temporary worktree of git, which is removed afterwards. Both run with this Python and its
packages, each in whole processes from start to end. In the command, `python` is this Python, {out} an empty folder, and {venv}
the folder of the environment. --before is the command on the older commit, if it had another name.

Each commit has a cache folder of its own (XDG_CACHE_HOME), which is empty before the first round. So the first round compiles
everything; it is kept apart as `first_seconds`. The other rounds find what the first one left.

Writes to `<out>/against-<case>.json`, for each commit and round: the seconds, the seconds until the first stored block of points,
the points, and the peak memory of the largest process.
"""

from collections.abc import Mapping, Sequence
import contextlib
import os
from pathlib import Path
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from typing import Any, NamedTuple

from absl import flags

from benchmarks import limits
from benchmarks.command import RESULTS, keep
from benchmarks.timing import ROOT, BenchmarkError, measure, summary
from sweepkit import store, terminal
from sweepkit.store.files import ResultsError, check_path

LOOK = 0.02  # seconds between two looks for the first stored block
KILOBYTE = 1 if platform.system() == "Darwin" else 1024  # the unit of ru_maxrss


class Run(NamedTuple):
  """The time and memory of one run of a command.

  Attributes:
    seconds: from the start of the process to its end.
    first_block_seconds: until a block of points was stored; None if none was.
    points: that were stored.
    peak_megabytes: peak memory of its largest process.
  """

  seconds: float
  first_block_seconds: float | None
  points: int
  peak_megabytes: int


def _blocks(out: Path) -> list[Path]:
  """The blocks that are stored in or below a folder of results."""
  return [path for folder in [out, *out.rglob("*/")] for path in store.block_paths(folder)]


def once(command: Sequence[str], tree: Path, cache: Path) -> Run:
  """Runs a command on a tree, with an empty folder for {out} and a folder for what it caches.

  Raises:
    BenchmarkError: if the command fails; the message ends with what it said last.
  """
  with tempfile.TemporaryDirectory() as folder:
    out = Path(folder) / "out"
    places = {"{out}": str(out), "{venv}": sys.prefix}
    words = [sys.executable if i == 0 and word == "python" else word for i, word in enumerate(command)]
    for name, place in places.items():
      words = [word.replace(name, place) for word in words]
    kept = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    environment = kept | {"PYTHONPATH": str(tree), "XDG_CACHE_HOME": str(cache)}
    with (Path(folder) / "said").open("w+") as said:
      begin, first = time.perf_counter(), None
      process = subprocess.Popen(words, cwd=tree, env=environment, stdout=said, stderr=subprocess.STDOUT)
      while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        if first is None and _blocks(out):
          first = time.perf_counter() - begin
        time.sleep(LOOK)
      seconds = time.perf_counter() - begin
      process.returncode = os.waitstatus_to_exitcode(ended[1])
      if process.returncode:
        said.seek(0)
        raise BenchmarkError(
          f"{shlex.join(command)} ended with code {process.returncode}: {said.read()[-500:].strip()}"
        )
    points = sum(len(store.read_meta(path)["points"]) for path in _blocks(out))
    return Run(seconds, first or (seconds if points else None), points, round(ended[2].ru_maxrss * KILOBYTE / 2**20))


@contextlib.contextmanager
def checkout(commit: str, root: Path = ROOT) -> Any:
  """Checks a commit out in a temporary worktree; yields (its folder, its short name).

  Raises:
    BenchmarkError: if git does not know the commit.
  """
  git = lambda *words: subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
  named = git("rev-parse", "--verify", "--short=7", f"{commit}^{{commit}}")
  if named.returncode:
    raise BenchmarkError(f"{commit!r} is not a commit of this repository.")
  with tempfile.TemporaryDirectory() as folder:
    tree = Path(folder) / "before"
    made = git("worktree", "add", "--detach", str(tree), commit)
    if made.returncode:
      raise BenchmarkError(f"{commit} cannot be checked out: {made.stderr.strip()}")
    try:
      yield tree, named.stdout.strip()
    finally:
      git("worktree", "remove", "--force", str(tree))


def _contender(runs: Sequence[Run], kind: str) -> dict[str, Any]:
  """The result of a commit. Its first run, which compiles everything, is kept apart."""
  first, *others = runs
  facts = {
    "first_seconds": first.seconds,
    "first_block_seconds": [run.first_block_seconds for run in runs],
    "points": first.points,
    "peak_megabytes": [run.peak_megabytes for run in runs],
  }
  return {"kind": kind, **summary([[run.seconds] for run in others]), "facts": facts}


def compare(trees: Mapping[str, tuple[Path, Sequence[str]]], rounds: int) -> dict[str, Any]:
  """Runs (tree, command) of every name in turns, `rounds` times after a first round. Returns the results by name.

  Raises:
    BenchmarkError: if a command fails.
  """
  runs: dict[str, list[Run]] = {name: [] for name in trees}
  with tempfile.TemporaryDirectory() as caches:
    for turn in range(rounds + 1):
      for name, (tree, command) in sorted(trees.items(), reverse=bool(turn % 2)):
        runs[name].append(once(command, tree, Path(caches) / name))
        print(f"round {turn}, {name}: {runs[name][-1].seconds:.1f} s", file=sys.stderr, flush=True)
  return {name: _contender(made, "lab" if name == "now" else "own") for name, made in runs.items()}


def _parse(argv: Sequence[str]) -> tuple[str, list[str], list[str], dict[str, Any]]:
  """Returns (commit, the command before, the command now, flags).

  Raises:
    BenchmarkError, flags.Error: for anything that cannot be run.
  """
  values = flags.FlagValues()
  flags.DEFINE_string("before", None, "The command on the older commit, if it had another name.", flag_values=values)
  flags.DEFINE_string("case", None, "Name of the case; by default the last part of the module.", flag_values=values)
  flags.DEFINE_integer("rounds", 3, "Number of rounds after the first one.", lower_bound=1, flag_values=values)
  flags.DEFINE_string("out", RESULTS, "Folder of the numbers.", flag_values=values)
  flags.DEFINE_bool("help", False, "Print this and exit.", short_name="h", flag_values=values)
  values.set_gnu_getopt(True)
  end = list(argv).index("--") if "--" in argv else len(argv)
  given, now = values(["against", *argv[:end]])[1:], list(argv[end + 1 :])
  if values.help:
    print(f"{__doc__}\n{values.main_module_help()}")
    raise SystemExit(0)
  if len(given) != 1 or not now:
    raise BenchmarkError("it takes one commit and, after --, a command; see --help.")
  before = shlex.split(values.before) if values.before else now
  case = values.case or next((word.rpartition(".")[2] for word in now if "." in word), now[0])
  return given[0], before, now, values.flag_values_dict() | {"case": case}


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command and returns its exit code."""
  argv = sys.argv[1:] if argv is None else argv
  try:
    commit, before, now, given = _parse(argv)
    out = Path(check_path(given["out"]))
    with checkout(commit) as (tree, name):
      contenders = compare({"before": (tree, before), "now": (ROOT, now)}, given["rounds"])
  except (flags.Error, BenchmarkError, ResultsError) as error:
    print(f"against: {error}", file=sys.stderr)
    return 2
  settings = {"case": given["case"], "commit": name, "command": shlex.join(now)}
  settings |= {"before": shlex.join(before)} if before != now else {}
  typed = f"python -m benchmarks.against {name} --case={given['case']} --rounds={given['rounds']}"
  typed += (f" --before={shlex.quote(settings['before'])}" if before != now else "") + f" -- {settings['command']}"
  path = keep(out, "against", given["case"], settings, typed, contenders | measure(limits.CONTENDERS, rounds=5))
  print(path)
  return 0


if __name__ == "__main__":
  sys.exit(main())
