"""Closed forms and predictions that the measurements are held against, one file a theory."""

from recurrent_lab.theory.gated import cell_path_exponent

__all__ = ["cell_path_exponent"]
