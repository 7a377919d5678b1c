#!/usr/bin/env bash
# jaxlib 0.10.1, 0.10.2 and 0.11.0 on an x86 CPU with AVX-512 compile wrong gradients of a gated cell in float64; jaxlib 0.11.2 does
# not, and none does with --xla_cpu_max_isa=AVX2.
#
# A GRU and an LSTM of 5 units run over 7 steps, on inputs with two batch axes, 2 and 4. Their gradient under jax.jit is held to the one
# under jax.disable_jit, relative to its largest entry. Turning off XLA's fusion emitters mends these two scans, and not every program: it
# is not the cure.
#
# Seen on a CPU of Zen 4 (largest relative difference, GRU and LSTM):
#   0.10.1, 0.10.2, default flags      above 0.01, both
#   0.10.2, --xla_cpu_max_isa=AVX2     below 1e-12, both
# Newer releases need Python 3.12. Exits with 2 on a CPU without AVX-512, and with 1 if any of this changes.
set -euo pipefail
PYTHON=${PYTHON:-python3}
grep -q avx512f /proc/cpuinfo || { echo "This CPU has no AVX-512, so the fault cannot be seen."; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat > "$folder/gradients.py" <<'PYTHON_END'
import sys

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np

jax.config.update("jax_enable_x64", True)
UNITS = 5


def gru(params, h, x):
  kernel, recurrent, bias = params
  a, u = jnp.split(x @ kernel + bias, 3, -1), jnp.split(recurrent, 3, -1)
  update, reset = jax.nn.sigmoid(a[0] + h @ u[0]), jax.nn.sigmoid(a[1] + h @ u[1])
  new = (1 - update) * jnp.tanh(a[2] + (reset * h) @ u[2]) + update * h
  return new, new


def lstm(params, state, x):
  kernel, recurrent, bias = params
  h, c = state
  forget, write, show, new = jnp.split(x @ kernel + h @ recurrent + bias, 4, -1)
  c = jax.nn.sigmoid(forget) * c + jax.nn.sigmoid(write) * jnp.tanh(new)
  h = jax.nn.sigmoid(show) * jnp.tanh(c)
  return (h, c), h


found = []
for step, parts in ((gru, 3), (lstm, 4)):
  rng = np.random.default_rng(0)
  width = parts * UNITS
  params = rng.normal(size=(3, width)), 0.5 * rng.normal(size=(UNITS, width)), rng.normal(size=width)
  xs, weights = rng.normal(size=(7, 2, 4, 3)), rng.normal(size=(7, 2, 4, UNITS))
  zeros = jnp.zeros((2, 4, UNITS))
  start = zeros if step is gru else (zeros, zeros)

  def loss(params):
    return (jax.lax.scan(lambda state, x: step(params, state, x), start, xs)[1] * weights).sum()

  with jax.disable_jit():
    true = jax.grad(loss)(params)
  compiled = jax.jit(jax.grad(loss))(params)
  size = max(np.abs(leaf).max() for leaf in true)
  difference = float(max(np.abs(a - b).max() for a, b in zip(compiled, true)) / size)
  print(f"  {jaxlib.__version__}, {step.__name__}: relative difference {difference:.1e}")
  found.append(difference > 0.01 if sys.argv[1] == "wrong" else difference < 1e-12)
sys.exit(0 if all(found) else 1)
PYTHON_END

export JAX_PLATFORMS=cpu
status=0
for release in 0.10.1 0.10.2; do
  "$PYTHON" -m venv "$folder/$release"
  "$folder/$release/bin/python" -m pip install --quiet "jax==$release" "jaxlib==$release" numpy==2.4.6
  echo "jaxlib $release, default flags:"
  XLA_FLAGS='' "$folder/$release/bin/python" "$folder/gradients.py" wrong || status=1
done
echo "jaxlib 0.10.2, --xla_cpu_max_isa=AVX2:"
XLA_FLAGS=--xla_cpu_max_isa=AVX2 "$folder/0.10.2/bin/python" "$folder/gradients.py" right || status=1
exit $status
