"""Experiments: flags become a grid of points, points become jitted calls, calls become immutable files."""
