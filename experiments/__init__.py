"""Experiments: flags become a grid of points, points become jitted calls, calls become immutable files."""

import os

# LAPACK's own threads and XLA's fight for the same cores: a QR of 128 columns then takes a hundred times longer.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
