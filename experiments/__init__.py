"""Experiments: flags become a grid of points, points become jitted calls, calls become immutable files."""

import os
import signal
import sys

# LAPACK's own threads and XLA's fight for the same cores: a QR of 128 columns then takes a hundred times longer.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# While `python -m experiments.x` is still importing, Ctrl-C ends it without a traceback; the launcher listens to it afterwards.
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
  signal.signal(signal.SIGINT, signal.SIG_DFL)
