#!/usr/bin/env bash
# Flax 0.12.12: nnx.OptimizedLSTMCell does not start as linen.OptimizedLSTMCell, nnx.LSTMCell and linen.LSTMCell do.
#
# All four have the default `recurrent_kernel_init=orthogonal()` and are documented as the same function, the optimised ones as faster.
# Three of them draw an orthogonal matrix for every gate, so that all its singular values are 1. nnx.OptimizedLSTMCell draws one
# (H, 4H) matrix with orthonormal rows, so that a gate gets a quarter of it: a contraction whose squared singular values have mean
# 1/4. nnx.GRUCell does the same with (H, 3H), and linen.GRUCell does not. The gradient of such a net fades faster from the start.
# Seen (smallest and largest singular value and root mean square over the gates, 128 units, seed 0):
#   linen.LSTMCell 1.00 1.00 1.00, linen.OptimizedLSTMCell 1.00 1.00 1.00, nnx.LSTMCell 1.00 1.00 1.00,
#   nnx.OptimizedLSTMCell 0.00 0.85 0.50, linen.GRUCell 1.00 1.00 1.00, nnx.GRUCell 0.00 0.94 0.58
# Needs Python 3.12 or newer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "flax==0.12.12"
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PYTHON'
from importlib import metadata

from flax import linen, nnx
import jax
import jax.numpy as jnp
import numpy as np

print("flax", metadata.version("flax"))
UNITS, INPUTS = 128, 16


def by_linen(kind, gates):
  cell, x = getattr(linen, kind)(UNITS), jnp.zeros((1, INPUTS))
  params = cell.init(jax.random.key(0), cell.initialize_carry(jax.random.key(0), x.shape), x)["params"]
  return [params[f"h{gate}"]["kernel"] for gate in gates]


def by_nnx(kind, gates):
  cell = getattr(nnx, kind)(INPUTS, UNITS, rngs=nnx.Rngs(0))
  if kind == "LSTMCell":
    return [getattr(cell, f"h{gate}").kernel[...] for gate in gates]
  return np.split(np.asarray(cell.dense_h.kernel[...]), len(gates), axis=1)


for room, kernels in (("linen", by_linen), ("nnx", by_nnx)):
  for kind, gates in (("LSTMCell", "ifgo"), ("OptimizedLSTMCell", "ifgo"), ("GRUCell", "rzn")):
    values = np.concatenate([np.linalg.svd(kernel, compute_uv=False) for kernel in kernels(kind, gates)])
    size = np.sqrt(np.mean(values**2))
    print(f"{room}.{kind}: singular values by gate {values.min():.2f} to {values.max():.2f}, root mean square {size:.2f}")
    whole = room == "nnx" and kind != "LSTMCell"
    expected = len(gates) ** -0.5 if whole else 1
    assert abs(size - expected) < 1e-3 and (values.min() < 0.1) == whole, "the behaviour has changed"
print("one matrix for all gates is orthogonal as a whole and contracts in every gate, as described")
PYTHON
