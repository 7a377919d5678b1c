"""A small launch of the captions: what it stores against a NumPy loop that writes the names."""

import jax
import numpy as np
import pytest

from experiments import captions, data, runner, store
from experiments.learning import build
from experiments.train import final_states
from tests import reference
from tests.nets import to_float64

pytest.importorskip("sklearn", reason="the digits come with scikit-learn, which is not installed")

SMALL = ("--cells=gru", "--hidden_size=12", "--updates=120", "--learning_rate=0.03", "--seeds=2")
LETTERS = ".efghinorstuvwxz"


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
  """(results, points, final parameters)"""
  out = tmp_path_factory.mktemp("results")
  flags = [*SMALL, f"--out={out}"]
  assert runner.main(captions.EXPERIMENT, flags) == 0
  points = runner.parse(captions.EXPERIMENT, flags).points
  states = final_states(points, next(out.glob("captions/runs/*")))
  return store.load_results(out / "captions").squeeze(drop=True), points, states.params


def written_by_a_loop(params, image):
  """The greedy name: the whole of what was put in is read again for each letter."""
  xs = [np.r_[image, np.zeros(16)]]
  name = ""
  while len(name) < 6 and not name.endswith("."):
    output = reference.CELLS["gru"](params.cell, np.array(xs))[-1]
    name += LETTERS[np.argmax(output @ params.readout.kernel + params.readout.bias)]
    xs.append(np.r_[np.zeros(64), np.eye(16)[LETTERS.index(name[-1])]])
  return name


def test_names_are_those_that_a_loop_writes(launched, rng):
  _, points, trained = launched
  run = build(points[0])
  images, _ = data.digits()
  params = jax.tree.map(lambda a: a[1], trained)
  shown = np.c_[images[-359:], np.zeros((359, 16), np.float32)]
  letters = np.asarray(captions.write(run.cell, params, jax.numpy.asarray(shown), 6))
  for i in rng.choice(359, 10, replace=False):
    name = written_by_a_loop(to_float64(params), images[-359:][i])
    assert "".join(LETTERS[letter] for letter in letters[: len(name), i]) == name


def test_stored_shares_are_those_of_the_names(launched):
  results, points, trained = launched
  run = build(points[0])
  images, labels = data.digits()
  shown = jax.numpy.asarray(np.c_[images[-359:], np.zeros((359, 16), np.float32)])
  assert results.digit.values.tolist() == list(range(10))
  for seed in range(2):
    params = jax.tree.map(lambda a, seed=seed: a[seed], trained)
    letters = np.asarray(captions.write(run.cell, params, shown, 6)).T
    is_exact = np.array(
      [
        "".join(LETTERS[i] for i in row).startswith(data.DIGIT_NAMES[label] + ".")
        for row, label in zip(letters, labels[-359:], strict=True)
      ]
    )
    stored = results.sel(seed=seed)
    np.testing.assert_allclose(stored.exact, is_exact.mean(), rtol=1e-6)
    for digit in range(10):
      expected = is_exact[labels[-359:] == digit].mean()
      np.testing.assert_allclose(stored.exact_by_digit.sel(digit=digit), expected, rtol=1e-6)
    np.testing.assert_allclose(stored.most_frequent, np.bincount(labels[-359:]).max() / 359, rtol=1e-6)
  assert float(results.exact.min()) > 0.3 > 2 * float(results.most_frequent.max())


def test_another_task_is_refused(tmp_path, capsys):
  assert runner.main(captions.EXPERIMENT, ["--task=digits", f"--out={tmp_path / 'out'}"]) == 2
  assert "'digits'" in capsys.readouterr().err
  assert not (tmp_path / "out").exists()
