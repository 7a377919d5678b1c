"""Every cell as a loop over steps and units in NumPy float64, written from the papers and independent of the library."""

from tests.reference import classic, dense, elementwise, gated, matrices, rarer

# One reference for every name in `CELLS`: (params, xs) -> outputs.
CELLS = {**classic.CELLS, **dense.CELLS, **gated.CELLS, **elementwise.CELLS, **matrices.CELLS, **rarer.CELLS}
from tests.reference import classic, dense, elementwise, matrices, stable

# One reference for every name in `CELLS`: (params, xs) -> outputs.
CELLS = {**classic.CELLS, **dense.CELLS, **elementwise.CELLS, **matrices.CELLS, **stable.CELLS}
