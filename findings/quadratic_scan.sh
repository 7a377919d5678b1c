#!/usr/bin/env bash
# jaxlib 0.11.1 on a CPU (Linux, x86-64) takes time quadratic in the length of a scan that returns one number per step, when it
# is differentiated. jaxlib 0.11.2 and 0.12.0.1 take linear time. The numbers are right.
#
# Seen (CPU seconds of one gradient of 5 000 and of 20 000 steps of four units, AMD EPYC):
#   jaxlib 0.11.1     0.13, 1.7
#   jaxlib 0.11.2     0.0005, 0.0015
# Exits with 1 if any of this changes: the longer scan takes 16 times as long where the time is quadratic, and 4 times where it is
# linear; the script accepts 8 to 32, and 0 to 8. Needs Python 3.12 or newer.
set -euo pipefail
PYTHON=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat > "$folder/scan.py" <<'PYTHON_END'
import sys
import time

import jax
from jax import lax
import jax.numpy as jnp


def loss(weight, xs):
  def step(h, x):
    h = jnp.tanh(weight * h + x)
    return h, h[0]

  return jnp.sum(lax.scan(step, jnp.zeros(4), xs)[1] ** 2)


gradient, seconds = jax.jit(jax.grad(loss)), []
for steps in (5_000, 20_000):
  xs, times = jnp.ones((steps, 4)), []
  for _ in range(4):
    started = time.process_time()
    gradient(0.5, xs).block_until_ready()
    times.append(time.process_time() - started)
  seconds.append(min(times[1:]))
ratio = seconds[1] / seconds[0]
print(f"  5 000 steps {seconds[0]:.4f} s, 20 000 steps {seconds[1]:.4f} s, ratio {ratio:.1f}")
least, most = {"quadratic": (8, 32), "linear": (0, 8)}[sys.argv[1]]
sys.exit(0 if least <= ratio <= most else 1)
PYTHON_END

export JAX_PLATFORMS=cpu
status=0
for release in 0.11.1:quadratic 0.11.2:linear; do
  "$PYTHON" -m venv "$folder/${release%:*}"
  "$folder/${release%:*}/bin/python" -m pip install --quiet "jax==${release%:*}" "jaxlib==${release%:*}" numpy==2.4.6
  echo "jaxlib ${release%:*}:"
  XLA_FLAGS= "$folder/${release%:*}/bin/python" "$folder/scan.py" "${release#*:}" || status=1
done
exit $status
