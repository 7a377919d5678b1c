"""Captions of a small net: what is measured against a NumPy loop that writes the names."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import captions
from experiments.training import RunSettings, build, data
from experiments.training.programs import LOG, prepare
from sweepkit import runner
from sweepkit.points import read
from tests import reference
from tests.nets import to_float64

pytest.importorskip("sklearn", reason="the digits come with scikit-learn, which is not installed")

SMALL = ("--cells=rnn", "--hidden_size=12", "--learning_rate=0.03", "--recurrent_init=gaussian", "--seeds=2")
LETTERS = ".efghinorstuvwxz"
HELD_OUT = 359


@pytest.fixture(scope="module")
def trained():
  """(points, parameters) of two seeds after a few updates."""
  points = runner.parse(captions.EXPERIMENT, list(SMALL)).points
  block = prepare(RunSettings, points)
  states, _ = block.programs.advance(block.start(block.keys), {name: jnp.zeros(2) for name in LOG}, 100)
  return points, states.params


@pytest.fixture(scope="module")
def held_out():
  """(images, labels)"""
  return tuple(a[-HELD_OUT:] for a in data.digits())


@pytest.fixture(scope="module")
def written(trained, held_out):
  """The letters `[seed, image, step]`."""
  points, params = trained
  shown = jnp.asarray(np.c_[held_out[0], np.zeros((HELD_OUT, 16), np.float32)])
  cell = build(read(RunSettings, points[0])).cell
  return [np.asarray(captions.write(cell, jax.tree.map(lambda a, i=i: a[i], params), shown, 6)).T for i in range(2)]


def written_by_a_loop(params, image):
  """The greedy name: all that was put in is read again for each letter."""
  xs = [np.r_[image, np.zeros(16)]]
  name = ""
  while len(name) < 6 and not name.endswith("."):
    output = reference.CELLS["rnn"](params.cell, np.array(xs))[-1]
    name += LETTERS[np.argmax(output @ params.readout.kernel + params.readout.bias)]
    xs.append(np.r_[np.zeros(64), np.eye(16)[LETTERS.index(name[-1])]])
  return name


def test_names_are_those_that_a_loop_writes(trained, held_out, written, rng):
  params = to_float64(jax.tree.map(lambda a: a[1], trained[1]))
  for i in rng.choice(HELD_OUT, 20, replace=False):
    name = written_by_a_loop(params, held_out[0][i])
    assert "".join(LETTERS[letter] for letter in written[1][i, : len(name)]) == name


def test_shares_are_those_of_the_names(trained, held_out, written):
  points, params = trained
  one = captions.measure_captions(read(RunSettings, points[0]))
  each = [one(None, jax.tree.map(lambda a, seed=seed: a[seed], params)) for seed in range(2)]
  measured = {name: np.stack([seed[name] for seed in each]) for name in each[0]}
  measure = captions.EXPERIMENT.measure
  coords = measure.coords(points[0])
  assert measured.keys() <= measure.dims.keys()
  for name, array in measured.items():
    assert array.shape == (2, *(len(coords[dim]) for dim in measure.dims[name]))
  assert coords["digit"] == [*range(10)]
  labels = held_out[1]
  for seed, rows in enumerate(written):
    names = ["".join(LETTERS[i] for i in row) + "." for row in rows]
    wanted = [data.DIGIT_NAMES[label] + "." for label in labels]
    is_exact = np.array([name.startswith(right) for name, right in zip(names, wanted, strict=True)])
    np.testing.assert_allclose(measured["exact"][seed], is_exact.mean(), rtol=1e-6)
    by_digit = [is_exact[labels == digit].mean() for digit in range(10)]
    np.testing.assert_allclose(measured["exact_by_digit"][seed], by_digit, rtol=1e-6)
  np.testing.assert_allclose(measured["most_frequent"], np.bincount(labels).max() / HELD_OUT, rtol=1e-6)
  assert measured["exact"].min() > 0.3 > 2 * measured["most_frequent"].max()


def test_another_task_is_refused(tmp_path, capsys):
  assert runner.main(captions.EXPERIMENT, ["--task=digits", f"--out={tmp_path / 'out'}"]) == 2
  assert "'digits'" in capsys.readouterr().err
  assert not (tmp_path / "out").exists()
