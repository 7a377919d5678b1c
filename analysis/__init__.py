"""Figures: results on disk become pictures; nothing is computed here that an experiment should have measured."""
