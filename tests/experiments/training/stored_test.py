"""The trained weights of a run: those of its last checkpoint, whichever way the run is named."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import atlas_training
from experiments.training import params_of, trained_net
from experiments.training.programs import prepare
from experiments.training.sizes import EqualSettings
from recurrent_lab import interop
from sweepkit import store, sweep
from tests.support.own_cells import leaky

SMALL = {
  "task": "adding",
  "length": 4,
  "layers": 1,
  "parameters": 150,
  "batch": 2,
  "updates": 4,
  "stop": "never",
  "seeds": [2, 5],
}


@pytest.mark.slow
def test_weights_are_those_that_were_judged(tmp_path):
  """Judged again on the run's own test set, they have the stored loss. An option of the user's cell is an axis of training."""
  data = sweep(atlas_training.EXPERIMENT, cells={"leaky": leaky}, tau=3, init="flags", **SMALL, out=tmp_path)
  chosen = data.sel(cell="leaky", tau=3)
  nets = [trained_net(chosen.sel(seed=seed)) for seed in (2, 5)]
  assert nets[0].cell is leaky
  points = [store.point_of(chosen.sel(seed=seed)) for seed in (2, 5)]
  block = prepare(EqualSettings, points)
  loss, _ = block.programs.evaluate(jax.tree.map(lambda *a: jnp.stack(a), *(net.params for net in nets)), block.keys)
  np.testing.assert_array_equal(loss, chosen.test_loss.dropna("update").values.reshape(2, -1)[:, -1])

  (path,) = store.block_paths(tmp_path / "atlas_training")
  folder, file = path.parent / "runs" / path.stem, tmp_path / "leaky.safetensors"
  again = params_of(folder, seed=5, file=file)
  jax.tree.map(np.testing.assert_array_equal, again, nets[1].params)
  stored = interop.load(file)
  assert set(stored) == {"cell.U", "cell.W", "cell.rate", "readout.bias", "readout.kernel"}
  jax.tree.map(np.testing.assert_array_equal, interop.from_named(again, stored), again)
  with pytest.raises(ValueError, match="holds the seeds 2, 5; name one of them, and not None"):
    params_of(folder)
  with pytest.raises(ValueError, match="holds no checkpoint; a run is a folder such as results/adding/runs/"):
    params_of(tmp_path)
