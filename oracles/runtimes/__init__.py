"""Observes how the numbers of one net differ between runtimes: tanh and the sigmoid, half precision, lengths and casts.

Each program runs in the environment of a runtime (`make oracles-layouts` makes them) and prints lines of JSON, which
`docs/runtimes.json` keeps. `python -m oracles.runtimes.facts` writes the tables of `docs/runtimes.md` from them.
"""
