"""Independent implementations from PyPI, to which every cell of the atlas is held in value and gradient.

`make oracles` installs them in an environment of their own, runs them in float64, and writes the page `docs/oracles.md`. It keeps
the numbers that the packages gave in `tests/recurrent_lab/cells/golden/`, where the default tests hold the cells to them.

Each file here adapts one package: it maps the lab's params to those of the package and runs its step over a sequence.
"""
