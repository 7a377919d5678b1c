#!/usr/bin/env bash
# jaxlib 0.10.2 on a CPU (Linux, x86-64) compiles wrong numbers with its default flags; jaxlib 0.10.1 and 0.11.0 do not.
#
# A matrix-vector product per row, squared and summed over the entries, is a fusion for YNNPACK. From 16 385 rows in float64 and
# 32 769 in float32, the last row is wrong. With --xla_cpu_experimental_ynn_fusion_type= (no fusions) or =LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT (products
# alone) all rows are right; --xla_cpu_use_fusion_emitters=false does not help.
#
# Seen (rows that differ from NumPy, in float64 and in float32):
#   default flags    1, 1
#   products alone   0, 0
# Known upstream as jax-ml/jax#39103. Exits with 1 if any of this changes.
set -euo pipefail
PYTHON=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$PYTHON" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6

cat > "$folder/rows.py" <<'PYTHON_END'
import sys

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
kernel = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.25], [0.5, 0.0, 1.0]])  # entries and sums are exact in both precisions
found = []
for dtype, rows in ((np.float64, 16_385), (np.float32, 32_769)):
  states = (np.arange(3 * rows).reshape(rows, 3) % 64).astype(dtype)
  weight = jnp.asarray(kernel, dtype)
  compiled = jax.jit(jax.vmap(lambda h: jnp.sum((weight @ h) ** 2)))(states)
  wrong = int(np.sum(np.asarray(compiled) != np.sum((states @ kernel.T) ** 2, axis=1)))
  print(f"  {np.dtype(dtype).name}, {rows} rows: {wrong} differ from NumPy")
  found.append(wrong > 0)
sys.exit(0 if found == [sys.argv[1] == "wrong"] * 2 else 1)
PYTHON_END

export JAX_PLATFORMS=cpu
status=0
echo "jaxlib 0.10.2, default flags:"
XLA_FLAGS= "$folder/venv/bin/python" "$folder/rows.py" wrong || status=1
echo "jaxlib 0.10.2, products alone:"
XLA_FLAGS=--xla_cpu_experimental_ynn_fusion_type=LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT "$folder/venv/bin/python" "$folder/rows.py" right || status=1
exit $status
