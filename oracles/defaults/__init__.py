"""Draws of the packages whose default initialisers `recurrent_lab.init_like` copies, and what they have to agree in.

`make oracles` installs each group of packages in an environment of its own and runs

    python -m oracles.defaults.draws build/defaults    draws from all packages that this environment has
    python -m oracles.defaults build/defaults          holds the recipes to them, and writes the page and the golden numbers

The files `from_*.py` and what they use import NumPy and one package, and nothing of the lab. They give weights in the lab's order
of gates: i, f, g, o and r, z, n, where z keeps the state. Whatever a class adds at run time is measured by running it.
"""
