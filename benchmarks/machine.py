"""The machine, versions and commit of a measurement."""

from importlib import metadata
import os
from pathlib import Path
import platform
import re
import subprocess
from typing import Any

PACKAGES = (
  "jax",
  "jaxlib",
  "jax-cuda12-plugin",
  "jax-cuda13-plugin",
  "jax-rocm7-plugin",
  "libtpu",
  "numpy",
  "flax",
  "dm-haiku",
  "equinox",
  "torch",
)
ROOT = Path(__file__).parent.parent


def version(package: str) -> str:
  """Returns the installed version of a package, or "" if it is missing."""
  try:
    return metadata.version(package)
  except metadata.PackageNotFoundError:
    return ""


def processor() -> str:
  """Returns the name of the processor."""
  info = Path("/proc/cpuinfo")
  found = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
  return found[1] if found else platform.processor() or platform.machine()


def commit() -> str:
  """Returns the commit of this checkout, with a + if files differ from it, or "" outside a checkout."""
  git = lambda *words: subprocess.run(
    ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
  ).stdout.strip()
  changed = git("status", "--porcelain", "--untracked-files=no", "--", "recurrent_lab", "benchmarks")
  return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


def describe() -> dict[str, Any]:
  """Returns processor, cores, memory, system, Python, and the versions of the measured packages."""
  gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
  return {
    "processor": processor(),
    "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    "memory_gb": round(gigabytes),
    "system": f"{platform.system()} {platform.machine()}",
    "python": platform.python_version(),
    "versions": {name: number for name in PACKAGES if (number := version(name))},
    "commit": commit(),
  }
