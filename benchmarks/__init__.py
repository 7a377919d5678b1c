"""Measurements of the lab itself: what it survives, and how it does beside its peers."""
