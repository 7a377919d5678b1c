"""Helpers that several tests share. Tests import from here and not from each other."""

import sweepkit as _sweepkit  # noqa: F401  # as in `experiments`, before JAX is imported
