"""Every cell as a loop over steps and units in NumPy float64, written from the papers and independent of the library."""

from tests.reference import classic, dense, elementwise, gated, matrices, rarer, stable

ROOMS = (classic, dense, gated, stable, rarer, elementwise, matrices)
# One reference for every name in `CELLS`: (params, xs) -> outputs.
CELLS = {name: loop for room in ROOMS for name, loop in room.CELLS.items()}
