"""Helpers that several tests share. Tests import from here and not from each other."""
