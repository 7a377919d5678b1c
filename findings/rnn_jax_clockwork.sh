#!/usr/bin/env bash
# rnn-jax 0.0.2: ClockWorkRNNCell squashes the units of idle groups at every step, so that they forget.
#
# In a clockwork RNN (Koutník et al., 2014, section 3), units whose period does not divide the time keep their values, which is how
# slow groups remember. Seen with rnn-jax 0.0.2: the state of an idle group is h ← tanh(h), since its mask acts before the
# nonlinearity. A value of 0.9 in a group of period 64 falls to 0.19 within 63 steps without input.
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
from rnn_jax.cells import ClockWorkRNNCell

print("rnn-jax", metadata.version("rnn-jax"))
cell = ClockWorkRNNCell(1, [1, 1], [1, 64], jnp.tanh, key=jax.random.key(0))
state = (jnp.zeros(1), jnp.array([0.9]), jnp.ones(1))  # at time 1, when the second group is idle until time 64
for _ in range(63):
  state, _ = cell(jnp.zeros(1), state)
kept = float(state[1][0])
expected = 0.9
for _ in range(63):
  expected = float(jnp.tanh(expected))
print(f"a value of 0.9 in an idle group: {kept:.4f} after 63 steps (0.9 if it is kept, {expected:.4f} if squashed at every step)")
assert abs(kept - expected) < 1e-5 and kept < 0.5, "the behaviour has changed"
print("idle groups are squashed, as described")
PYTHON
