"""mamba2-jax: the state space duality of Mamba-2 in JAX, without the block around it."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from oracles.oracle import Oracle, by_jax

PACKAGE = "mamba2-jax"


def mamba2(chunk_size: int) -> Any:
  """Returns the run in chunks of that many steps."""
  from mamba2_jax.modeling import ssd_forward

  def outputs(params: Mapping[str, Any], xs: Any) -> Any:
    size = (params["bias"].shape[0] - 1) // 3
    edges = [size, 2 * size, 3 * size]
    v, b, c, delta = jnp.split(xs @ params["input_kernel"] + params["bias"], edges, axis=-1)
    of_head = lambda a: a[None, :, None, :]
    rate, zeros = -jnp.exp(params["log_decay"]), jnp.zeros(1)
    sequences = (of_head(v), delta[None], rate, of_head(b), of_head(c))
    return ssd_forward(*sequences, chunk_size, zeros, zeros, 0.0, jnp.inf)[0][0, :, 0]

  return by_jax(outputs)


ORACLES = (
  Oracle(
    "mamba2",
    PACKAGE,
    "ssd_forward",
    mamba2(4),
    ("It runs in chunks of 4 of the 6 steps. Its skip connection D v is set to 0, for the lab has none.",),
  ),
)
