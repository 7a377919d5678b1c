#!/usr/bin/env bash
# dm-haiku 0.0.17: the weights of hk.Linear, and so of hk.LSTM and hk.VanillaRNN, have a smaller standard deviation than documented.
#
# hk.Linear is documented to draw "from truncated normal, with stddev 1 / sqrt(fan_in)". It passes this to a normal distribution
# that is cut at two standard deviations and not corrected for that, so that the weights have 0.8796 / sqrt(fan_in). hk.GRU draws by
# hk.initializers.VarianceScaling, which is corrected. Both are recurrent cores of one library, with other scales by default.
# Seen (standard deviation times sqrt(fan_in), 256 inputs, 256 units, seed 0): hk.LSTM 0.880, hk.VanillaRNN 0.880, hk.GRU 1.000
# Needs Python 3.12 or newer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "dm-haiku==0.0.17" "jax==0.12.0.1"
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PYTHON'
from importlib import metadata

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

print("dm-haiku", metadata.version("dm-haiku"))
SIZE = 256
for kind, expected in (("LSTM", 0.8796), ("VanillaRNN", 0.8796), ("GRU", 1.0)):

  def step(x):
    core = getattr(hk, kind)(SIZE)
    return core(x, core.initial_state(None))

  params = hk.transform(step).init(jax.random.key(0), jnp.zeros(SIZE))
  matrices = [np.asarray(leaf) for leaf in jax.tree.leaves(params) if leaf.ndim == 2]
  scaled = [float(matrix.std() * np.sqrt(matrix.shape[0])) for matrix in matrices]
  print(f"hk.{kind}: standard deviation times sqrt(fan_in) {', '.join(f'{value:.3f}' for value in scaled)}")
  # Five standard errors of a standard deviation of 65 536 numbers are 0.014.
  assert all(abs(value - expected) < 0.015 for value in scaled), "the behaviour has changed"
print("hk.LSTM and hk.VanillaRNN start smaller than documented, and hk.GRU does not, as described")
PYTHON
