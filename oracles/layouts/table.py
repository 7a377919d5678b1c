"""The lab beside the kept numbers of other libraries, as the second table of `docs/oracles.md`."""

from collections.abc import Iterator
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from oracles.layouts.record import GOLDEN, load
import recurrent_lab as rl
from recurrent_lab.interop import get_layout, import_weights


class Row(NamedTuple):
  """One cell of a library."""

  label: str
  package: str
  version: str
  difference: float  # the largest absolute difference of outputs
  notes: tuple[str, ...]


def cell_of(kind: str, params: Any) -> rl.Cell:
  """Returns the lab's cell that computes what the golden file of a kind has. Elman networks have tanh."""
  cells = get_layout(kind).cells
  if kind == "xlstm.sLSTMLayer":
    return rl.cells.matrices.slstm(heads=params.bias.size // 4 // params.recurrent_kernel.shape[0])
  return rl.get_cell("rnn" if "rnn" in cells else cells[0])


@functools.partial(jax.jit, static_argnums=0)
def _outputs(cell: rl.Cell, params: Any, xs: Any) -> Any:
  return rl.unroll(cell, params, xs)[1]


def rows() -> Iterator[Row]:
  """Yields the rows in the order of the files. Needs float64."""
  for path in sorted(GOLDEN.glob("*.json")):
    golden = load(path)
    params = import_weights(golden["kind"], golden["arrays"], exact=False)
    params = jax.tree.map(lambda array: jnp.asarray(array, jnp.float64), params)
    found = _outputs(cell_of(golden["kind"], params), params, jnp.asarray(golden["xs"], jnp.float64))
    difference = float(np.abs(np.asarray(found) - golden["outputs"]).max())
    yield Row(golden["label"], golden["package"], golden["version"], difference, tuple(golden["notes"]))


def lines() -> list[str]:
  """Returns the lines of the table, and what surprised."""
  found = list(rows())
  return [
    "## Weights of other libraries",
    "",
    "`make oracles-layouts` runs each package in an environment of its own on random weights. The lab reads these weights by",
    "`import_weights` and runs them in float64. The packages compute in float32, so differences below 1e-6 are rounding.",
    "",
    "| cell | package | version | largest difference of outputs |",
    "| --- | --- | --- | --- |",
    *(f"| `{row.label}` | {row.package} | {row.version} | {row.difference:.1e} |" for row in found),
    "",
    *(f"- **{row.label}**, {row.package} {row.version}: {note}" for row in found for note in row.notes),
  ]
