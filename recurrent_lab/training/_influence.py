"""The influence of the parameters on the state, carried forward in time: RTRL's own, and the estimates of it.

An influence has a leading axis of slots. With one slot it is P_t. With T slots, slot k-1 holds the part J_t … J_{k+1} I_k of it
that entered at step k, and the sum over slots is P_t. `online.py` gives the equations.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key
import numpy as np

from recurrent_lab._chain import split
from recurrent_lab.cell import Cell, Halves, Params, State
from recurrent_lab.scaled import norm

METHODS = ("rtrl", "snap1", "eprop", "eprop_carry", "uoro")

Carried = Any  # a pytree of arrays with the same shapes at every step


class Here(NamedTuple):
  """A step of the net, and its place in the sequence.

  Attributes:
    slot: the slot of the influence that the step adds to.
    key: the key of the step, or None for a method that is not random.
    state: S_{t-1}, flat.
    x: the input.
  """

  slot: Int[Array, ""]
  key: Key[Array, ""] | None
  state: Float[Array, "n"]
  x: Array


class Influence(NamedTuple):
  """An influence matrix, or an estimate of one, as three functions.

  Attributes:
    start: `(∂S_0/∂θ as a function row -> row ∂S_0/∂θ, key) -> carried`, with what it holds in slot 0.
    advance: `(carried, Here) -> carried`, one step forward.
    read: `(carried, row [n]) -> row P`, a pytree like the params with a leading axis of slots.
  """

  start: Callable[[Callable[[Array], Params], Any], Carried]
  advance: Callable[[Carried, Here], Carried]
  read: Callable[[Carried, Array], Params]


class FlatNet(NamedTuple):
  """A cell with its parameters and a flat state of n entries.

  Attributes:
    cell: the cell.
    params: its parameters θ.
    state: S_0.
    unravel: `flat state [n] -> state`.
    flat: S_0 `[n]`.
  """

  cell: Cell
  params: Params
  state: State
  unravel: Callable[[Array], State]
  flat: Float[Array, "n"]

  def step(self, params: Params, s: Array, x: Array) -> Array:
    """Returns S_t `[n]`."""
    return ravel_pytree(self.cell.step(params, self.unravel(s), x)[0])[0]

  def pull(self, s: Array, x: Array) -> Callable[[Array], tuple[Params, Array]]:
    """Returns the function row -> (row I_t, row J_t)."""
    return jax.vjp(lambda p, s: self.step(p, s, x), self.params, s)[1]


def net_of(cell: Cell, params: Params, state: State) -> FlatNet:
  """Returns the net that starts in this state."""
  flat, unravel = ravel_pytree(state)
  return FlatNet(cell, params, state, unravel, flat)


def influence_of(method: str, net: FlatNet, slots: int) -> Influence:
  """Returns the influence that a method carries."""
  if method == "uoro":
    return _rank_one(net, slots)
  paths: dict[str, Callable[[Array, Array, Array], Array]] = {
    "rtrl": lambda jacobian, s, x: jacobian,
    "snap1": lambda jacobian, s, x: jacobian,
    "eprop": lambda jacobian, s, x: jnp.where(_same_unit(net), jacobian, 0),
    "eprop_carry": lambda jacobian, s, x: _carry(net, s, x),
  }
  return _matrix(net, slots, paths[method], is_masked=method == "snap1")


def _matrix(net: FlatNet, slots: int, path: Callable[[Array, Array, Array], Array], is_masked: bool) -> Influence:
  """Returns the influence P̃_t = M_t ⊙ (path(J_t) P̃_{t-1} + I_t). Carries (P̃ `[slots, n, *p]`, M `[n, *p]` or None)."""
  rows = jnp.eye(net.flat.size, dtype=net.flat.dtype)
  same_unit = _same_unit(net)

  def acts(direct: Array) -> Array:
    """Returns for every entry of the state whether a parameter acts on its unit."""
    return jnp.einsum("ij,j...->i...", same_unit.astype(np.int32), (direct != 0).astype(np.int32)) > 0

  def start(pull: Callable[[Array], Params], key: Any) -> Carried:
    first = jax.vmap(pull)(rows)
    zeros = jax.tree.map(lambda a: jnp.zeros((slots, *a.shape), a.dtype), first)
    return _add(zeros, first, jnp.array(0)), jax.tree.map(acts, first) if is_masked else None

  def advance(carried: Carried, here: Here) -> Carried:
    influence, mask = carried
    direct, jacobian = jax.vmap(net.pull(here.state, here.x))(rows)
    kept = path(jacobian, here.state, here.x)
    influence = jax.tree.map(lambda a: jnp.einsum("ij,kj...->ki...", kept, a), influence)
    influence = _add(influence, direct, here.slot)
    if is_masked:
      mask = jax.tree.map(lambda m, a: m | acts(a), mask, direct)
      influence = jax.tree.map(lambda m, a: jnp.where(m, a, 0), mask, influence)
    return influence, mask

  def read(carried: Carried, row: Array) -> Params:
    return jax.tree.map(lambda a: jnp.einsum("i,ki...->k...", row, a), carried[0])

  return Influence(start, advance, read)


def _add(slotted: Any, new: Any, slot: Array) -> Any:
  """Adds arrays to one slot."""
  return jax.tree.map(lambda all_of, a: all_of.at[slot].add(a), slotted, new)


def _same_unit(net: FlatNet) -> np.ndarray:
  """Returns which pairs of entries of the flat state belong to one unit, `[n, n]`.

  Entries at the same place of arrays of the same shape are one unit, such as h_i and c_i. Layers of a stack share none.
  """
  units: dict[Any, int] = {}

  def number(cell: Cell, state: State, layer: tuple[int, ...]) -> State:
    if cell.chain is not None:
      parts = split(cell.chain, state)
      return [
        number(link.cell, s, (*layer, i)) for i, (link, s) in enumerate(zip(cell.chain.links, parts, strict=True))
      ]
    of = lambda leaf: [units.setdefault((layer, leaf.shape, place), len(units)) for place in range(leaf.size)]
    return [of(leaf) for leaf in jax.tree.leaves(state)]

  unit = np.array(jax.tree.leaves(number(net.cell, net.state, ())))
  return unit[:, None] == unit[None, :]


def _carry(net: FlatNet, s: Array, x: Array) -> Array:
  """Returns ∂pointwise/∂S_{t-1} with the affine half held, `[n, n]`."""
  assert net.cell.halves is not None
  halves: Halves = net.cell.halves
  a = halves.affine(net.params, net.unravel(s), x)
  return jax.jacrev(lambda s: ravel_pytree(halves.pointwise(net.params, net.unravel(s), a)[0])[0])(s)


def _rank_one(net: FlatNet, slots: int) -> Influence:
  """Returns UORO's estimate s uᵀ. Carries (s `[n]`, u `[slots, *p]`)."""
  total = lambda u: jax.tree.map(lambda a: a.sum(0), u)

  def signs(key: Key[Array, ""]) -> Array:
    return jax.random.rademacher(key, net.flat.shape, net.flat.dtype)

  def start(pull: Callable[[Array], Params], key: Any) -> Carried:
    nu = signs(key)
    first = pull(nu)
    zeros = jax.tree.map(lambda a: jnp.zeros((slots, *a.shape), a.dtype), first)
    return _balanced(jnp.zeros_like(nu), zeros, nu, first, jnp.array(0))

  def _balanced(s: Array, u: Any, nu: Array, new: Params, slot: Array) -> Carried:
    old, fresh = _ratio(norm(total(u)), norm(s)), _ratio(norm(new), norm(nu))
    u = _add(
      jax.tree.map(lambda a: a / old.astype(a.dtype), u), jax.tree.map(lambda a: a / fresh.astype(a.dtype), new), slot
    )
    return (old * s + fresh * nu).astype(s.dtype), u

  def advance(carried: Carried, here: Here) -> Carried:
    s, u = carried
    assert here.key is not None
    nu = signs(here.key)
    _, pushed = jax.jvp(lambda at: net.step(net.params, at, here.x), (here.state,), (s,))
    return _balanced(pushed, u, nu, net.pull(here.state, here.x)(nu)[0], here.slot)

  def read(carried: Carried, row: Array) -> Params:
    s, u = carried
    return jax.tree.map(lambda a: (row @ s).astype(a.dtype) * a, u)

  return Influence(start, advance, read)


def _ratio(above: Array, below: Array) -> Array:
  """Returns √(above / below); 1 where one of them is 0, because the product that it balances is then 0."""
  is_both = (above > 0) & (below > 0)
  return jnp.where(is_both, jnp.sqrt(jnp.where(is_both, above, 1) / jnp.where(is_both, below, 1)), 1)
