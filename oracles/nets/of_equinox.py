"""A net of Equinox: its cells in a list, under a readout, as the arrays of the module by their paths."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from oracles.nets.net import INPUTS, Net, by_jax, redrawn


class Stacked(eqx.Module):
  """Two GRU cells and a linear layer."""

  cells: list[eqx.nn.GRUCell]
  head: eqx.nn.Linear

  def __call__(self, xs: Any) -> Any:
    for cell in self.cells:
      step = lambda state, x, cell=cell: (cell(x, state),) * 2
      xs = jax.lax.scan(step, jnp.zeros(cell.hidden_size), xs)[1]
    return jax.vmap(self.head)(xs)


def net(file: str) -> Net:
  """Draws the module, and says how to save and run it."""
  key, rng = jax.random.key(0), np.random.default_rng(0)
  cells = [eqx.nn.GRUCell(INPUTS, 4, key=key), eqx.nn.GRUCell(4, 3, key=key)]
  module = jax.tree.map(
    lambda leaf: jnp.asarray(redrawn(leaf.shape, rng)) if eqx.is_array(leaf) else leaf,
    Stacked(cells, eqx.nn.Linear(3, 2, key=key)),
  )
  named = {
    jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(array)
    for path, array in jax.tree_util.tree_flatten_with_path(eqx.filter(module, eqx.is_array))[0]
  }
  return Net(file, "equinox", lambda path: np.savez(path, **named), by_jax(module))


NETS = (net("equinox_gru.npz"),)
