"""Forecasts, utterances and captions against other integrators, loops, and counts."""

from importlib.util import find_spec
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import interpolate, stats

from experiments.training import data
from recurrent_lab import tasks
from recurrent_lab.tasks import chaos
from recurrent_lab.tasks._captions import END, alphabet, image_row, letter_row, spell
from recurrent_lab.tasks.task import entropy_by_step

ODDS = 1e-8  # probability that a statistical test fails by chance
ALL = 10**6  # more than are held out
MANY = 2000


def draw(sample, key, batch_size):
  return jax.tree.map(np.asarray, jax.jit(sample, static_argnums=1)(key, batch_size))


# The delay equation


def runge_kutta(history, until, per_unit=40):
  """x(0), x(1), … by the classical method in float64; between grid points the past is interpolated."""
  h, lag = 1 / per_unit, 17 * per_unit
  x = [history] * (lag + 1)
  production = lambda past: 0.2 * past / (1 + past**10)
  for _ in range(until * per_unit):
    old, now = (production(past) for past in (x[-1 - lag], x[-lag]))
    middle = production((x[-1 - lag] + x[-lag]) / 2)
    k1 = old - 0.1 * x[-1]
    k2 = middle - 0.1 * (x[-1] + h / 2 * k1)
    k3 = middle - 0.1 * (x[-1] + h / 2 * k2)
    k4 = now - 0.1 * (x[-1] + h * k3)
    x.append(x[-1] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
  return np.array(x[lag::per_unit])[:until]


def test_the_series_solves_the_delay_equation(rng):
  history = rng.uniform(0.2, 1.2, 20)
  series = chaos.mackey_glass_series(jnp.asarray(history, jnp.float32), 6)
  assert series.shape == (6 * 17, 20)
  np.testing.assert_allclose(series, runge_kutta(history, 6 * 17), atol=0.01)
  # The series vary by 0.2, and chaos has not yet separated them.
  np.testing.assert_allclose(series[:34], runge_kutta(history, 34), atol=1e-3)


@pytest.fixture
def forecasts(key):
  """Two batches of series of 40 steps."""
  return [draw(tasks.mackey_glass(40).sample, k, MANY) for k in jax.random.split(key)]


def test_inputs_are_earlier_targets_with_noise(forecasts):
  batch, other = forecasts
  assert batch.inputs.shape == batch.targets.shape == (40, MANY, 1)
  np.testing.assert_array_equal(batch.mask, np.broadcast_to(np.arange(40)[:, None] >= 20, (40, MANY)))
  noise = (batch.inputs[6:] - batch.targets[:-6])[..., 0] / 0.1
  assert stats.kstest(noise.ravel(), "norm").pvalue > ODDS
  assert abs(np.mean(noise[1:] * noise[:-1])) < stats.norm.isf(ODDS / 2) / math.sqrt(noise[1:].size)
  starts = np.concatenate([batch.targets[0], other.targets[0]])
  assert len(np.unique(starts)) > 0.98 * 2 * MANY  # no series twice


def test_targets_solve_the_delay_equation_three_units_apart(forecasts):
  """A spline through the samples of a series has a slope that follows from its values there and 17 units before."""
  x = 0.93018 + forecasts[0].targets[:, :100, 0] * math.sqrt(0.05112)
  spline = interpolate.CubicSpline(3 * np.arange(40), x)
  t = np.arange(23, 111)
  slope = 0.2 * spline(t - 17) / (1 + spline(t - 17) ** 10) - 0.1 * spline(t)
  error = np.sqrt(np.mean((spline(t, 1) - slope) ** 2) / np.mean(slope**2))
  assert error < 0.1


def test_the_attractor_has_mean_0_and_variance_1_at_every_step(forecasts):
  targets = np.concatenate([batch.targets[..., 0] for batch in forecasts], axis=1).astype(float)
  count = targets.shape[1]
  quantile = stats.norm.isf(ODDS / 4 / len(targets)) / math.sqrt(count)
  # Series that began alike are still in step a little: 0.01 was the most in 40 000.
  assert np.abs(targets.mean(1)).max() < quantile * targets.std() + 0.02
  assert np.abs(np.mean(targets**2, axis=1) - 1).max() < quantile * np.std(targets**2) + 0.03


def test_the_constants_are_those_of_a_long_series(rng):
  """300 series of 4080 units, the first half left out; the tolerances are ten standard deviations of these means."""
  series = chaos.mackey_glass_series(jnp.asarray(rng.uniform(0.2, 1.2, 300), jnp.float32), 240)
  late = np.asarray(series, float)[2040:]
  np.testing.assert_allclose(late.mean(), chaos.MEAN, atol=5e-4)
  np.testing.assert_allclose(late.var(), chaos.VARIANCE, rtol=5e-3)


def test_honest_baselines(forecasts):
  train, test = forecasts
  counted = slice(20, None)
  persistence = np.mean((test.inputs[counted] - test.targets[counted]) ** 2)
  np.testing.assert_allclose(jax.jit(tasks.persistence_error)(jax.tree.map(jnp.asarray, test)), persistence, rtol=1e-5)
  assert persistence == pytest.approx(3.1, abs=0.3)
  windows = [np.lib.stride_tricks.sliding_window_view(b.inputs[..., 0], 21, axis=0)[:, :, 1:] for b in forecasts]
  (x, y), (x_test, y_test) = [
    (np.c_[w.reshape(-1, 20), np.ones(w[..., 0].size)].astype(float), b.targets[counted].ravel())
    for w, b in zip(windows, forecasts, strict=True)
  ]
  fit = np.linalg.solve(x.T @ x, x.T @ y)
  expected = np.mean((x_test @ fit - y_test) ** 2)
  assert tasks.linear_error(train, test, 20) == pytest.approx(expected, rel=1e-6)
  assert expected == pytest.approx(0.2, abs=0.03)
  assert tasks.linear_error(train, test, 1) > 2 * expected
  assert tasks.linear_error(train, test, 30) < expected  # some of them zeros


# Utterances


def speech(rng, count=60, steps=7, channels=3, speakers=4):
  """Arrays of utterances that are told apart by their first frame."""
  frames = rng.normal(size=(count, steps, channels)).astype(np.float32)
  frames[:, 0, 0] = np.arange(count)
  lengths = rng.integers(1, steps + 1, count)
  is_test = rng.permutation(np.arange(count) < count // 3)
  return frames, lengths, rng.integers(0, speakers, count), is_test


@pytest.mark.parametrize("per_frame", [False, True])
def test_the_speaker_is_asked_for_at_real_frames(per_frame, rng, key):
  """The baseline is the entropy by loops. It is the loss of a classifier that knows the frequencies at each step."""
  frames, lengths, labels, is_test = speech(rng)
  task = tasks.utterances(frames, lengths, labels, is_test, per_frame)
  assert (task.steps, task.input_size, task.output_size) == (7, 3, labels.max() + 1)
  assert (task.loss, task.score) == (tasks.cross_entropy, tasks.error_rate)
  sampled = draw(task.sample, key, MANY)
  for batch, part in ((sampled, ~is_test), (draw(task.test, key, ALL), is_test)):
    assert [a.dtype for a in batch] == [np.float32, np.int32, np.float32]
    rows = batch.inputs[0, :, 0].astype(int)
    assert set(rows) == set(np.flatnonzero(part))  # odds of missing one of 40: 10⁻⁹
    np.testing.assert_array_equal(batch.inputs, np.swapaxes(frames[rows], 0, 1))
    for b, row in enumerate(rows):
      asked = [t for t in range(7) if (t < lengths[row] if per_frame else t == lengths[row] - 1)]
      np.testing.assert_array_equal(np.flatnonzero(batch.mask[:, b]), asked)
      assert set(batch.targets[asked, b]) == {labels[row]}

  counts = np.zeros((7, task.output_size))
  for length, label, held_out in zip(lengths, labels, is_test, strict=True):
    for t in range(0 if per_frame else length - 1, length):
      counts[t, label] += not held_out
  entropies = [stats.entropy(row) if row.sum() else 0.0 for row in counts]
  assert task.baseline == pytest.approx(counts.sum(1) @ entropies / counts.sum())

  with np.errstate(divide="ignore", invalid="ignore"):
    logs = np.maximum(np.log(counts / counts.sum(1, keepdims=True)), -100).astype(np.float32)
  logs = np.nan_to_num(logs, nan=-100.0)
  paid = -np.take_along_axis(logs, sampled.targets, axis=1) * sampled.mask  # [T, B]
  deviation = np.std(paid.sum(0) - task.baseline * sampled.mask.sum(0)) / sampled.mask.sum(0).mean()
  assert abs(paid.sum() / sampled.mask.sum() - task.baseline) < stats.norm.isf(ODDS / 2) * deviation / math.sqrt(MANY)


def test_held_out_utterances_come_once_each_or_at_random(rng, key):
  frames, lengths, labels, is_test = speech(rng)
  task = tasks.utterances(frames, lengths, labels, is_test)
  first = lambda count, k: draw(task.test, k, count).inputs[0, :, 0].astype(int)
  held_out, keys = np.flatnonzero(is_test), jax.random.split(key)
  np.testing.assert_array_equal(first(len(held_out), key), held_out)
  some, others = (first(15, k) for k in keys)
  assert len(set(some)) == 15
  assert set(some) <= set(held_out)
  assert some.tolist() != others.tolist()
  with jax.enable_x64(True):
    assert first(15, keys[0]).tolist() == some.tolist()


FRAMES = np.zeros((4, 5, 2))
EMPTY = tasks.Batch(np.zeros((0, 1, 1)), np.zeros((0, 1, 1)), np.zeros((0, 1)))
LENGTHS, LABELS, IS_TEST = np.array([5, 1, 2, 3]), np.array([0, 1, 1, 0]), np.array([False, False, True, True])


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (lambda: tasks.utterances(FRAMES[0], LENGTHS, LABELS, IS_TEST), r"frames have shape \(5, 2\)"),
    (lambda: tasks.utterances(FRAMES, LENGTHS[:3], LABELS, IS_TEST), r"lengths \(3,\)"),
    (lambda: tasks.utterances(FRAMES, LENGTHS + 1, LABELS, IS_TEST), "from 1 to the 5 frames there are"),
    (lambda: tasks.utterances(FRAMES, LENGTHS - 1, LABELS, IS_TEST), "from 1 to the 5 frames there are"),
    (lambda: tasks.utterances(FRAMES, LENGTHS, LABELS - 1, IS_TEST), "labels must be whole numbers from 0 on"),
    (lambda: tasks.utterances(FRAMES, LENGTHS, LABELS, IS_TEST * 1), "is_test must be False for some utterances"),
    (lambda: tasks.utterances(FRAMES, LENGTHS, LABELS, IS_TEST | True), "is_test must be False for some utterances"),
    (lambda: tasks.captions(FRAMES, LABELS, "ab"), r"images have shape \(4, 5, 2\) and labels \(4,\)"),
    (
      lambda: tasks.captions(FRAMES[..., 0], LABELS, ["a", ""]),
      "names are .*; there must be some, each of at least one",
    ),
    (lambda: tasks.captions(FRAMES[..., 0], LABELS, []), r"names are \[\]; there must be some"),
    (lambda: tasks.captions(FRAMES[..., 0], LABELS, ["a"]), "labels must be whole numbers from 0 to 0"),
    (lambda: tasks.captions(FRAMES[..., 0], LABELS, "ab", 1.0), "test_share is 1.0; of 4 examples it must leave some"),
    (lambda: tasks.mackey_glass(50, horizon=0), "horizon is 0; it must be a whole number of at least 1"),
    (lambda: tasks.mackey_glass(50, noise=-0.1), "noise is -0.1; it must be finite and at least 0"),
    (lambda: tasks.mackey_glass(50, noise=math.nan), "noise is nan; it must be finite and at least 0"),
    (lambda: tasks.mackey_glass(5, warm_up=5), "length is 5; it must be a whole number of at least 6"),
    (lambda: tasks.mackey_glass(5, warm_up=-1), "warm_up is -1; it must be a whole number of at least 0"),
    (lambda: tasks.linear_error(EMPTY, EMPTY, 0), "taps is 0; it must be a whole number of at least 1"),
  ],
)
def test_what_does_not_fit_is_named(call, message):
  with pytest.raises(ValueError, match=message):
    call()


