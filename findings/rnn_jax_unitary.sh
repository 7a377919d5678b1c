#!/usr/bin/env bash
# rnn-jax 0.0.2: the recurrent map of UnitaryEvolutionRNNCell is neither unitary nor linear.
#
# A unitary evolution network (Arjovsky et al., 2016) multiplies its state by a product of unitary matrices, so lengths stay and 0
# goes to 0. Seen with rnn-jax 0.0.2: `_hh_layer` maps 0 to a vector that is not 0, and changes lengths, because its reflection is
# 1 - 2 v (v·h) / |v| in place of h - 2 v (v*h) / |v|². Its damped relatives differ from their papers too: with all weights 0, one
# step of CoupledOscillatoryRNNCell subtracts γh + εz whole, without the time step.
# The package declares Python 3.11, but needs 3.12 for a `type` statement, so this runs on Python 3.12 or newer.
set -euo pipefail
for name in "${PYTHON:-}" python3.14 python3.13 python3.12 python3; do
  if [ -n "$name" ] && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then python=$name; break; fi
done
[ -n "${python:-}" ] || { echo "Python 3.12 or newer is required."; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "rnn-jax==0.0.2"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib import metadata

import jax
import jax.numpy as jnp
from rnn_jax.cells import UnitaryEvolutionRNNCell

print("rnn-jax", metadata.version("rnn-jax"))
cell = UnitaryEvolutionRNNCell(1, 4, key=jax.random.key(0))
state = jnp.array([1, 2j, 3, 4], jnp.complex64)
ratio = float(jnp.linalg.norm(cell._hh_layer(state)) / jnp.linalg.norm(state))
at_zero = float(jnp.linalg.norm(cell._hh_layer(0 * state)))
print(f"|W h| / |h| = {ratio:.4f} (1 if unitary), |W 0| = {at_zero:.4f} (0 if linear)")
assert abs(ratio - 1) > 0.05 and at_zero > 0.1, "the behaviour has changed"
print("the map is neither unitary nor linear, as described")
PYTHON
