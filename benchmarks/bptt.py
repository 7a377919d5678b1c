"""Times the value and gradient of a recurrent net, beside other libraries.

    python -m benchmarks.bptt --shapes=0,4 --cells=lstm --rounds=5
    python -m benchmarks.bptt --shapes=32x100x64x128 --contenders=lab,torch
    python -m benchmarks.bptt --cells=lstm_stack --shapes=32x100x64x128,20x35x650x650
    python -m benchmarks.bptt --cells=lstm,gru --shapes=1x200000x1x1

A shape is an index into `SHAPES`, or batch x steps x inputs x hidden. `problem.py` defines the loss. The goals are about the rows
of the first command without flags. The other rows show a net of two layers, and a long sequence with one number per step.
"""

from collections.abc import Mapping, Sequence
import re
import sys
from typing import Any

from benchmarks import command, machine, problem
from benchmarks.problem import Shape
from benchmarks.timing import Contender

CELLS = ("lstm", "gru", "rnn")
SHAPES = (
  Shape(32, 100, 64, 128),  # short sequences of a moderate net
  Shape(64, 200, 64, 256),
  Shape(20, 35, 650, 650),  # a word model
  Shape(128, 784, 1, 128),  # digits, pixel by pixel
  Shape(1, 1000, 32, 64),  # one long sequence
)


def parse_shape(text: str) -> Shape:
  """Parses `2` or `32x100x64x128`. Raises `ValueError` for anything else."""
  if text.isdecimal():
    if int(text) >= len(SHAPES):
      raise ValueError(text)
    return SHAPES[int(text)]
  if not re.fullmatch(r"([1-9]\d*x){3}[1-9]\d*", text):
    raise ValueError(text)
  return Shape(*map(int, text.split("x")))


def is_standard(settings: Mapping[str, Any]) -> bool:
  """Returns True for the settings of a row that is measured by default, so that the goals are about the same rows every time."""
  return settings["cell"] in CELLS and Shape(*(settings[name] for name in Shape._fields)) in SHAPES


def lab_contender(cell: str, shape: Shape) -> Contender:
  """Returns the contender of the lab, with its fastest way to take value and gradient."""
  return Contender("lab", "benchmarks.peers.lab:make", {"cell": cell, "shape": shape}, "lab")


def contenders(cell: str, shape: Shape) -> Sequence[Contender]:
  """Returns the lab, a plain scan, and all peers that have the cell."""

  def peer(name: str, module: str, kind: str, *needs: str, **environment: str) -> Contender:
    return Contender(name, f"benchmarks.peers.{module}", {"cell": cell, "shape": shape}, kind, needs, environment)

  gated = (peer("haiku", "haiku:make", "jax", "haiku"), peer("equinox", "equinox:make", "jax", "equinox"))
  return (
    lab_contender(cell, shape),
    peer("plain scan", "lab:make_scan", "own"),
    peer("flax.linen", "flax_linen:make", "jax", "flax"),
    peer("flax.nnx", "flax_nnx:make", "jax", "flax"),
    *(gated if cell != "rnn" else ()),
    # Spinning threads make torch up to a third faster than its default, and far faster than sleeping threads.
    peer("torch", "torch:make", "peer", "torch", OMP_WAIT_POLICY="ACTIVE"),
  )


def case(cells: str, shapes: Shape) -> command.Case:
  """Returns the case of one cell at one shape."""
  name = f"{cells}-{'x'.join(map(str, shapes))}-jax{machine.version('jax')}"
  return command.Case(name, {"cell": cells, **shapes._asdict()}, contenders(cells, shapes))


BENCHMARK = command.Benchmark(
  "bptt",
  "Value and gradient of a recurrent net, beside other libraries.",
  {
    "cells": command.one_of(*problem.LAYERS)._replace(default=CELLS),
    "shapes": command.Axis(
      [str(i) for i in range(len(SHAPES))], parse_shape, f"0 to {len(SHAPES) - 1}, or batch x steps x inputs x hidden"
    ),
  },
  case,
)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command and returns its exit code."""
  return command.main(BENCHMARK, argv)


if __name__ == "__main__":
  sys.exit(main())
