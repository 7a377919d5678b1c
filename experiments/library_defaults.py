"""How far does a recurrent net remember at the default weights of each library, before a single update?

Claim, from 5 seeds of 128 units with white inputs over 200 steps: the same class differs by up to 2.6 times in memory between
libraries, and the growth rate and the first lag below 1/e rank the libraries differently.
Measures, per recipe of `init_like`, size, input scale and seed: ln ‖∏ J‖ by lag with its growth rate and the memory -1/rate, the
first lag at which it is below 1/e, and the Lyapunov spectrum.

    python -m experiments.library_defaults
    python -m experiments.library_defaults --hidden_size=64,256 --input_scale=1
    python -m experiments.library_defaults --recipes=torch.nn.LSTM,chainer.links.LSTM --hidden_size=512 --input_scale=1
    python -m experiments.library_defaults --weights=options --hidden_size=128 --input_scale=1
    python -m experiments.library_defaults --recipes=torch.nn.LSTM,torch.nn.GRU --forget_bias=1 --hidden_size=128 --input_scale=1

There are as many inputs as units. `--weights=options` draws by the cell's own `init` with the options that the recipe names.
Classes that draw alike share a recipe, so Paddle stands with torch and MLX mostly with Equinox. `studies/defaults.txt` lists the
launches behind the kept results.

Expect: LSTM from 2.0 steps (torch, Equinox) over 2.3 (Flax) to 4.6 (Keras) and 5.3 (Chainer), because an open forget gate alone
gives -1 / ln σ(1) = 3.2 steps, and one with bias 0 gives 1.4. GRU all between 1.9 and 2.5, except TensorFlow's, whose update gate
is open. RNN 1.3 (torch) to 2.2 (Flax, Keras). First lags differ more, up to 3.5 times. All of it barely depends on the size, as
every library scales its kernels with it. Louder inputs shorten the memory of RNNs most. Options give the recipe's memory to 5 %.

Found: at 128 units and input scale 1 the ratio of the longest to the shortest memory is 2.96 for LSTM (Chainer 5.39, torch
2.03, Flax NNX optimised 1.82 steps), 2.70 for GRU, where TensorFlow's is the longest, and 2.23 for RNN. From 32 to 512 units it
changes little: LSTM 2.92 to 2.96, GRU 2.70 to 2.90, RNN 1.93 to 2.31. Quiet inputs widen it, to 7.5 for LSTM at scale 0.3, and
loud ones narrow it, to 1.9 at scale 3. First lags differ by 2.2 to 2.9 times, less than expected, and rank nearly alike (rank
correlations of 0.83 to 0.94). Options give the memory within 1 % at the median; TensorFlow's GRU is 19 % off, because no option
sets its bias of 1 on r. Opening the gate by 1 makes torch's LSTM one of 5.1 steps, so most of the difference between LSTMs is
one number. Louder inputs do not shorten the memory of relu nets.
"""

from collections.abc import Mapping
import dataclasses
import sys
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array
import numpy as np

from experiments.atlas import first_below
from experiments.portrait import EXPONENT, LAG, SETTINGS
import recurrent_lab as rl
from recurrent_lab.initializers import add_to_gate
from sweepkit import Experiment, Measure, Point, Quantity, main
from sweepkit.points import read
from sweepkit.settings import POSITIVE, POSITIVE_INT, Setting, Settings, one_of

# One name for each recipe; the other names of `RECIPES` draw alike.
DISTINCT = tuple(
  next(name for name, recipe in rl.RECIPES.items() if recipe is own) for own in dict.fromkeys(rl.RECIPES.values())
)
SHARES = (
  np.linspace(0, 1, 21).round(2).tolist()
)  # places in the spectrum, as shares of its exponents from the largest on

OWN: Settings = {
  "recipes": Setting(
    str,
    ",".join(DISTINCT),
    "classes of other libraries",
    *one_of(tuple(rl.RECIPES)),
    dimension="recipe",
    table=rl.RECIPES,
  ),
  "weights": Setting(
    str,
    "recipe",
    "recipe: drawn as the library does; options: by the cell's own init, with the options that the recipe names",
    *one_of(("recipe", "options")),
  ),
  "hidden_size": SETTINGS["hidden_size"],
  "inputs_per_unit": Setting(float, "1", "inputs I divided by units H", *POSITIVE, units="1"),
  "seq_len": SETTINGS["seq_len"],
  "full_up_to": Setting(int, "32", "largest H whose whole spectrum is computed", *POSITIVE_INT, units="1"),
  "input_scale": SETTINGS["input_scale"],
  "forget_bias": SETTINGS["forget_bias"]._replace(
    help="added to the bias of the gate that keeps the state (LSTM f, GRU z)"
  ),
}


