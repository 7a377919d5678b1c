"""Finds the accelerator of this machine and what pip must install for it, before anything is installed.

    python -m benchmarks.device.found        prints a requirement such as jax[cuda13]
    python -m benchmarks.device.found cpu    prints jax

It needs Python alone, and exits with 2 and one sentence where there is no accelerator.
"""

from collections.abc import Mapping, Sequence
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

PLATFORMS = ("cuda", "rocm", "tpu", "cpu")
CUDA_13_DRIVER = 580  # the first release of NVIDIA's driver that runs programs of CUDA 13
GOOGLE = "0x1ae0"  # PCI vendor
TPU_CHIPS = {"0x0027", "0x0056", "0x005e", "0x0062", "0x0063", "0x006f", "0x0076"}  # PCI devices: v2 and v3 to v7x
NOTHING = (
  "No accelerator was found: no NVIDIA GPU (/dev/nvidia0), no AMD GPU (/dev/kfd) and no TPU. "
  "PLATFORM=cpu tries the command with small sizes on CPU devices."
)


class Found(NamedTuple):
  """A platform of JAX and the requirement that pip installs for it."""

  platform: str
  requirement: str


class NoAcceleratorError(ValueError):
  """There is no accelerator, or the platform has another name."""


def _said_by_nvidia_smi() -> str:
  """Returns the driver versions that `nvidia-smi` prints, or "" without it. Under WSL there is no other sign of a GPU."""
  command = shutil.which("nvidia-smi")
  if not command:
    return ""
  query = [command, "--query-gpu=driver_version", "--format=csv,noheader"]
  try:
    done = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
  except (OSError, subprocess.TimeoutExpired):
    return ""
  return done.stdout if done.returncode == 0 else ""


def _nvidia_driver(root: Path) -> int | None:
  """Returns the first number of the driver's version, 0 if it is unknown, or None without a GPU."""
  version = root / "proc/driver/nvidia/version"
  said = _said_by_nvidia_smi() if root == Path("/") else ""
  if not said and not list(root.glob("dev/nvidia[0-9]*")):
    return None
  found = re.search(r"\b(\d{3,})\.\d+", said or (version.read_text() if version.exists() else ""))
  return int(found[1]) if found else 0


def _has_tpu(root: Path) -> bool:
  """Returns True if a chip of a TPU is on the PCI bus, or a device file of its driver is there."""
  read = lambda path: path.read_text().strip() if path.exists() else ""
  buses = (folder for folder in root.glob("sys/bus/pci/devices/*") if read(folder / "vendor") == GOOGLE)
  return any(read(folder / "device") in TPU_CHIPS for folder in buses) or bool(list(root.glob("dev/accel[0-9]*")))


def find(wanted: str = "", root: Path = Path("/")) -> Found:
  """Returns the platform to measure on.

  Args:
    wanted: one of `PLATFORMS`, which is then believed; "" searches for an accelerator.
    root: the root of the file system.

  Raises:
    NoAcceleratorError: if there is none, or `wanted` is not a platform.
  """
  if wanted and wanted not in PLATFORMS:
    raise NoAcceleratorError(f"{wanted!r} is not a platform; the platforms are {', '.join(PLATFORMS)}.")
  driver = _nvidia_driver(root) if wanted in ("", "cuda") else None
  if wanted == "cuda" or driver is not None:
    return Found("cuda", "jax[cuda13]" if (driver or 0) >= CUDA_13_DRIVER else "jax[cuda12]")
  if wanted == "rocm" or (not wanted and (root / "dev/kfd").exists()):
    return Found("rocm", "jax[rocm7-local]")
  if wanted == "tpu" or (not wanted and _has_tpu(root)):
    return Found("tpu", "jax[tpu]")
  if wanted == "cpu":
    return Found("cpu", "jax")
  raise NoAcceleratorError(NOTHING)


def environment(platform: str, given: Mapping[str, str] = os.environ) -> dict[str, str]:
  """Returns the environment of a process that runs on one device of a platform.

  Everything is in float32, the only precision of all platforms. Products are in full float32, since the default of GPU and TPU
  rounds their factors to 11 or 8 bits. A device that the user chose (`CUDA_VISIBLE_DEVICES=3`) is kept. Memory is taken when it
  is needed, because torch uses the same device.
  """
  one = {
    "cuda": {"CUDA_VISIBLE_DEVICES": "0"},
    "rocm": {"HIP_VISIBLE_DEVICES": "0"},
    "tpu": {"TPU_VISIBLE_CHIPS": "0", "TPU_PROCESS_BOUNDS": "1,1,1", "TPU_CHIPS_PER_PROCESS_BOUNDS": "1,1,1"},
    "cpu": {},
  }[platform]
  first = {name: given.get(name) or value for name, value in one.items()}
  first |= {name: first[name].split(",")[0] for name in first if name.endswith("VISIBLE_DEVICES")}
  always = {"JAX_ENABLE_X64": "0", "JAX_DEFAULT_MATMUL_PRECISION": "highest", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
  return {"JAX_PLATFORMS": platform, **first, **always}


def main(argv: Sequence[str]) -> int:
  """Prints the requirement, or why there is none. Returns an exit code."""
  try:
    print(find("".join(argv[:1])).requirement)
  except NoAcceleratorError as error:
    print(f"accelerator: {error}", file=sys.stderr)
    return 2
  return 0


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
