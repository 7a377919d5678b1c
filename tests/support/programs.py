"""Tests of launches compile the same programs many times, in processes of their own too: each is compiled once."""

from collections.abc import Iterator
import os
from pathlib import Path

import jax
from jax.experimental.compilation_cache import compilation_cache
import pytest

OPTIONS = {
  "JAX_COMPILATION_CACHE_DIR": None,  # a folder of this run of the tests
  "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": 0,
  "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": -1,
}


@pytest.fixture(autouse=True, scope="package")
def programs_are_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
  folder: Path = tmp_path_factory.getbasetemp()
  if "PYTEST_XDIST_WORKER" in os.environ:
    folder = folder.parent  # all workers share it
  options = OPTIONS | {"JAX_COMPILATION_CACHE_DIR": str(folder / "programs")}
  before = {name: jax.config.values[name.lower()] for name in options}
  with pytest.MonkeyPatch.context() as patch:
    for name, value in options.items():
      patch.setenv(name, str(value))
      jax.config.update(name.lower(), value)
    compilation_cache.reset_cache()
    yield
  for name, value in before.items():
    jax.config.update(name.lower(), value)
  compilation_cache.reset_cache()
