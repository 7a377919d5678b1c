"""Experiments: one file, one question. `python -m experiments --list` is the table of contents."""

import sweepkit as _sweepkit  # noqa: F401  # it sets the environment before NumPy and JAX are imported
