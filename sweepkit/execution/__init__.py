"""Execution: blocks of points run on the devices of this process, with progress, and stop at a signal."""
