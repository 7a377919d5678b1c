"""Cells of other libraries run on random weights, to check how `recurrent_lab.interop.layouts` reads these weights.

`make oracles-layouts` installs each package in an environment of its own, because they need different releases of Python and
NumPy, and runs the file here that has its name. The numbers that it gives are kept in `tests/recurrent_lab/interop/golden/`,
where the default tests hold the tables to them. `python -m oracles.layouts` compares them with the lab.

The files that run packages import neither JAX nor the lab.
"""
