"""Finds the recurrent cell that computes given outputs with given arrays: `identify`."""

from recurrent_lab.interop.identification.search import Identification, Reading, identify

__all__ = ["Identification", "Reading", "identify"]
