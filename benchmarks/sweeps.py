"""How fast a sweep of 10 000 points is, where its time goes, and that its memory does not grow with the grid.

    python -m benchmarks.sweeps                       10 000 points: 4 cells, 25 gains, 10 biases, 10 seeds; H = 64, T = 100
    python -m benchmarks.sweeps --gains=5 --seeds=2   a smaller grid

Runs `experiments.recurrent_gain` in a process of its own, as a user does: first with a tenth of the gains, then with all of
them. Writes `<out>/sweeps-<points>.json` with these facts, and prints them:

    points_per_second         points over wall time, from the start of the process to its end
    compute_share             time in which the devices had a block to compute, over wall time
    compile_seconds           cell -> its compilation, of one program each
    peak_megabytes            the largest memory of the process, and `small_peak_megabytes` on the smaller grid;
                              their ratio is near 1 where memory is bounded by the chunk
"""

from collections.abc import Sequence
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


def sweep(cells: str, gains: int, biases: int, seeds: int, rest: Sequence[str]) -> dict[str, Any]:
  """Runs one sweep in a fresh folder and says what it took.

  Raises:
    RuntimeError: if the sweep fails.
  """
  axis = lambda start, stop, count: f"{start}:{stop}:{count}" if count > 1 else f"{start}"
  with tempfile.TemporaryDirectory() as folder:
    command = [
      sys.executable,
      "-m",
      "experiments.recurrent_gain",
      f"--cells={cells}",
      f"--seeds={seeds}",
      f"--out={folder}",
    ]
    command += [
      f"--ws={axis(0.5, 3, gains)}",
      f"--bias={axis(0, 1, biases)}",
      *(f"--{name}={size}" for name, size in SIZE.items()),
      *rest,
    ]
    begin = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
      raise RuntimeError(f"{' '.join(command)} failed: {said[-2000:]}")
    metas = [store.read_meta(path) for path in store.block_paths(Path(folder) / "recurrent_gain")]
  points = sum(len(meta["points"]) for meta in metas)
  compiled: dict[str, float] = {}
  for meta in metas:
    cell = meta["points"][0]["cell"]
    compiled[cell] = compiled.get(cell, 0) + meta["provenance"]["compile_seconds"]
  computed = sum(meta["provenance"]["wall_seconds"] for meta in metas) - sum(compiled.values())
  kilobyte = 1 if platform.system() == "Darwin" else 1024  # what ru_maxrss counts in
  return {
    "points": points,
    "wall_seconds": round(wall, 2),
    "points_per_second": round(points / wall, 2),
    "compute_share": round(computed / wall, 3),
    "compile_seconds": {cell: round(seconds, 2) for cell, seconds in compiled.items()},
    "peak_megabytes": round(usage.ru_maxrss * kilobyte / 2**20),
    "devices": metas[0]["provenance"]["devices"],
    "device": metas[0]["provenance"]["device"],
    "chunk_halvings": max(meta["provenance"]["chunk_halvings"] for meta in metas),
  }


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Runs the benchmark from the command line and returns its exit code."""
  values = flags.FlagValues()
  flags.DEFINE_string("cells", "rnn,lstm,gru,peephole_lstm", "Cells of the sweep.", flag_values=values)
  for name, count in (("gains", 25), ("biases", 10), ("seeds", 10)):
    flags.DEFINE_integer(name, count, f"Number of {name}.", lower_bound=1, flag_values=values)
  flags.DEFINE_string("out", RESULTS, "Folder for the numbers.", flag_values=values)
  flags.DEFINE_integer("cpu_devices", None, "Cores that serve as devices.", lower_bound=1, flag_values=values)
  flags.DEFINE_integer("chunk", 32, "Points in one call at the most.", lower_bound=1, flag_values=values)
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
  small = sweep(values.cells, max(1, values.gains // 10), values.biases, values.seeds, passed_on)
  facts = sweep(values.cells, values.gains, values.biases, values.seeds, passed_on)
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
