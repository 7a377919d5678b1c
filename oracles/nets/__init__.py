"""Whole nets of other libraries, saved by those libraries in small files, with the outputs and slopes that they compute.

    python -m oracles.nets           all libraries that are installed here
    python -m oracles.nets keras     one of them

The files are kept in `tests/recurrent_lab/interop/golden/nets`, and the tests hold `import_model` to them without the libraries.
"""
