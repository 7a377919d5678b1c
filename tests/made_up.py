"""Small results of experiments: made-up numbers in the form of what is stored, and the flags that measure small ones."""

import importlib
from pathlib import Path

import numpy as np

from sweepkit import plan, store
from sweepkit.points import blocks as cut
from sweepkit.provenance import provenance
from sweepkit.settings import traced_names
from sweepkit.store import attributes

REFERENCE = Path(__file__).parents[1] / "results" / "reference"  # the kept results of the full training runs

SMALL = ["--hidden_size=4", "--input_size=2", "--seq_len=12", "--seeds=3"]

# What the ledger of claims judges, and spectra, which a certificate must fit.
SWEEPS = {
  "lyapunov": ([*SMALL, "--ws=0.5,1", "--seq_len=40", "--cells=rnn"],),
  "recurrent_gain": ([*SMALL, "--ws=0.5,1,4", "--cells=rnn,lstm"],),
  "forget_bias": ([*SMALL, "--forget_bias=0,1,2,4", "--ws=0,1"],),
  "zero_or_one": ([*SMALL, "--forget_bias=0,2", "--input_scale=0.1,1"],),
  "small_gain": ([*SMALL, "--ws=0.5,0.99"],),
  "identities": ([*SMALL, "--cells=rnn,peephole_lstm"],),
  "one_unit": ([*SMALL, "--hidden_size=1", "--ws=-2,-0.5,0.5,2", "--bias=0,0.5"],),
}

# The flags of each launch; of what is not launched, figures find nothing.
TRAINED = ["--hidden_size=4", "--updates=100", "--length=10,20", "--seeds=3"]
LAUNCHES = SWEEPS | {
  "tanh_saturation": ([*SMALL, "--input_scale=0.1,1"],),
  "mean_field": ([*SMALL, "--ws=0.5,1", "--cells=rnn,gru,rnn_relu"],),
  "phase_gates": ([*SMALL, "--ws=0.5,1,4", "--forget_bias=0,2"],),
  "phase_input": ([*SMALL, "--ws=0.5,1,4", "--input_scale=0,1"],),
  "activation_choice": ([*SMALL, "--ws=0.5,1", "--cells=rnn,rnn_relu"],),
  "transient_growth": (SMALL,),
  "atlas": ([*SMALL, "--cells=rnn,lstm,gru,mgu,min_gru"],),
  "atlas_training": tuple(
    [f"--task={task}", f"--length={length}", "--cells=rnn,lstm,gru,mgu,min_gru", "--parameters=2000", "--updates=100"]
    for task, length in (("adding", 10), ("copy_memory", 5))
  ),
  "open_gates": ([*SMALL, "--forget_bias=-1,0,2", "--cells=lstm,mgu,min_gru"],),
  "timescales": ([*SMALL, "--timescale=1,2,4", "--cells=lru,ltc"],),
  "atlas_mean_field": (
    [*SMALL, "--ws=0.5,1,4", "--cells=rnn,lstm"],
    [*SMALL, "--ws=1", "--forget_bias=-1,2", "--cells=lstm"],
  ),
  "critical_gain": ([*SMALL, "--ws=0.5,1,4", "--cells=rnn,mgu"],),
  "error_surface": (["--ws=4:6:3", "--bias=-3:-2:4"],),
  "adding": (
    [*TRAINED, "--length=10", "--cells=rnn,lstm,gru"],
    [*TRAINED, "--length=10", "--cells=indrnn", "--layers=1,2"],
  ),
  "temporal_order": (
    [*TRAINED, "--clip=none"],
    TRAINED,
    [*TRAINED, "--omega=2"],
    [*TRAINED, "--cells=lstm,gru", "--optimizer=adam", "--init=recommended"],
  ),
  "copy_memory": (TRAINED,),
  "solvable_lag": (TRAINED,),
  "flossing": ([*TRAINED, "--cells=rnn,gru", "--floss_k=4"], [*TRAINED, "--cells=lstm", "--floss_k=4", "--floss=0"]),
}


def tiny_flags(experiment):
  """The flags of the small launch that an experiment declares for tests."""
  return [f"--{name}={value}" for name, value in experiment.tiny.items()] + ["--seeds=2"]


def launches(names):
  """The flags of every launch to make up, by experiment: those above, and small ones for what nothing else provides."""
  others = [name for name in dict.fromkeys(names) if name not in LAUNCHES and not (REFERENCE / name).is_dir()]
  return LAUNCHES | {name: (tiny_flags(importlib.import_module(f"experiments.{name}").EXPERIMENT),) for name in others}


def folder_of(name, results):
  """The folder that holds results of an experiment: the made-up ones, or else the kept ones."""
  return results if (results / name).is_dir() else REFERENCE


def make_up(name, flags, folder):
  """Stores random numbers instead of results that would take long."""
  experiment = importlib.import_module(f"experiments.{name}").EXPERIMENT
  measure, rng = experiment.measure, np.random.default_rng(0)
  launch = plan.parse(experiment, [*flags, f"--out={folder}"])
  made = provenance(experiment, launch, (0, 1))
  blocks = cut(launch.points, launch.chunk, traced_names(measure.settings))
  for block in blocks[launch.shard[0] :: launch.shard[1]]:
    coords = measure.coords(block[0])
    shapes = {name: (len(block), *(len(coords[axis]) for axis in axes)) for name, axes in measure.dims.items()}
    arrays = {name: 0.01 * rng.random(shape) for name, shape in shapes.items()}
    if "solved" in arrays:
      arrays["solved"] = rng.integers(0, 2, len(block)).astype(float)
      arrays["solved_at"] = np.where(arrays["solved"] == 1, 50.0, np.nan)
      arrays["test_loss"][:, 30:] = np.nan  # all seeds ended
      for dynamics in {"largest_exponent", "product_growth", "log_adjoint"} & set(arrays):
        arrays[dynamics][:, 6:] = np.nan
    if "residual" in arrays:
      arrays["residual"] *= 0  # all spectra are certified
    arrays["status"] = np.full(len(block), store.STATUS.index("ok"), np.int8)
    facts = {"attributes": attributes.of(measure), "axes": attributes.axes_of(measure)}
    store.write_block(launch.out, store.Block(block, arrays, measure.dims, coords, made, **facts))
