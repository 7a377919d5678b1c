"""Nonlinearities with parameters, against their formulas in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab import parametric
from recurrent_lab.cell import Made, made_by

FORMULAS = {
  "hard sigmoid, slope 1/6": (parametric.hard_sigmoid(1 / 6, 0.5), lambda a: np.clip(a / 6 + 0.5, 0, 1)),
  "hard sigmoid, slope 0.2": (parametric.hard_sigmoid(0.2, 0.5), lambda a: np.clip(0.2 * a + 0.5, 0, 1)),
  "falling hard sigmoid": (parametric.hard_sigmoid(-0.7, 0.1), lambda a: np.clip(-0.7 * a + 0.1, 0, 1)),
  "leaky relu": (parametric.leaky_relu(-0.3), lambda a: np.where(a >= 0, a, -0.3 * a)),
  "thresholded relu": (parametric.thresholded_relu(0.8), lambda a: np.where(a > 0.8, a, 0)),
  "elu": (parametric.elu(1.7), lambda a: np.where(a >= 0, a, 1.7 * (np.exp(np.minimum(a, 0)) - 1))),
  "scaled tanh": (parametric.scaled_tanh(1.7, -0.6), lambda a: 1.7 * np.tanh(-0.6 * a)),
  "softplus": (parametric.softplus(), lambda a: np.log1p(np.exp(a))),
  "affine": (parametric.affine(-2.5, 0.3), lambda a: -2.5 * a + 0.3),
  "clipped tanh": (parametric.clipped("tanh", 1.1), lambda a: np.tanh(np.clip(a, -1.1, 1.1))),
  "clipped hard sigmoid": (
    parametric.clipped(parametric.hard_sigmoid(0.2, 0.5), 2.0),
    lambda a: np.clip(0.2 * np.clip(a, -2, 2) + 0.5, 0, 1),
  ),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.usefixtures("x64")
def test_value_and_log_slope_are_those_of_the_formula(name, rng):
  activation, formula = FORMULAS[name]
  a = rng.normal(0, 3, 400)
  a = a[
    np.all(np.abs(a[:, None] - np.array([-3, 3, -2.5, 2.5, -1.1, 1.1, 0, 0.8, -2, 2, 1 / 7, -9 / 7])) > 1e-4, axis=1)
  ]
  seen = activation.activity(jnp.asarray(a))
  np.testing.assert_allclose(seen.value, formula(a), rtol=1e-12, atol=1e-14)
  measured = (formula(a + 1e-6) - formula(a - 1e-6)) / 2e-6
  np.testing.assert_allclose(jnp.exp(seen.log_slope), np.abs(measured), rtol=1e-6, atol=1e-8)
  np.testing.assert_allclose(jax.vmap(jax.grad(activation.function))(jnp.asarray(a)), measured, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", FORMULAS)
def test_the_dtype_stays(name):
  for dtype in (jnp.float32, jnp.bfloat16):
    seen = FORMULAS[name][0].activity(jnp.linspace(-3, 3, 5, dtype=dtype))
    assert seen.value.dtype == seen.log_slope.dtype == dtype


def test_equal_parameters_are_one_object():
  assert parametric.hard_sigmoid(0.2, 0.5) is parametric.hard_sigmoid(beta=0.5, alpha=0.2)
  assert parametric.clipped("tanh", 3) is parametric.clipped("tanh", 3.0)
  assert parametric.elu(1) is not parametric.elu(2)


def test_what_was_made_is_known_by_its_factory_and_arguments():
  made = made_by(parametric.clipped(limit=3, activation="tanh"))
  assert made == Made(parametric.clipped, {"activation": "tanh", "limit": 3})
  assert made_by(rl.lstm("relu")) == Made(
    rl.lstm, {"input_node": "relu", "forget": "gate", "activation": "tanh", "gate": "sigmoid"}
  )
  assert made_by(rl.lstm()._replace(gated=False)) is None


def test_parameters_that_are_no_numbers_are_refused():
  for refused, sentence in (
    (lambda: parametric.hard_sigmoid(np.nan, 0.5), "alpha is nan; an activation needs a finite number"),
    (lambda: parametric.scaled_tanh(1, np.inf), "beta is inf"),
    (lambda: parametric.clipped("tanh", 0), "limit is 0; a clip needs a finite number above 0"),
    (lambda: parametric.clipped("tanh", np.nan), "limit is nan"),
    (lambda: parametric.clipped("tan", 1), "Activation 'tan' is unknown"),
  ):
    with pytest.raises(ValueError, match=sentence):
      refused()
