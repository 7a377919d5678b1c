"""Cells over sequences: unrolling, the alignment of inputs with outputs, and n-gram models of tokens."""

from recurrent_lab.sequences import alignment, ngram
from recurrent_lab.sequences.alignment import (
  EncoderDecoderParams,
  choose,
  encode_decode,
  length_mask,
  many_to_one,
  masked_unroll,
  one_hot,
  one_to_many,
)
from recurrent_lab.sequences.parallel import NewtonRun, newton_unroll, scan_unroll
from recurrent_lab.sequences.unrolling import activities, trajectory, truncated_unroll, unroll

__all__ = [
  "EncoderDecoderParams",
  "NewtonRun",
  "activities",
  "alignment",
  "choose",
  "encode_decode",
  "length_mask",
  "many_to_one",
  "masked_unroll",
  "newton_unroll",
  "ngram",
  "one_hot",
  "one_to_many",
  "scan_unroll",
  "trajectory",
  "truncated_unroll",
  "unroll",
]
