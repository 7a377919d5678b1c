#!/usr/bin/env bash
# optax 0.2.8: clipping by norm turns a finite gradient into exact zeros once the sum of its squares overflows.
#
# A float32 gradient (1e20, 1e20) has norm 1.4e20, which float32 holds; its squares, 1e40, are not held. Seen with optax 0.2.8 on
# jax 0.10.2, CPU: clip_by_global_norm(1) returns (0, 0) and not (0.707, 0.707), and adaptive_grad_clip(1) with weights (1, 1)
# returns (0, 0) and not (1, 1). No NaN or infinity shows it: the update is lost without a sign. At 1e10 both
# are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "optax==0.2.8" "jax==0.10.2" "jaxlib==0.10.2" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import jax.numpy as jnp
import numpy as np
import optax

print("optax", optax.__version__)
weights = jnp.ones(2)
for name, clip in (("clip_by_global_norm", optax.clip_by_global_norm(1.0)), ("adaptive_grad_clip", optax.adaptive_grad_clip(1.0))):
  for size in (1e10, 1e20):
    gradient = jnp.full(2, size)
    clipped, _ = clip.update(gradient, clip.init(weights), weights)
    print(f"{name}: {np.asarray(gradient)} -> {np.asarray(clipped)}")
    is_lost = bool(np.all(np.asarray(clipped) == 0))
    assert is_lost == (size == 1e20), "the behaviour has changed"
print("the finite gradient of size 1e20 is clipped to zeros, as described")
PYTHON
