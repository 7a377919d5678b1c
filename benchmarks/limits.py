"""Limits of the machine: rates of a large product and a large copy, measured in the same rounds as the contenders."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.timing import Contender
from benchmarks.worker import Prepared

PRODUCT, COPY = "large product", "large copy"
CONTENDERS = (
  Contender(PRODUCT, "benchmarks.limits:product", {}, "limit", process="limits"),
  Contender(COPY, "benchmarks.limits:copy", {}, "limit", process="limits"),
)


def product(size: int = 1024) -> Prepared:
  """Multiplies two square matrices in float32."""
  a = jax.random.normal(jax.random.key(0), (size, size))
  multiply = jax.jit(jnp.matmul)
  return Prepared(lambda: multiply(a, a).block_until_ready(), lambda _: {"flops": 2.0 * size**3})


def copy(size: int = 2**25) -> Prepared:
  """Reads and writes an array in place that is larger than the caches, in enough blocks to keep all cores busy."""
  change_sign = jax.jit(jnp.negative, donate_argnums=0)
  held = [jnp.ones((64, size // 64))]

  def run() -> None:
    held[0] = change_sign(held[0]).block_until_ready()

  return Prepared(run, lambda _: {"bytes": 2.0 * held[0].nbytes})


def rate(result: Mapping[str, Any], quantity: str) -> float:
  """`flops` or `bytes` per second of a contender, by its median time."""
  return result["facts"][quantity] / result["median"]
