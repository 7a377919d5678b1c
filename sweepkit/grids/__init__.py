"""Grids of points: their size and shapes without listing them, and checks of their settings."""

from sweepkit.grids.product import Box, Grid, Group, expand

__all__ = ["Box", "Grid", "Group", "expand"]
