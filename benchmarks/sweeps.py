"""Times a sweep of 10 000 points, and measures whether its memory grows with the grid.

    python -m benchmarks.sweeps                       10 000 points: 4 cells, 25 gains, 10 biases, 10 seeds; H = 64, T = 100
    python -m benchmarks.sweeps --gains=5 --seeds=2   a smaller grid

Runs `experiments.recurrent_gain` in its own process, as a user does: first with a tenth of the gains, then with all of them.
Writes these facts to `<out>/sweeps-<points>.json` and prints them:

    points_per_second         points / wall time, from the start of the process to its end
    compute_share             share of the wall time in which the devices computed a block
    compile_seconds           cell -> seconds to compile its program
    peak_megabytes            peak memory of the process; `small_peak_megabytes` is that of the smaller grid,
                              and their ratio is close to 1 if the chunk bounds the memory
"""

from collections.abc import Mapping, Sequence
import contextlib
import os
from pathlib import Path
import platform
import subprocess
import sys
import tempfile
import time
from typing import Any

from absl import flags

from benchmarks import limits
from benchmarks.command import RESULTS, command_line, keep
from benchmarks.timing import measure
from sweepkit import store, terminal
from sweepkit.store.files import ResultsError, check_path

ROOT = Path(__file__).parent.parent
SIZE = {"hidden_size": 64, "seq_len": 100}


def _flags(cells: str, gains: int, biases: int, seeds: int) -> list[str]:
  """Flags of a sweep with these numbers of gains, biases and seeds."""
  axis = lambda start, stop, count: f"{start}:{stop}:{count}" if count > 1 else f"{start}"
  sizes = [f"--{name}={size}" for name, size in SIZE.items()]
  return [f"--cells={cells}", f"--ws={axis(0.5, 3, gains)}", f"--bias={axis(0, 1, biases)}", f"--seeds={seeds}", *sizes]


def sweep(
  words: Sequence[str], out: Path | None = None, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
  """Runs one sweep in an empty folder and returns its facts.

  Args:
    words: flags of `experiments.recurrent_gain`.
    out: the empty folder, which is kept; by default one that is removed.
    environment: environment variables of the process, beside those of this one.

  Raises:
    RuntimeError: if the sweep fails.
  """
  with contextlib.nullcontext(out) if out else tempfile.TemporaryDirectory() as folder:
    command = [sys.executable, "-m", "experiments.recurrent_gain", *words, f"--out={folder}"]
    begin = time.perf_counter()
    surroundings = {**os.environ, **(environment or {})}
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=surroundings)
    assert process.stderr is not None
    with process.stderr:
      said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
      raise RuntimeError(f"{' '.join(command)} failed: {said[-2000:]}")
    metas = [store.read_meta(path) for path in store.block_paths(Path(folder) / "recurrent_gain")]
  kilobyte = 1 if platform.system() == "Darwin" else 1024  # the unit of ru_maxrss
  return _facts(metas, wall) | {
    "peak_megabytes": round(usage.ru_maxrss * kilobyte / 2**20),
    "devices": metas[0]["provenance"]["devices"],
    "device": metas[0]["provenance"]["device"],
    "chunk_halvings": max(meta["provenance"]["chunk_halvings"] for meta in metas),
  }


def _facts(metas: Sequence[Mapping[str, Any]], wall: float) -> dict[str, Any]:
  """Facts about points and time, from the stored blocks and the wall time in seconds."""
  points = sum(len(meta["points"]) for meta in metas)
  compiled: dict[str, float] = {}
  for meta in metas:
    cell = meta["points"][0]["cell"]
    compiled[cell] = compiled.get(cell, 0) + meta["provenance"]["compile_seconds"]
  # A program that was compiled while another computed is not part of the time of its block.
  effort = [meta["provenance"] for meta in metas]
  computed = sum(max(0, one["wall_seconds"] - one["compile_seconds"]) for one in effort)
  return {
    "points": points,
    "wall_seconds": round(wall, 2),
    "points_per_second": round(points / wall, 2),
    "compute_share": round(computed / wall, 3),
    "compile_seconds": {cell: round(seconds, 2) for cell, seconds in compiled.items()},
  }


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command and returns its exit code."""
  values = flags.FlagValues()
  flags.DEFINE_string("cells", "rnn,lstm,gru,peephole_lstm", "Cells of the sweep.", flag_values=values)
  for name, count in (("gains", 25), ("biases", 10), ("seeds", 10)):
    flags.DEFINE_integer(name, count, f"Number of {name}.", lower_bound=1, flag_values=values)
  flags.DEFINE_string("out", RESULTS, "Folder of the numbers.", flag_values=values)
  flags.DEFINE_integer(
    "cpu_devices", None, "Cores that compute at once; all by default.", lower_bound=1, flag_values=values
  )
  flags.DEFINE_integer("chunk", 32, "Points per call, at most.", lower_bound=1, flag_values=values)
  argv = sys.argv[1:] if argv is None else argv
  try:
    rest = values(["sweeps", *argv])[1:]
    if rest:
      raise flags.Error(f"{rest[0]!r} is not a flag; flags look like --seeds=2.")
    out = Path(check_path(values.out))
  except (flags.Error, ResultsError) as error:
    print(f"sweeps: {error}", file=sys.stderr)
    return 2
  passed_on = [f"--chunk={values.chunk}"]
  if values.cpu_devices:
    passed_on.append(f"--cpu_devices={values.cpu_devices}")
  run = lambda gains: sweep([*_flags(values.cells, gains, values.biases, values.seeds), *passed_on])
  small, facts = run(max(1, values.gains // 10)), run(values.gains)
  facts |= {"small_points": small["points"], "small_peak_megabytes": small["peak_megabytes"]}
  for name, value in facts.items():
    print(f"{name:22}{value}")
  settings = {"points": facts["points"], **SIZE, "chunk": values.chunk, "devices": facts["devices"]}
  machine = measure(limits.CONTENDERS, rounds=5)
  typed = command_line("sweeps", argv)
  path = keep(out, "sweeps", str(facts["points"]), settings, typed, machine, facts=facts)
  print(path)
  return 0


if __name__ == "__main__":
  sys.exit(main())
