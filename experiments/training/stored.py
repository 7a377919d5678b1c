"""The trained weights of a stored training run, from its last checkpoint."""

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax

from experiments.training.build import build
from experiments.training.measures import settings_kind
from experiments.training.runs import final_states
from experiments.training.settings import RunSettings
import recurrent_lab as rl
from recurrent_lab import interop
from recurrent_lab.tasks import Task
from sweepkit import Experiment, Point, store
from sweepkit.points import read
from sweepkit.store import manifests

if TYPE_CHECKING:
  import xarray as xr


class TrainedNet(NamedTuple):
  """A trained net and what it was trained on.

  Attributes:
    cell: one cell, or a stack of them.
    task: what it has learned.
    params: its parameters, with those of the readout.
  """

  cell: rl.Cell
  task: Task
  params: rl.WithReadoutParams


def trained_net(
  run: "str | Path | xr.Dataset", seed: int | None = None, experiment: Experiment | None = None
) -> TrainedNet:
  """Returns the net of a training run after its last update.

      net = trained_net(data.sel(cell="lstm", length=100, seed=3))
      rl.product_log_norms(net.cell, net.params.cell, xs)

  Args:
    run: the folder of the run, such as results/adding/runs/lstm-0123456789abcdef, or a selection of one point from a dataset of
      `load_results`, whose folder still holds its runs.
    seed: the seed of the net; it may be left out where the run has a single seed, or the selection names it.
    experiment: the experiment of the run, if it is none of the modules in `experiments`.

  Raises:
    ValueError: if there is no such run or seed, or if its last checkpoint is missing, damaged or of another net.
  """
  if isinstance(run, str | Path):
    folder = Path(run)
  else:
    folder, seed = _folder_of(run), int(store.point_of(run)["seed"])
  config = _config(folder)
  points = [Point({**config["settings"], "seed": one}) for one in config["seeds"]]
  if seed is None and len(points) == 1:
    seed = config["seeds"][0]
  if seed not in config["seeds"]:
    raise ValueError(
      f"{folder} holds the seeds {', '.join(map(str, config['seeds']))}; name one of them, and not {seed}."
    )
  kind = _kind(folder, experiment)
  with jax.enable_x64(bool(points[0]["x64"])):
    run_parts = build(read(kind, points[0]))
    states = final_states(kind, points, folder)
    params = jax.tree.map(lambda a: a[config["seeds"].index(seed)], states.params)
  return TrainedNet(run_parts.cell, run_parts.task, params)


def params_of(
  run: "str | Path | xr.Dataset",
  seed: int | None = None,
  experiment: Experiment | None = None,
  file: str | os.PathLike[str] | None = None,
) -> rl.WithReadoutParams:
  """Returns the trained weights of a training run.

  Args:
    run, seed, experiment: as in `trained_net`.
    file: if given, the weights are also written there as safetensors, under names such as `cell.recurrent_kernel`.

  Raises:
    ValueError: in the cases of `trained_net`.
  """
  params = trained_net(run, seed, experiment).params
  if file is not None:
    interop.save(file, interop.to_named(params))
  return params


def _folder_of(data: "xr.Dataset") -> Path:
  """Returns the folder of the run that made a point."""
  point, source = store.point_of(data), Path(data.attrs["source"])
  for path in store.block_paths(source):
    if any(all(point.get(name) == value for name, value in one.items()) for one in store.read_meta(path)["points"]):
      return source / "runs" / path.stem
  raise ValueError(f"{source} holds no block with the point of this selection.")


def _config(folder: Path) -> dict[str, Any]:
  """Returns the settings and the seeds for which the last checkpoint of a run was written."""
  found = [manifests.check(path) for path in manifests.paths(folder / "checkpoints")]
  if not found:
    raise ValueError(
      f"{folder} holds no checkpoint; a run is a folder such as results/adding/runs/lstm-0123456789abcdef, "
      "and kept results come without their runs."
    )
  if isinstance(found[0], str):
    raise ValueError(found[0])
  config = dict(found[0]["config"])
  config.pop("code", None)
  return {"seeds": config.pop("seeds"), "settings": config}


def _kind(folder: Path, experiment: Experiment | None) -> type[RunSettings]:
  """Returns what the settings of a run are read as."""
  name = folder.resolve().parents[1].name
  if experiment is None:
    try:
      experiment = importlib.import_module(f"experiments.{name}").EXPERIMENT
    except (ImportError, AttributeError):
      raise ValueError(f"There is no experiment {name!r} to read {folder}; pass it: experiment=….") from None
  found = settings_kind(experiment.measure)
  if found is None:
    raise ValueError(f"{name} trains no nets; there are no weights in {folder}.")
  return found