# Captions

NAMES = ("abba", "b", "cab")


def test_names_are_spelt_after_their_images(rng, key):
  images = rng.normal(size=(50, 6)).astype(np.float32)
  images[:, 0] = np.arange(50)
  labels = rng.integers(0, 3, 50)
  task = tasks.captions(images, labels, NAMES, test_share=0.3)
  assert (task.steps, task.input_size, task.output_size) == (5, 6 + 4, 4)
  for batch, part in ((draw(task.sample, key, 1000), range(35)), (draw(task.test, key, ALL), range(35, 50))):
    rows = batch.inputs[0, :, 0].astype(int)
    assert set(rows) == set(part)  # odds of missing one of 35: 10⁻¹¹
    np.testing.assert_array_equal(batch.inputs[0], np.c_[images[rows], np.zeros((len(rows), 4))])
    np.testing.assert_array_equal(batch.inputs[1:, :, :6], 0)
    for b, row in enumerate(rows):
      name = NAMES[labels[row]]
      wanted = ["·abc".index(letter) for letter in name + "·" * (5 - len(name))]
      np.testing.assert_array_equal(batch.targets[:, b], wanted)
      np.testing.assert_array_equal(batch.inputs[1:, b, 6:].argmax(-1), wanted[:-1])
      np.testing.assert_array_equal(batch.inputs[1:, b, 6:].sum(-1), 1)
      np.testing.assert_array_equal(batch.mask[:, b], np.arange(5) <= len(name))
  assert rows.tolist() == [*range(35, 50)]


