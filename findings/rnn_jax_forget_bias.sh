#!/usr/bin/env bash
# rnn-jax 0.0.2: LongShortTermMemory writes the 1 of the forget bias into the bias of the candidate.
#
# A forget bias of 1 lets a new LSTM remember longer (Jozefowicz et al., 2015). Seen with rnn-jax 0.0.2 on Equinox 0.13: the class
# sets the entries [2H:3H] of the bias of `equinox.nn.LSTMCell` to 1 and calls them the forget gate, but Equinox's order is i, f, g, o, so
# these are the candidate's. Without input, the first state then is not 0: every unit starts at σ(0) tanh(σ(0) tanh 1) = 0.18, and the
# forget gate keeps its random bias.
set -euo pipefail
for name in "${PYTHON:-}" python3.14 python3.13 python3.12 python3; do
  if [ -n "$name" ] && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then python=$name; break; fi
done
[ -n "${python:-}" ] || { echo "Python 3.12 or newer is required."; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "jax==0.10.2" "equinox==0.13.8" "optax" "einops" "tqdm"
"$folder/venv/bin/python" -m pip install --quiet --no-deps "rnn-jax==0.0.2"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib import metadata, util
import sys
from types import ModuleType

import equinox as eqx
import jax
import jax.numpy as jnp

# The package's own __init__ imports torch, which no cell needs.
folders = list(util.find_spec("rnn_jax").submodule_search_locations)
sys.modules["rnn_jax"] = ModuleType("rnn_jax")
sys.modules["rnn_jax"].__path__ = folders
from rnn_jax.cells import LongShortTermMemory

print("rnn-jax", metadata.version("rnn-jax"), "equinox", metadata.version("equinox"))
lstm = LongShortTermMemory(3, 5, key=jax.random.key(0)).lstm
parts = dict(zip("ifgo", jnp.split(lstm.bias, 4)))
print({gate: [round(float(b), 2) for b in part] for gate, part in parts.items()})

# Which gate is which is seen from the outputs: only the candidate moves c if all kernels are 0.
alone = lambda gate: jnp.concatenate([jnp.full(5, 1.0 if name == gate else 0.0) for name in "ifgo"])
still = eqx.tree_at(lambda c: (c.weight_ih, c.weight_hh), lstm, (0 * lstm.weight_ih, 0 * lstm.weight_hh))
for gate in "ifgo":
  cell = eqx.tree_at(lambda c: c.bias, still, alone(gate))
  h, c = cell(jnp.zeros(3), (jnp.zeros(5), jnp.zeros(5)))
  print(f"1 in the block {gate} alone: c after one step {float(c[0]):.3f}")
  assert (abs(float(c[0])) > 0.1) == (gate == "g"), "the order of Equinox has changed"
assert bool(jnp.all(parts["g"] == 1)) and not bool(jnp.any(parts["f"] == 1)), "the behaviour has changed"
print("the candidate has the bias 1 and the forget gate has not, as described")
PYTHON
