"""The store: immutable, checksummed blocks of results on disk, and everything that reads, shares, repairs or joins them."""

from sweepkit.store.blocks import (
  SCHEMA_VERSION,
  STATUS,
  UNKNOWN,
  Block,
  SchemaError,
  block_name,
  block_paths,
  read_block,
  read_meta,
  remove_block,
  write_block,
)
from sweepkit.store.files import CheckpointError, ResultsError, write_atomically
from sweepkit.store.inventory import Entry, Inventory
from sweepkit.store.layout import as_grid, axis_values, point_of
from sweepkit.store.load import load_results
from sweepkit.store.portable import portable, restored, table

__all__ = [
  "SCHEMA_VERSION",
  "STATUS",
  "UNKNOWN",
  "Block",
  "CheckpointError",
  "Entry",
  "Inventory",
  "ResultsError",
  "SchemaError",
  "as_grid",
  "axis_values",
  "block_name",
  "block_paths",
  "load_results",
  "point_of",
  "portable",
  "read_block",
  "read_meta",
  "remove_block",
  "restored",
  "table",
  "write_atomically",
  "write_block",
]