def test_symbols_and_rows_of_a_decoder():
  assert alphabet(NAMES) == ("", "a", "b", "c")
  assert spell(NAMES).tolist() == [[1, 2, 2, 1, END], [2, END, END, END, END], [3, 1, 2, END, END]]
  letters = jax.jit(letter_row, static_argnums=(1, 2))(jnp.int32([0, 3]), 2, 4)
  np.testing.assert_array_equal(letters, [[0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1]])
  np.testing.assert_array_equal(image_row(jnp.float32([[5, 6]]), 3), [[5, 6, 0, 0, 0]])


def test_baseline_of_captions_is_that_of_letters_by_step(rng):
  labels = rng.integers(0, 3, 40)
  task = tasks.captions(np.zeros((40, 2)), labels, NAMES, test_share=0.25)
  written = [NAMES[label] + "." for label in labels[:30]]
  columns = [[word[t] for word in written if t < len(word)] for t in range(5)]
  nats = sum(len(c) * stats.entropy(np.unique(c, return_counts=True)[1]) for c in columns if c)
  assert task.baseline == pytest.approx(nats / sum(map(len, columns)))
  # Where every name is as frequent: ln 3, and then a or b with 2/3 of what is left of them, ….
  even = tasks.captions(np.zeros((30, 2)), np.arange(30) % 3, NAMES, test_share=0.5)
  two = stats.entropy([1, 1])
  assert even.baseline == pytest.approx((3 * math.log(3) + 3 * math.log(3) + 2 * 0 + 2 * two) / 11)
  assert (task.loss, task.score) == (tasks.cross_entropy, tasks.error_rate)


