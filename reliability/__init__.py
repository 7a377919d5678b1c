"""Tries faults on real launches and counts the outcomes: how safe stored results are."""
