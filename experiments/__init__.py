"""Experiments: one file, one question. `python -m experiments --list` is the table of contents."""

from sweepkit.pages import declared as _declared  # sweepkit sets the environment before NumPy and JAX are imported

_declared.answer(__name__)