def test_entropy_by_step_by_hand():
  labels, mask = np.array([[0, 1, 2], [0, 0, 1], [2, 2, 2]]), np.array([[1, 1, 0], [1, 1, 1], [0, 0, 0]])
  assert entropy_by_step(labels, mask) == pytest.approx((2 * math.log(2) + 3 * stats.entropy([2, 1])) / 5)


@pytest.mark.parametrize(
  ("name", "package"), [("vowels", "aeon"), ("vowels_per_frame", "aeon"), ("captions", "sklearn")]
)
def test_tasks_of_installed_data(name, package, key):
  if find_spec(package) is None:
    pytest.skip(f"{package} is not installed")
  task = data.data_task(name)
  held_out = draw(task.test, key, 1000)
  if name == "captions":
    assert (task.input_size, task.output_size, task.steps) == (64 + 16, 16, 6)
    assert held_out.targets.shape == (6, 359)
    first = held_out.targets[0] - 1
    letters = "efghinorstuvwxz"
    expected = [letters.index(data.DIGIT_NAMES[digit][0]) for digit in data.digits()[1][-359:]]
    np.testing.assert_array_equal(first, expected)
  else:
    vowels = data.japanese_vowels()
    assert (task.input_size, task.output_size, task.steps) == (12, 9, 29)
    last = vowels.lengths[270:] - 1
    np.testing.assert_array_equal(held_out.targets[last, np.arange(370)], vowels.speakers[270:])
    assert held_out.mask.sum() == (vowels.lengths[270:].sum() if name == "vowels_per_frame" else 370)
    assert 0 < task.baseline < math.log(9)
