"""Runs a sweep of your own cell over two of its settings. The script can lie in any folder, such as an empty one.

    python -m examples.own_cell_sweep

The cell has exciting and inhibiting units that leak, r' = r + (φ(r W + x U) - r) / τ. All weights that a unit sends have one
sign, and excitation and inhibition balance. The time constant `tau` and the share `ei_ratio` of exciting units are arguments of
`init` with defaults, and that makes them settings of a sweep. From the command line the same sweep is

    python -m experiments.critical_gain --cells=examples.own_cell_sweep:ei --tau=2,4,8 --ei_ratio=0.5,0.8 --ws=0,1

where a script in the current folder is named as `--cells=my_script:ei`.
"""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array
import numpy as np

from experiments import critical_gain
import recurrent_lab as rl
from sweepkit import sweep

RELU = rl.ACTIVATIONS["relu"]
# What a sweep should know beside the defaults; an argument without an annotation takes every number.
Time = Annotated[float, rl.Option("time constant", "steps", lambda tau: tau >= 1, "1 or more")]
Share = Annotated[float, rl.Option("share of exciting units", "1", lambda share: 0 < share < 1, "between 0 and 1")]


class Params(NamedTuple):
  W: Array  # [H, H], one sign for each row
  U: Array  # [I, H]
  rate: Array  # 1 / τ


def init(
  key: Array, input_size: int, hidden_size: int, recurrent_gain: Any = 1.0, tau: Time = 4.0, ei_ratio: Share = 0.8
) -> Params:
  k_w, k_u = jax.random.split(key)
  excites = jnp.arange(hidden_size) < ei_ratio * hidden_size
  share = jnp.mean(excites)
  strength = jnp.where(excites, jnp.sqrt((1 - share) / share), -jnp.sqrt(share / (1 - share)))
  size = jnp.abs(jax.random.normal(k_w, (hidden_size, hidden_size))) / hidden_size**0.5
  u = jax.random.normal(k_u, (input_size, hidden_size)) / input_size**0.5
  return Params(recurrent_gain * strength[:, None] * size, u, 1 / jnp.asarray(tau))


def initial_state(params: Params, batch_shape: tuple[int, ...] = ()) -> Array:
  return jnp.zeros((*batch_shape, params.W.shape[0]))


def step(params: Params, r: Array, x: Array) -> tuple[Array, Array]:
  new = r + params.rate * (RELU.function(r @ params.W + x @ params.U) - r)
  return new, new


ei = rl.Cell(init, initial_state, step)


def main(out: Path = Path("results")) -> np.ndarray:
  sizes = {"hidden_size": 16, "input_size": 4, "seq_len": 60, "seeds": 4}
  data = sweep(critical_gain.EXPERIMENT, cells=ei, tau=[2, 4, 8], ei_ratio=[0.5, 0.8], ws=[0, 1], **sizes, out=out)
  rates = data.growth_rate.sel(cell="ei", norm="spectral").mean("seed").squeeze().transpose("ws", "tau", "ei_ratio")
  print("growth rate of the Jacobian product in nats per step, at W_s = 1:")
  for tau in rates.tau.values:
    shown = ", ".join(
      f"{rate:+.3f} at a share of {share:g}"
      for share, rate in zip(rates.ei_ratio.values, rates.sel(ws=1, tau=tau).values, strict=True)
    )
    print(f"  τ = {tau:g}: {shown}; {np.log(1 - 1 / tau):+.3f} without recurrence")
  return rates.values


if __name__ == "__main__":
  main()
