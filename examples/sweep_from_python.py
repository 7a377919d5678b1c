"""Runs a sweep from Python instead of flags, with a measure of your own.

    python -m examples.sweep_from_python

The sweep finds the recurrent gain at which Jacobian products turn from vanishing to exploding. It uses the same grid, random keys
and files as every sweep of the lab. Running it again computes only the points that are missing.
"""

from collections.abc import Mapping
from pathlib import Path

from jaxtyping import Array
import numpy as np

from experiments.portrait import SETTINGS, cell_of, draw
import recurrent_lab as rl
from recurrent_lab import theory
from sweepkit import Experiment, Measure, Point, sweep


def growth(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """Returns the growth rate of ‖∏ J‖ in nats per step at one point of the grid, for one random net."""
  params, xs, state, _ = draw(static, key, values)
  cell = cell_of(static)
  return {"rate": rl.growth_rate(rl.product_log_norms(cell, params, xs, state, norm="frobenius")).rate}


GROWTH = Experiment("growth", __doc__, Measure(growth, settings=SETTINGS, dims={"rate": ()}))


def main(out: Path = Path("results")) -> float:
  data = sweep(GROWTH, cells="rnn", ws=[1.0, 1.5, 2.0, 2.5], hidden_size=64, seq_len=100, seeds=4, out=out)
  rates = data.rate.sel(cell="rnn").mean("seed").squeeze()
  for ws, rate in zip(rates.ws.values, rates.values, strict=True):
    print(f"W_s = {ws:.1f}: {rate:+.3f} nats per step")
  crossing = float(np.interp(0, rates, rates.ws))
  print(
    f"It crosses 0 at W_s = {crossing:.2f}; mean field says {theory.driven_critical_gain(1.0):.2f} for a large net."
  )
  return crossing


if __name__ == "__main__":
  main()
