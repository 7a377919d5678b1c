"""Contenders of the BPTT benchmark: each `make(cell, shape)` prepares value and gradient on the weights of `problem`."""
