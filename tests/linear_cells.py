"""Cells that are linear in their state, one of each structure of a transition, with random factors from their inputs."""

import jax
import jax.numpy as jnp

import recurrent_lab as rl
from recurrent_lab.transitions import Dense, Diagonal, DiagonalPlusLowRank, Pair, Rotations, Transition

INPUTS, HEADS, KEYS, VALUES = 6, 2, 3, 2


def constant_cell(matrix):
  """S_t = A S_{t-1}, without a `transition`. The params are A."""
  size = matrix.shape[0]
  return rl.Cell(
    init=lambda key, inputs, hidden: jnp.asarray(matrix),
    initial_state=lambda params, batch_shape=(): jnp.zeros((*batch_shape, size), params.dtype),
    step=lambda params, s, x: (s @ params.T, s @ params.T),
  )


def _cell(own_shape, state_of, transition_of, sizes, elementwise=False):
  """A cell whose transition is `transition_of(*affine maps of x)`, and whose output is its flat state."""
  width = sum(sizes)

  def initial_state(params, batch_shape=()):
    return state_of(lambda: jnp.zeros((*batch_shape, *own_shape), params.dtype))

  def transition(params, x):
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes) - 1)]
    return transition_of(*jnp.split(x @ params, ends, axis=-1))

  def step(params, state, x):
    matrix, offset = transition(params, x)
    new = jax.tree.map(jnp.add, matrix.times(state), offset)
    batch = x.shape[:-1]
    return new, jnp.concatenate([leaf.reshape(*batch, -1) for leaf in jax.tree.leaves(new)], axis=-1)

  init = lambda key, i, h, dtype=jnp.float32: jax.random.normal(key, (i, width), dtype) / i**0.5
  return rl.Cell(init, initial_state, step, transition=transition, elementwise=elementwise)


_of_keys = lambda a: a.reshape(*a.shape[:-1], HEADS, KEYS, -1)
_MATRIX = HEADS * KEYS * VALUES
_one = lambda make: make()

#: One cell of each structure. The matrices have heads, and a value axis on which every column has the same Jacobian.
CELLS = {
  "diagonal": _cell((5,), _one, lambda a, b: Transition(Diagonal(jnp.tanh(a)), b), (5, 5), True),
  "broadcast diagonal": _cell(
    (HEADS, KEYS, VALUES),
    _one,
    lambda a, b: Transition(Diagonal(jnp.tanh(_of_keys(a))), _of_keys(b)),
    (HEADS * KEYS, _MATRIX),
    True,
  ),
  "rotations": _cell(
    (4,),
    lambda make: Pair(make(), make()),
    lambda a, b, u, v: Transition(Rotations(0.7 * jnp.tanh(a), 0.7 * jnp.tanh(b)), Pair(u, v)),
    (4, 4, 4, 4),
  ),
  "dense": _cell(
    (HEADS, KEYS, VALUES),
    _one,
    lambda a, b: Transition(Dense(0.5 * a.reshape(*a.shape[:-1], HEADS, KEYS, KEYS)), _of_keys(b)),
    (HEADS * KEYS * KEYS, _MATRIX),
  ),
  "low rank": _cell(
    (HEADS, KEYS, VALUES),
    _one,
    lambda d, u, w, b: Transition(
      DiagonalPlusLowRank(jnp.tanh(_of_keys(d)[..., 0]), 0.5 * _of_keys(u), 0.5 * _of_keys(w)), _of_keys(b)
    ),
    (HEADS * KEYS, HEADS * KEYS, HEADS * KEYS, _MATRIX),
  ),
}


def net(name, key, *, steps=12, dtype=jnp.float32):
  """`(cell, params, xs)` of a structure."""
  k_params, k_xs = jax.random.split(key)
  return (
    CELLS[name],
    CELLS[name].init(k_params, INPUTS, 0, dtype=dtype),
    jax.random.normal(k_xs, (steps, INPUTS), dtype),
  )
