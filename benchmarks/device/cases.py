"""Cases of the accelerator: rows of the other benchmarks, placed on the device, with the lab on a CPU as the reference."""

from collections.abc import Mapping, Sequence
import os
import shlex
import subprocess
import sys
from typing import NamedTuple

from benchmarks import bptt, limits, products, spectra
from benchmarks.command import Benchmark, Case, parse
from benchmarks.device.found import environment
from benchmarks.timing import BenchmarkError, Contender, Worker

BENCHMARKS: Mapping[str, Benchmark] = {one.BENCHMARK.name: one.BENCHMARK for one in (products, spectra, bptt)}
# The most telling rows come first: what does not fit into the time is left out.
ROWS = (
  "products --norms=spectral --points=512",
  "spectra --cells=rnn --directions=128 --gains=1 --points=8",
  "bptt --cells=lstm --shapes=32x100x64x128",
  "bptt --cells=lstm --shapes=256x200x256x1024",
  "bptt --cells=gru --shapes=32x100x64x128",
  "products --norms=frobenius --points=512",
  "spectra --cells=lstm --directions=128 --gains=1 --points=8",
  "products --norms=spectral --points=1",
  "bptt --cells=gru --shapes=20x35x650x650",
  "bptt --cells=rnn --shapes=128x784x1x128",
)
SMALL_ROWS = (
  "products --norms=spectral --points=2 --hidden=6 --steps=8",
  "spectra --cells=rnn --directions=5 --gains=1 --steps=30 --points=2",
  "bptt --cells=lstm --shapes=3x5x2x4",
)
SWEEP = ("--cells=rnn,lstm,gru,peephole_lstm", "--ws=0.5:3:25", "--hidden_size=64", "--seq_len=100", "--chunk=256")
SMALL_SWEEP = (
  "--cells=rnn,gru",
  "--ws=0.5,1,3",
  "--hidden_size=4",
  "--input_size=2",
  "--seq_len=12",
)

REFERENCE, LOOP = "lab on a CPU", "empty loop"
# Large enough that the time to start a program on the device does not matter: 3 ms on 50 TFLOP/s, 1 ms on 2 TB/s.
SIZES = {limits.PRODUCT: 4096, limits.COPY: 2**28}
SMALL_SIZES = {limits.PRODUCT: 64, limits.COPY: 2**16}
# One dispatch from Python per step would measure Python.
NOT_COMPARED = ("Python loop",)


class Place(NamedTuple):
  """A device that contenders run on.

  Attributes:
    platform: one of `found.PLATFORMS`; on `cpu` everything is small.
    has_torch: whether torch runs on the device.
  """

  platform: str
  has_torch: bool

  @property
  def is_small(self) -> bool:
    """True if this only tries the command on a CPU."""
    return self.platform == "cpu"


def cases(row: str) -> list[Case]:
  """Returns the cases of a row, which is a command without `python -m benchmarks.`."""
  name, *words = shlex.split(row)
  return parse(BENCHMARKS[name], words)[0]


def on_device(contender: Contender, benchmark: str, place: Place) -> Contender:
  """Places a contender on the device. Those of JAX share a process, because only one process at a time can use a TPU."""
  its_own = {**contender.environment, **environment(place.platform)}
  if "torch" in contender.needs:
    device = "cuda" if place.platform == "cuda" else "cpu"
    return contender._replace(arguments={**contender.arguments, "device": device}, environment=its_own)
  if contender.kind == "lab":
    contender = _with_numbers(contender, benchmark)
  return contender._replace(environment=its_own, process="device")


def _with_numbers(contender: Contender, benchmark: str) -> Contender:
  arguments = {"build": contender.build, "arguments": dict(contender.arguments), "benchmark": benchmark}
  return contender._replace(build="benchmarks.device.prepared:make", arguments=arguments)


def machine_limits(place: Place) -> list[Contender]:
  """Returns the limits of the device: a large product, a large copy, and a loop of almost empty steps."""
  sizes = SMALL_SIZES if place.is_small else SIZES
  known = [c._replace(arguments={"size": sizes[c.name]}) for c in limits.CONTENDERS if c.name in sizes]
  loop = Contender(LOOP, "benchmarks.device.prepared:loop", {}, "limit")
  return [on_device(c, "limits", place) for c in (*known, loop)]


def placed(case: Case, benchmark: str, place: Place) -> Case:
  """Returns a case on the device. Its first contender, against which the others are checked, is the lab on a CPU."""
  (lab,) = (c for c in case.contenders if c.kind == "lab")
  cpu = environment("cpu")
  reference = _with_numbers(lab, benchmark)._replace(name=REFERENCE, kind="reference", environment=cpu)
  present = [
    on_device(c, benchmark, place)
    for c in case.contenders
    if c.name not in NOT_COMPARED and ("torch" not in c.needs or place.has_torch)
  ]
  return case._replace(contenders=[reference, *present, *machine_limits(place)])


def describe(platform: str) -> dict[str, str | int]:
  """Returns the kind, platform and number of devices, from a process of their own.

  Raises:
    BenchmarkError: if JAX does not start on the platform.
  """
  worker = Worker(environment(platform))
  try:
    worker.send(load="device", build="benchmarks.device.prepared:device", arguments={})
    return worker.receive(platform)["facts"]
  except BenchmarkError as error:
    reason = str(error).splitlines()[0]
    raise BenchmarkError(
      f"JAX does not start on {platform}, which needs its driver and JAX's plugin. {reason}"
    ) from None
  finally:
    worker.close()


def has_torch(platform: str) -> bool:
  """Returns True if torch runs on the platform: on CUDA if it sees the GPU, on a CPU, and nowhere else."""
  if platform not in ("cuda", "cpu"):
    return False
  asked = "import sys, torch; sys.exit(not torch.cuda.is_available())" if platform == "cuda" else "import torch"
  surroundings = {**os.environ, **environment(platform)}
  return (
    subprocess.run([sys.executable, "-c", asked], env=surroundings, capture_output=True, check=False).returncode == 0
  )


def rows(place: Place) -> Sequence[str]:
  """Returns the rows to measure."""
  return SMALL_ROWS if place.is_small else ROWS
