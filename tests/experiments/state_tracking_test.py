"""Pairs of cells that differ in the range of their eigenvalues, and the accuracy of nets that are right by construction."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import state_tracking
from experiments.state_tracking import LENGTHS, PAIRS, TrackingSettings, measure_accuracy
import recurrent_lab as rl
from recurrent_lab.cells import RealHGRNParams
from sweepkit import runner
from sweepkit.points import read


def eigenvalues(matrix):
  if hasattr(matrix, "entries"):
    return np.ravel(matrix.entries)
  dense = matrix.dense() if hasattr(matrix, "dense") else matrix
  return np.linalg.eigvals(np.asarray(dense.matrix, np.float64)).real.ravel()


@pytest.mark.parametrize("name", PAIRS)
def test_only_signed_cells_have_negative_eigenvalues(name, key):
  """The same parameters, far enough from 0 that both ends of the range are reached."""
  positive, signed = (PAIRS[name][range_] for range_ in ("positive", "signed"))
  rng = np.random.default_rng(0)
  shapes = jax.eval_shape(lambda key: signed.init(key, 2, 8), key)
  params = jax.tree.map(lambda a: jnp.asarray(rng.normal(0, 4, a.shape), a.dtype), shapes)
  xs = jnp.asarray(rng.normal(size=(20, 2)), jnp.float32)
  low, high = (eigenvalues(cell.transition(params, xs).matrix) for cell in (positive, signed))
  assert low.min() > -1e-5
  assert high.min() < -0.9
  assert max(low.max(), high.max()) < 1 + 1e-5
  assert high.min() > -1 - 1e-5


def settings(eigenvalues):
  flags = [f"--eigenvalues={eigenvalues}", "--cells=hgrn_real", "--hidden_size=1", "--task=parity", "--seeds=1"]
  (point,) = runner.parse(state_tracking.EXPERIMENT, flags).points
  return read(TrackingSettings, point)


@pytest.mark.parametrize(("range_", "low", "high"), [("signed", 1.0, 1.0), ("positive", 0.4, 0.6)])
def test_one_unit_that_changes_sign_counts_forever(range_, low, high):
  """A bit of 1 has λ = 2 σ(-50) - 1 = -1 and writes 2, so h is 0 or 2; with σ(-50) = 0 it only remembers the last bit."""
  params = RealHGRNParams(
    input_kernel=jnp.array([[50.0, 0, 0], [-50.0, 0, 0]]),
    bias=jnp.array([0.0, 1.2784645, 50.0]),  # silu(1.278…) = 1
  )
  net = rl.WithReadoutParams(params, rl.ReadoutParams(jnp.array([[-1.0, 1.0]]), jnp.array([1.0, -1.0])))
  accuracy = measure_accuracy(settings(range_))(None, net)["accuracy"]
  assert accuracy.shape == (len(LENGTHS),)
  assert np.all((low <= accuracy) & (accuracy <= high))


@pytest.mark.parametrize(
  ("flag", "message"),
  [
    ("--eigenvalues=signed --cells=gru", "eigenvalues is signed with cell gru; only hgrn_real, s6, delta_net, "),
    ("--eigenvalues=signed --layers=2", "layers is 2 with eigenvalues signed; it must be 1."),
    ("--eigenvalues=negative", "'negative' is not allowed; it must be one of own, positive, signed"),
    ("--task=adding", "'adding' is not allowed; it must be one of parity, swap_product, permutation_product"),
  ],
)
def test_settings_that_do_not_go_together_are_refused(flag, message, tmp_path, capsys):
  assert runner.main(state_tracking.EXPERIMENT, [*flag.split(), f"--out={tmp_path / 'out'}"]) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "out").exists()
