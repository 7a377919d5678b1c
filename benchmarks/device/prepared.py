"""Contenders of the accelerator's worker: any other contender with its single numbers, the device, and an almost empty loop."""

from collections.abc import Callable, Mapping
import importlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.worker import Prepared

# The part of a contender's result that is compared number by number, by benchmark.
PARTS: Mapping[str, Callable[[Any], Any]] = {
  "products": lambda log_norms: log_norms,
  "spectra": lambda spectrum: spectrum[0],
  "bptt": lambda loss_and_gradient: loss_and_gradient[1],
}
SAMPLE = 4096


def sample(tree: Any) -> list[float]:
  """Returns the entries of all leaves, or `SAMPLE` of them that are evenly spaced."""
  entries = np.concatenate([np.ravel(np.asarray(leaf, np.float64)) for leaf in jax.tree.leaves(tree)])
  if entries.size > SAMPLE:
    entries = entries[np.linspace(0, entries.size - 1, SAMPLE).astype(int)]
  return entries.tolist()


def make(build: str, arguments: Mapping[str, Any], benchmark: str) -> Prepared:
  """Prepares a contender whose facts also hold `numbers`, a sample of its result."""
  module, function = build.split(":")
  one = getattr(importlib.import_module(module), function)(**arguments)
  return one._replace(facts=lambda result: {**one.facts(result), "numbers": sample(PARTS[benchmark](result))})


def device() -> Prepared:
  """Prepares nothing but facts: the kind, platform and number of devices."""
  devices = jax.local_devices()
  facts = {"kind": devices[0].device_kind, "platform": devices[0].platform, "devices": len(devices)}
  return Prepared(lambda: jax.block_until_ready(jnp.zeros(())), lambda _: facts)


def loop(steps: int = 1000, size: int = 128) -> Prepared:
  """Prepares a scan whose step is one small addition: the time of a step that no program of a recurrent net can avoid."""
  start = jnp.zeros(size)
  run = jax.jit(lambda start: jax.lax.scan(lambda x, _: (0.5 * x + 1, None), start, length=steps)[0])
  return Prepared(lambda: run(start).block_until_ready(), lambda _: {"steps": steps})
