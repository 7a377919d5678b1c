"""Shapes are checked by jaxtyping in every test; random inputs come from a seed that is fixed for each test."""

import os
from pathlib import Path
import signal
import zlib

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # see experiments/__init__.py
# Launches, in other processes too, find the programs that earlier tests and earlier runs of the tests compiled.
os.environ["XDG_CACHE_HOME"] = str(Path(__file__).parents[1] / "build" / "cache")
os.environ.pop("JAX_COMPILATION_CACHE_DIR", None)

from jaxtyping import install_import_hook

with install_import_hook("recurrent_lab", "beartype.beartype"):
  import recurrent_lab  # noqa: F401

from collections.abc import Iterator

import jax
import numpy as np
import pytest


def pytest_configure() -> None:
  """In the background of a script Ctrl-C is ignored, and launches would inherit that; tests send it to them."""
  if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
  """JAX starts as in a notebook, so that no test depends on whether a launch came before it."""
  jax.devices()


@pytest.fixture(autouse=True, scope="module")
def programs_are_forgotten() -> Iterator[None]:
  """Linux allows a process 65 530 maps of memory, every compiled program holds some, and XLA crashes when there are no more."""
  yield
  maps = Path("/proc/self/maps")
  if maps.exists() and maps.read_bytes().count(b"\n") > 10_000:
    jax.clear_caches()


@pytest.fixture(autouse=True)
def single_precision() -> Iterator[None]:
  """A launcher may have left JAX in float64; the next test starts in float32."""
  jax.config.update("jax_enable_x64", False)
  yield
  jax.config.update("jax_enable_x64", False)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
  """A seed fixed by the test's name; LAB_TEST_SEED sets another, and LAB_TEST_SEED=fresh draws one at random."""
  choice = os.environ.get("LAB_TEST_SEED", "")
  if choice == "fresh":
    value = int(np.random.SeedSequence().generate_state(1)[0])
  else:
    value = int(choice) if choice else zlib.crc32(request.node.name.encode())
  print(f"LAB_TEST_SEED={value}")
  return value


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
  return np.random.default_rng(seed)


@pytest.fixture
def key(seed: int) -> jax.Array:
  return jax.random.key(seed)


@pytest.fixture
def x64() -> Iterator[None]:
  """Runs a test in float64."""
  with jax.enable_x64(True):
    yield
