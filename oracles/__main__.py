"""Holds every cell to independent implementations, and keeps the golden numbers. `python -m oracles.page` writes the page.

    python -m oracles                 all packages that are installed here
    python -m oracles torchrecurrent  one adapter

An adapter whose package is not installed keeps the numbers of its last run.
"""

from collections.abc import Iterator
from importlib import import_module, metadata
import json
import pkgutil
import sys

import jax
import numpy as np

import oracles
from oracles.oracle import GOLDEN, Arrays, Oracle, by_jax
import recurrent_lab as rl

INPUTS, HIDDEN, STEPS = 3, 4, 6


def drawn(cell: rl.Cell) -> tuple[dict[str, np.ndarray], np.ndarray]:
  """Draws params away from 0 and inputs in float64, with 6 digits so that the files stay small."""
  rng = np.random.default_rng(0)
  shapes = jax.eval_shape(lambda key: cell.init(key, INPUTS, HIDDEN, dtype=np.float64), jax.random.key(0))
  draw = lambda shape: np.round(rng.normal(0, 0.5, shape), 6)
  return {field: draw(shape.shape) for field, shape in shapes._asdict().items()}, draw((STEPS, INPUTS))


def of_lab(cell: rl.Cell, params: Arrays, xs: np.ndarray) -> tuple[np.ndarray, Arrays]:
  """Runs the lab's own cell."""
  kind = type(cell.init(jax.random.key(0), INPUTS, HIDDEN))
  return by_jax(lambda fields, xs: rl.unroll(cell, kind(**fields), xs)[1])(params, xs)


def compare(oracle: Oracle) -> dict[str, object]:
  """Runs the package and the lab, and returns the golden numbers with their provenance.

  Raises:
    AssertionError: if they differ by more than the tolerance.
  """
  cell = rl.get_cell(oracle.cell)
  params, xs = drawn(cell)
  outputs, slopes = oracle.run(params, xs)
  own, own_slopes = of_lab(cell, params, xs)
  missing = {field for field, value in params.items() if value.size} - set(slopes)
  differences = [np.abs(own - outputs).max(), *(np.abs(own_slopes[field] - slopes[field]).max() for field in slopes)]
  assert max(differences) <= oracle.tolerance, (
    f"{oracle.cell}: {oracle.implementation} differs by {max(differences):.2e}."
  )
  assert np.abs(outputs).max() > 1e-3, f"{oracle.cell}: the outputs of {oracle.implementation} are all about 0."
  return {
    "cell": oracle.cell,
    "package": oracle.package,
    "version": metadata.version(oracle.package),
    "implementation": oracle.implementation,
    "difference": float(max(differences)),
    "tolerance": oracle.tolerance,
    "without slopes": sorted(missing),
    "notes": list(oracle.notes),
    "params": {field: value.tolist() for field, value in params.items()},
    "xs": xs.tolist(),
    "outputs": outputs.tolist(),
    "slopes": {field: value.tolist() for field, value in slopes.items()},
  }


def adapters(chosen: list[str]) -> Iterator[tuple[str, tuple[Oracle, ...]]]:
  """Yields the name and the oracles of every adapter whose package is installed here."""
  for _, name, _ in pkgutil.iter_modules(oracles.__path__, "oracles."):
    short = name.removeprefix("oracles.from_")
    if short == name or (chosen and short not in chosen):
      continue
    try:
      yield short, import_module(name).ORACLES
    except ModuleNotFoundError as missing:
      print(f"{short}: left out, for {missing.name} is not installed.", file=sys.stderr)


def main() -> int:
  """Runs the adapters. Returns 1 if a cell differs from its oracle."""
  jax.config.update("jax_enable_x64", True)
  GOLDEN.mkdir(exist_ok=True)
  failed = 0
  for _, found in adapters(sys.argv[1:]):
    for oracle in found:
      try:
        golden = compare(oracle)
      except AssertionError as error:
        print(error, file=sys.stderr)
        failed += 1
        continue
      (GOLDEN / f"{oracle.cell}-{oracle.package}.json").write_text(json.dumps(golden) + "\n")
      print(f"{oracle.cell}: {oracle.package} {golden['version']} {oracle.implementation}, {golden['difference']:.1e}")
  return 1 if failed else 0


if __name__ == "__main__":
  sys.exit(main())
