"""Cells whose state is a matrix or several vectors. A helper of a cell returns the outputs of all steps."""

CELLS = {}
