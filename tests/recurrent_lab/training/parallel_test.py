"""Several devices together compute the same gradient as one device."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.training.parallel import data_parallel
from tests.nets import random_net

TWO_DEVICES = """
import jax
jax.config.update("jax_num_cpu_devices", 2)
import jax.numpy as jnp, numpy as np
import recurrent_lab as rl
from recurrent_lab.training.parallel import data_parallel
cell = rl.get_cell("gru")
params = cell.init(jax.random.key(1), 3, 5)
xs = jax.random.normal(jax.random.key(2), (9, 4, 3))
gradient = jax.value_and_grad(lambda p, xs: jnp.mean(rl.reverse_unroll(cell, p, xs)[1] ** 2))
alone, together = jax.jit(gradient)(params, xs), jax.jit(data_parallel(gradient))(params, xs)
jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), alone, together)
assert len(jax.tree.leaves(together)[0].sharding.device_set) == 2
huge = lambda p, xs: 3e38 * jnp.mean(xs)  # two of it have no sum in float32
np.testing.assert_allclose(data_parallel(huge)(params, jnp.ones((1, 4))), 3e38, rtol=1e-6)
try:
  data_parallel(gradient)(params, xs[:, :3])
except ValueError as error:
  assert "A batch of 3 cannot be shared out to 2 devices" in str(error)
else:
  raise SystemExit("an odd batch was taken")
"""


def test_two_devices_find_what_one_finds():
  environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join(sys.path)}
  run = subprocess.run(
    [sys.executable, "-c", TWO_DEVICES], env=environment, capture_output=True, text=True, timeout=240
  )
  assert run.returncode == 0, run.stderr


def test_one_device_is_the_function_itself(key):
  cell, params, _ = random_net("lstm", key)
  xs = jax.random.normal(key, (6, 4, 3))
  gradient = jax.value_and_grad(lambda p, xs: jnp.mean(rl.unroll(cell, p, xs)[1] ** 2))
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7),
    gradient(params, xs),
    data_parallel(gradient, jax.local_devices()[:1])(params, xs),
  )


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
def test_it_lowers_for_accelerators(platform, key):
  cell, params, _ = random_net("rnn", key)
  gradient = jax.grad(lambda p, xs: jnp.mean(rl.reverse_unroll(cell, p, xs)[1] ** 2))
  parallel = jax.jit(data_parallel(gradient, jax.local_devices()[:1]))
  assert parallel.trace(params, jnp.zeros((5, 2, 3))).lower(lowering_platforms=(platform,))
