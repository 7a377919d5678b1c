"""A cell says that it is gated if, and only if, its step multiplies by a gate. The step itself tells: its program is searched."""

import jax
from jax.extend import core
import jax.numpy as jnp
import pytest

import recurrent_lab as rl

# What a value is: of the params alone, of the input or the state, or a gate. A gate is a logistic function or an exponential of
# the input or the state, and whatever is made of gates and params alone. The φ of linear attention does not count: it is made
# of another operation, expm1.
FIXED, MOVING, GATE = range(3)
CALLS = {"jit": "jaxpr", "pjit": "jaxpr", "custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr"}


def searched(closed, levels):
  """`(the levels of the outputs, whether a gate multiplies or divides what moves)` of a program."""
  jaxpr, found = closed.jaxpr, False
  known = dict(zip(jaxpr.invars, levels, strict=True))
  level = lambda atom: FIXED if isinstance(atom, core.Literal) else known.get(atom, FIXED)
  for equation in jaxpr.eqns:
    name, inner = equation.primitive.name, [level(atom) for atom in equation.invars]
    if name in CALLS:
      outer, within = searched(equation.params[CALLS[name]], inner)
      known |= zip(equation.outvars, outer, strict=True)
      found |= within
      continue
    highest = MOVING if MOVING in inner else max(inner, default=FIXED)
    if name in ("logistic", "exp") and highest:
      highest = GATE
    elif name in ("mul", "div") and GATE in inner and FIXED not in inner:
      found, highest = True, MOVING
    known |= dict.fromkeys(equation.outvars, highest)
  return [level(atom) for atom in jaxpr.outvars], found


def has_gate(cell):
  """True if the step of a cell multiplies by a gate."""
  params = jax.eval_shape(lambda key: cell.init(key, 3, 8), jax.random.key(0))
  state, x = jax.eval_shape(cell.initial_state, params), jax.ShapeDtypeStruct((3,), jnp.float32)
  program = jax.make_jaxpr(cell.step)(params, state, x)
  moving = [MOVING] * len(jax.tree.leaves((state, x)))
  return searched(program, [FIXED] * len(jax.tree.leaves(params)) + moving)[1]


MADE_UP = {
  "a gate on the state": (lambda p, s, x: jax.nn.sigmoid(x @ p) * s, True),
  "a decay of the input": (lambda p, s, x: s * jnp.exp(-jax.nn.softplus(x @ p)), True),
  "conductances": (lambda p, s, x: s / (1 + jnp.sum(jax.nn.sigmoid(x * p), -1) + jax.nn.sigmoid(s)), True),
  "a logistic candidate": (lambda p, s, x: jax.nn.sigmoid(x @ p + s @ p), False),
  "a learned leak": (lambda p, s, x: jax.nn.sigmoid(p[0]) * s + x @ p, False),
  "a product without a gate": (lambda p, s, x: (x @ p) * s, False),
}


@pytest.mark.parametrize("name", MADE_UP)
def test_the_search_knows_gates(name):
  step, expected = MADE_UP[name]
  arrays = jnp.ones((3, 3)), jnp.ones(3), jnp.ones(3)
  assert searched(jax.make_jaxpr(step)(*arrays), [FIXED, MOVING, MOVING])[1] == expected


def test_every_cell_says_whether_it_has_gates():
  assert {name for name, cell in rl.CELLS.items() if cell.gated} == {
    name for name, cell in rl.CELLS.items() if has_gate(cell)
  }