@dataclasses.dataclass(frozen=True)
class Net:
  """The settings that determine the compiled program."""

  recipe: str
  weights: str
  hidden_size: int
  inputs_per_unit: float
  seq_len: int
  full_up_to: int
  x64: bool


def check(point: Point) -> None:
  """Raises a `ValueError` for a forget bias of a net without gates."""
  cell = rl.get_cell(rl.init_like(str(point["recipe"])).cell)
  if point["forget_bias"] != 0 and not cell.gated:
    raise ValueError(f"{point['recipe']} has no gate that keeps its state, but forget_bias is {point['forget_bias']}.")


def drawn(net: Net, key: Array, values: Mapping[str, Array]) -> Any:
  """Draws the parameters of a net, with the forget bias added."""
  recipe, dtype = rl.init_like(net.recipe), jnp.float64 if net.x64 else jnp.float32
  cell, sizes = rl.get_cell(recipe.cell), (max(1, round(net.inputs_per_unit * net.hidden_size)), net.hidden_size)
  if net.weights == "options":
    params = cell.init(key, *sizes, **recipe.options(*sizes), dtype=dtype)
  else:
    params = recipe.init(key, *sizes, dtype)
  blocks = params.bias.size // net.hidden_size
  return params if blocks == 1 else params._replace(bias=add_to_gate(params.bias, 1, blocks, values["forget_bias"]))


def portrait(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The portrait of one net. Its inputs are white, with standard deviation `input_scale`."""
  net = read(Net, static)
  cell = rl.get_cell(rl.init_like(net.recipe).cell)
  k_params, k_inputs = jax.random.split(key)
  params = drawn(net, k_params, values)
  dtype = params.bias.dtype
  xs = values["input_scale"].astype(dtype) * jax.random.normal(k_inputs, (net.seq_len, len(params.input_kernel)), dtype)
  log_norm = rl.product_log_norms(cell, params, xs)
  growth = rl.growth_rate(log_norm)
  is_full = net.hidden_size <= net.full_up_to
  spectrum = rl.lyapunov_spectrum(cell, params, xs, k=None if is_full else 1, burn_in=net.seq_len // 4)
  size = spectrum.exponents.size
  at = np.round(np.asarray(SHARES) * (size - 1)).astype(int)
  alone = jnp.full(len(SHARES), jnp.nan, dtype).at[0].set(spectrum.exponents[0])
  return {
    "log_norm": jnp.concatenate([jnp.zeros_like(log_norm[:1]), log_norm]),
    "growth_rate": growth.rate,
    "memory_length": rl.memory_length(growth.rate),
    "first_lag_below": first_below(log_norm),
    "exponent": spectrum.exponents[at] if is_full else alone,
    "certified": spectrum.is_certified.astype(dtype) if is_full else jnp.full((), jnp.nan, dtype),
  }


def coords(static: Point) -> dict[str, list[Any]]:
  """The labels of the axes."""
  return {"lag": list(range(read(Net, static).seq_len + 1)), "share": SHARES}


MEASURE = Measure(
  run=portrait,
  settings=OWN,
  check=check,
  dims={
    "log_norm": ("lag",),
    "growth_rate": (),
    "memory_length": (),
    "first_lag_below": (),
    "exponent": ("share",),
    "certified": (),
  },
  coords=coords,
  may_be_infinite=("memory_length", "first_lag_below"),
  may_be_nan=("exponent", "certified"),
  headline={"memory_length": "steps", "first_lag_below": "steps", "growth_rate": "nats per step"},
  quantities={
    "log_norm": Quantity("ln of the spectral norm of the Jacobian product", "nats"),
    "growth_rate": Quantity("growth rate of the norm of the Jacobian product", "nats per step"),
    "memory_length": Quantity("memory length: steps in which the norm falls by the factor e", "steps"),
    "first_lag_below": Quantity("first lag at which the norm is below 1/e", "steps"),
    "exponent": EXPONENT._replace(long_name="Lyapunov exponents"),
    "certified": Quantity("whether the determinant certifies the spectrum", "1"),
    "lag": LAG,
    "share": Quantity("share of the exponents that are larger", "1"),
  },
)

EXPERIMENT = Experiment(
  "experiments.library_defaults",
  __doc__,
  MEASURE,
  {"hidden_size": "32,128", "input_scale": "0.3,1,3"},
  seeds=5,
  seconds=600,
  figure="analysis.defaults.library_memory",
  drawn_along=("weights", "forget_bias"),
  tiny={"recipes": "torch.nn.LSTM,haiku.GRU,mlx.nn.RNN", "hidden_size": "4", "seq_len": "12", "input_scale": "1"},
)

if __name__ == "__main__":
  sys.exit(main(EXPERIMENT))
