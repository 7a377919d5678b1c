"""The page `docs/oracles.md`: which package holds which cell, how closely, and where packages differ from their papers.

    python -m oracles.page

writes it from the numbers that the last runs of `oracles` and `oracles.layouts` kept, and the tables of `docs/interop.md` too.
"""

from collections.abc import Mapping, Sequence
import json
from pathlib import Path
from typing import Any

import jax

from oracles.formats import write_formats
from oracles.layouts import table
from oracles.oracle import GOLDEN
import recurrent_lab as rl

# Cells of which no other package on PyPI has an implementation that is right, and what was found instead.
LOOKED_AT: Mapping[str, str] = {
  "cornn_implicit": "torchrecurrent 0.2.5 documents implicit damping and computes the explicit one, to which `cornn` is held;"
  " rnn-jax 0.0.2 leaves the time step out of stiffness and damping.",
  "unitary_rnn": "the map of rnn-jax 0.0.2 is neither unitary nor linear (`findings/rnn_jax_unitary.sh`).",
  "ltc": "ncps 1.0.1 and liquidnet 0.0.5 compute conductances, as `ltc_conductance` does, and liquidnn 1.1.2 a leaky net. The"
  " tests hold the cell to SciPy's solution of its differential equation.",
}
PAGE = Path(__file__).parents[1] / "docs" / "oracles.md"


def write_page(golden: Sequence[Mapping[str, Any]]) -> None:
  """Writes the page, and the facts in it as JSON, from the golden numbers of all oracles."""
  PAGE.write_text("\n".join(lines(golden)) + "\n")
  facts = ("cell", "package", "version", "implementation", "difference", "tolerance")
  listed = ",\n".join(json.dumps({fact: one[fact] for fact in facts}) for one in golden)
  PAGE.with_suffix(".json").write_text(f"[\n{listed}\n]\n")


def lines(golden: Sequence[Mapping[str, Any]]) -> list[str]:
  """Returns the lines of the page. Cells come in the order of `CELLS`."""
  order = list(rl.CELLS)
  rows = sorted(golden, key=lambda one: (order.index(one["cell"]), one["package"]))
  held = {one["cell"] for one in rows}
  notes = [f"- **{one['cell']}**, {one['package']} {one['version']}: {note}" for one in rows for note in one["notes"]]
  return [
    "# Oracles",
    "",
    "`make oracles` writes this page and the numbers behind it (`tests/recurrent_lab/cells/golden/`), which the default tests",
    "check without any of these packages. Each row is a run over 6 steps in float64 with random params: the largest absolute",
    "difference of outputs and of gradients between the package and the lab, and what was allowed.",
    "",
    "| cell | package | version | implementation | largest difference | allowed | gradients that the package cannot give |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    *(
      f"| {one['cell']} | {one['package']} | {one['version']} | `{one['implementation']}` | {one['difference']:.1e} |"
      f" {one['tolerance']:.0e} | {', '.join(one['without slopes']) or '–'} |"
      for one in rows
    ),
    "",
    *table.lines(),
    "",
    "## Where a package differs from its paper or its documentation",
    "",
    *(notes or ["No difference is known."]),
    "",
    "## Cells without an oracle of another package",
    "",
    "These cells are held to NumPy loops that were written from the papers (`tests/reference/`). The RNN, the LSTM, the GRU and",
    "others that Flax, Haiku, Equinox, Keras or torch also have are held to them in `tests/recurrent_lab/interop/`.",
    "",
    *(f"- {name}" + (f": {LOOKED_AT[name]}" if name in LOOKED_AT else "") for name in rl.CELLS if name not in held),
  ]


if __name__ == "__main__":
  jax.config.update("jax_enable_x64", True)
  write_page([json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))])
  write_formats()
