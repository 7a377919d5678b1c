"""The unit and its derivative at the end of white noise, against a loop over the steps in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.curse_of_memory import PARAMETERS, ends, unit


@pytest.mark.parametrize("cell", PARAMETERS)
@pytest.mark.usefixtures("x64")
def test_the_state_and_its_derivative_are_those_of_a_loop(cell, key):
  size, angle, scales, steps, sequences = 0.9, 0.7, np.array([1.0, 0.3]), 30, 4
  params = jax.vmap(lambda scale: unit(cell, jnp.asarray(size), jnp.asarray(angle), scale))(jnp.asarray(scales))
  found = ends(cell, params, PARAMETERS[cell], key, steps, sequences)
  decay = size if cell == "rnn_linear" else size * np.exp(1j * angle)
  slopes = {"recurrent_kernel": 1.0, "log_decay": decay * np.log(size), "log_angle": 1j * angle * decay}
  h = derivative = np.zeros(sequences, complex)
  for t in range(steps):
    x = np.asarray(jax.random.normal(jax.random.fold_in(key, t), (sequences, 1), np.float64))[:, 0]
    h, derivative = decay * h + x, decay * derivative + h
  for i, scale in enumerate(scales):
    for j, parameter in enumerate(PARAMETERS[cell]):
      w = scale * slopes[parameter] * derivative
      one = jax.tree.map(lambda a, i=i, j=j: np.asarray(a[i, j]), found)
      np.testing.assert_allclose(one.squared_state, np.abs(scale * h) ** 2, rtol=1e-11)
      np.testing.assert_allclose(one.squared_sensitivity, np.abs(w) ** 2, rtol=1e-11)
      np.testing.assert_allclose(one.output, scale * h.real, rtol=1e-11)
      np.testing.assert_allclose(one.output_sensitivity, w.real, rtol=1e-11)
