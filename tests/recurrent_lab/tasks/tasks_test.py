"""Every task against a second derivation of its targets from its inputs, and every baseline against a fitted constant."""

from functools import cache, partial
import itertools
import math
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from experiments.training import data
from recurrent_lab import tasks
from recurrent_lab.tasks import TASKS, Batch, get_task, stories
from recurrent_lab.tasks._tagging import AMBIGUOUS, COMPANY_CUES, NEUTRAL, WORDS

# Name -> the smallest number that the task allows, one that suits the statistics, and a large one.
NUMBERS = {
  "adding": (2, 12, 1000),
  "multiplication": (2, 13, 1000),
  "copy_memory": (1, 6, 1000),
  "noiseless_memorization": (1, 7, 1000),
  "delayed_copy": (1, 5, 400),
  "temporal_order": (10, 57, 1000),
  "temporal_order_3": (10, 57, 1000),
  "random_permutation": (2, 8, 1000),
  "long_lag": (2, 9, 600),
  "delayed_xor": (2, 6, 400),
  "spike_timing": (1, 5, 100),
  "long_range_recall": (1, 17, 400),
  "tagging": (1, 6, 400),
  "next_item": (2, 12, 400),
  "parity": (2, 9, 300),
  "permutation_product": (2, 8, 200),
  "swap_product": (2, 7, 200),
  "perceptual_decision": (1, 9, 300),
  "context_integration": (1, 9, 300),
  "delayed_comparison": (1, 8, 400),
  "mackey_glass": (21, 21, 100),  # 21 has one step that counts, so that all errors are independent
}
REGRESSIONS = ("adding", "multiplication", "delayed_copy", "spike_timing", "mackey_glass")
CLASSIFICATIONS = tuple(name for name in TASKS if name not in REGRESSIONS)
UNEVEN = ("tagging", "next_item")  # labels of unequal frequency or dependent steps: see `language_tasks_test.py`
ODDS = 1e-8  # probability that a statistical test fails by chance
MANY = (
  4000  # examples; where a test needs few, it takes the first of as many, since compiling another shape takes longer
)


@cache
def usual(name):
  """The task that suits the statistics, always the same object, so that its sampling is compiled once."""
  return get_task(name, NUMBERS[name][1])


def draw(task, key, batch_size=MANY):
  """A batch as NumPy arrays."""
  return Batch(*map(np.asarray, jax.jit(task.sample, static_argnums=1)(key, batch_size)))


def first(batch, count):
  return Batch(*(a[:, :count] for a in batch))


def judge(task, outputs, batch):
  """(loss, score) as floats."""
  return map(float, _judge(task, outputs, batch))


@partial(jax.jit, static_argnums=0)
def _judge(task, outputs, batch):
  return task.loss(outputs, batch), task.score(outputs, batch)


def perfect(task, batch):
  """Returns the best possible outputs."""
  if batch.targets.ndim == 3:
    return batch.targets
  return 100.0 * np.eye(task.output_size, dtype=np.float32)[batch.targets]


def one_hot_symbols(inputs):
  assert set(np.unique(inputs)) <= {0.0, 1.0}
  np.testing.assert_array_equal(inputs.sum(-1), 1)
  return inputs.argmax(-1)


def at_the_end(answers, steps):
  """(targets, mask) of one sequence that is asked at its last step."""
  targets = np.zeros((steps, *np.shape(answers)))
  targets[-1] = answers
  return targets, np.arange(steps) == steps - 1


# For each task: the inputs [T, I] of one sequence and the number of the task -> (targets, mask), NaN for what they do not tell.


def marked(inputs, length):
  assert len(inputs) == length
  steps = [t for t in range(length) if inputs[t, 1] == 1]
  assert len(steps) == 2
  assert steps[0] < length // 2 <= steps[1]
  assert np.all(inputs[np.delete(np.arange(length), steps), 1] == 0)
  assert np.all((inputs[:, 0] >= 0) & (inputs[:, 0] < 1))
  return inputs[steps, 0]


def recalled(inputs, lag, symbols, width, cue):
  seen = one_hot_symbols(inputs)
  pattern = list(seen[:width])
  assert max(pattern) < symbols
  pause = [symbols] * (lag + width)
  pause[cue] = symbols + 1
  np.testing.assert_array_equal(seen, pattern + pause)
  return [symbols] * (lag + width) + pattern, np.ones(len(seen))


def copied(inputs, delay):
  assert len(inputs) == 3 * delay
  assert np.all((inputs >= 0) & (inputs < 1))
  targets = [inputs[t - delay] if t >= delay else [0] for t in range(len(inputs))]
  return targets, np.arange(len(inputs)) >= delay


def ordered(inputs, length, tenths):
  symbols = one_hot_symbols(inputs)
  steps = [t for t in range(length) if symbols[t] < 2]
  assert len(symbols) == length
  assert len(steps) == len(tenths)
  for step, tenth in zip(steps, tenths, strict=True):
    assert 0 <= step - math.floor(tenth * length / 10) < math.floor(length / 10)
  orders = list(itertools.product((0, 1), repeat=len(tenths)))  # AA, AB, BA, BB
  return at_the_end(orders.index(tuple(symbols[steps])), length)


def followed(inputs, length, between):
  symbols = one_hot_symbols(inputs)
  assert len(symbols) == length
  assert symbols[0] < 2
  assert all(symbol in between(t) for t, symbol in enumerate(symbols) if t)
  return [*symbols[1:], symbols[0]], np.ones(length)


def exclusive(inputs, delay):
  bits = [{0.0: False, 1.0: True}[x] for x in inputs[:, 0]]
  assert len(bits) == 3 * delay
  targets = [t >= delay and bits[t - delay // 2] is not bits[t - delay] for t in range(len(bits))]
  return np.int32(targets), np.arange(len(bits)) >= delay


def timed(inputs, shortest):
  assert len(inputs) == 10 * (shortest + 1) + 1
  spikes = np.flatnonzero(inputs[:, 0])
  assert len(spikes) == 11
  assert spikes[0] == 0
  assert np.all(inputs[spikes] == 1)
  targets, mask = np.zeros((len(inputs), 1)), np.zeros(len(inputs))
  targets[spikes[1:], 0] = np.diff(spikes) - shortest
  mask[spikes[1:]] = 1
  assert set(np.unique(targets)) <= {0, 1}
  return targets, mask


def greeted(inputs, gap):
  """The one of the two who does not speak."""
  words = [stories.WORDS[i] for i in one_hot_symbols(inputs)]
  first, second = (words[-1 - lag] for lag in tasks.name_lags(gap))
  assert len({first, second} & set(stories.NAMES)) == 2
  assert " ".join(words[:6]) == f"{first} walked into the room ."
  assert " ".join(words[6:11]) == f"{second} walked in too ."
  assert len(words[11:-4]) == gap
  assert words[-3:] == ["said", "hi", "to"]
  answer = {first: second, second: first}[words[-4]]
  return at_the_end(stories.WORDS.index(answer), len(words))


def tagged(inputs, length):
  words = [WORDS[i] for i in one_hot_symbols(inputs)]
  assert len(words) == length
  targets = np.zeros(length)
  (where,) = (t for t, word in enumerate(words) if word in AMBIGUOUS)
  cues = [word for word in words[:where] if word not in NEUTRAL]
  assert set(words[where + 1 :]) <= set(NEUTRAL)
  assert len(cues) == (length > 1)
  targets[where] = 1 + (cues[0] in COMPANY_CUES) if cues else np.nan
  return targets, np.ones(length)


def clicked(inputs, length):
  items = one_hot_symbols(inputs)
  assert len(items) == length
  assert items[0] < 16
  assert all((item - 16) // 4 == t % 4 for t, item in enumerate(items[1:]))
  return [*items[1:], np.nan], np.arange(length) >= 1


def multiplied(inputs, moves):
  """The running products of permutation matrices; the label of a product is its place in lexicographic order."""
  size = len(moves[0])
  labels = {tuple(p): i for i, p in enumerate(sorted(itertools.permutations(range(size))))}
  product, targets = np.eye(size), []
  for symbol in one_hot_symbols(inputs):
    product = np.eye(size)[:, list(moves[symbol])] @ product  # column k has its 1 in row p(k)
    targets.append(labels[tuple(product.argmax(0))])
  return targets, np.ones(len(inputs))


def compared(inputs, delay):
  first, *pause, second = inputs[:, 0]
  assert len(pause) == delay - 1
  assert not np.any(pause)
  assert 0.1 <= abs(second - first) <= 0.5 + 1e-6
  return at_the_end(second > first, delay + 1)


def decided(inputs, length, context=False):
  """Only the sign of the mean is known to the sampler, so the sum of a strong stimulus alone gives the target."""
  stream = inputs[:, 0]
  if context:
    assert np.all(inputs[:, 2:].sum(1) == 1)
    (which,) = set(inputs[:, 3])
    stream = inputs[:, int(which)]
  strength = stream.sum() / math.sqrt(length)
  return at_the_end(strength > 0 if abs(strength) > 6 else np.nan, length)  # Φ(-7) = 1e-12 for the wrong sign


ORACLES = {
  "adding": lambda inputs, n: at_the_end([sum(marked(inputs, n))], n),
  "multiplication": lambda inputs, n: at_the_end([np.prod(marked(inputs, n))], n),
  "copy_memory": lambda inputs, n: recalled(inputs, n, symbols=8, width=10, cue=n - 1),
  "noiseless_memorization": lambda inputs, n: recalled(inputs, n, symbols=2, width=5, cue=n),
  "delayed_copy": copied,
  "temporal_order": lambda inputs, n: ordered(inputs, n, (1, 4)),
  "temporal_order_3": lambda inputs, n: ordered(inputs, n, (1, 3, 6)),
  "random_permutation": lambda inputs, n: followed(inputs, n, lambda t: range(2, 100)),
  "long_lag": lambda inputs, n: followed(inputs, n, lambda t: [t + 1]),
  "delayed_xor": exclusive,
  "spike_timing": timed,
  "long_range_recall": greeted,
  "tagging": tagged,
  "next_item": clicked,
  "parity": lambda inputs, n: multiplied(inputs, ((0, 1), (1, 0))),
  "permutation_product": lambda inputs, n: multiplied(inputs, sorted(itertools.permutations(range(3)))),
  "swap_product": lambda inputs, n: multiplied(inputs, ((0, 2, 1), (1, 0, 2), (2, 1, 0))),
  "perceptual_decision": decided,
  "context_integration": lambda inputs, n: decided(inputs, n, context=True),
  "delayed_comparison": compared,
  "mackey_glass": lambda inputs, n: (np.full((n, 1), np.nan), np.arange(n) >= 20),  # see `series_tasks_test.py`
}


@pytest.mark.parametrize("size", [0, 1, 2], ids=["smallest", "usual", "large"])
@pytest.mark.parametrize("name", TASKS)
def test_targets_follow_from_inputs(name, size, key):
  number = NUMBERS[name][size]
  task = usual(name) if size == 1 else get_task(name, number)
  batch_size = (40, 100, 2)[size]
  batch = draw(task, key, batch_size) if size != 1 else first(draw(task, key), batch_size)
  assert task.name == name
  assert batch.inputs.shape == (task.steps, batch_size, task.input_size)
  assert batch.mask.shape == (task.steps, batch_size)
  assert batch.inputs.dtype == batch.mask.dtype == np.float32
  if name in REGRESSIONS:
    assert batch.targets.shape == (task.steps, batch_size, task.output_size)
    assert batch.targets.dtype == np.float32
  else:
    assert batch.targets.shape == (task.steps, batch_size)
    assert batch.targets.dtype == np.int32
  for b in range(batch_size):
    targets, mask = ORACLES[name](batch.inputs[:, b], number)
    known = ~np.isnan(targets)
    np.testing.assert_allclose(batch.targets[:, b][known], np.asarray(targets)[known], rtol=1e-6)
    np.testing.assert_array_equal(batch.mask[:, b], mask)


@pytest.mark.parametrize("name", [name for name in CLASSIFICATIONS if name not in UNEVEN])
def test_baseline_is_the_best_constant_classifier(name, key):
  """Frequencies fitted to n examples, step by step, undercut the true entropy: 2 n (H - Ĥ) summed over steps is χ² (Wilks)."""
  n = MANY
  task = usual(name)
  batch = draw(task, key)
  counted = np.flatnonzero(batch.mask[:, 0])
  assert np.all(batch.mask == batch.mask[:, :1])  # so that every step that counts has n examples
  shares = np.stack([np.bincount(labels, minlength=task.output_size) for labels in batch.targets]) / n
  log_shares = np.log(shares, out=np.full(shares.shape, -100.0), where=shares > 0)
  entropies = -(shares * log_shares)[counted].sum(1)
  freedom = np.sum((shares[counted] > 0).sum(1) - 1)
  low, high = stats.chi2.ppf([ODDS, 1 - ODDS], freedom)
  # Counts are whole numbers, so with few degrees of freedom the fit may be exact.
  assert low - 0.01 <= 2 * n * (len(counted) * task.baseline - entropies.sum()) <= high

  outputs = np.broadcast_to(np.float32(log_shares)[:, None], (task.steps, n, task.output_size))
  loss, score = judge(task, outputs, batch)
  assert loss == pytest.approx(entropies.mean(), rel=1e-5)
  assert score > 0.3


@pytest.mark.parametrize("name", REGRESSIONS)
def test_baseline_is_the_best_constant_regressor(name, key):
  task = usual(name)
  batch = draw(task, key)
  is_counted = batch.mask[..., None] > 0
  axis = None if name == "spike_timing" else 1  # there, one constant for all steps
  with np.errstate(invalid="ignore"):
    counts = np.maximum(is_counted.sum(axis, keepdims=True), 1)
    means = np.where(is_counted, batch.targets, 0).sum(axis, keepdims=True, dtype=float) / counts
  errors = ((batch.targets - means) ** 2)[is_counted]
  # The squared errors of one sequence are independent, so their standard error is that of a mean.
  tolerance = stats.norm.isf(ODDS / 2) * errors.std() / math.sqrt(len(errors))
  assert abs(errors.mean() - task.baseline) < tolerance
  assert tolerance < 0.2 * task.baseline

  loss, score = judge(task, np.broadcast_to(np.float32(means), batch.targets.shape), batch)
  assert loss == pytest.approx(errors.mean(), rel=1e-5)
  assert score > 10 * task.solved_below


@pytest.mark.parametrize("name", TASKS)
def test_only_a_net_that_knows_has_solved_it(name, key):
  task = usual(name)
  batch = first(draw(task, key), 1)  # one example alone works too
  right = perfect(task, batch)
  elsewhere = np.where(batch.mask[..., None] > 0, right, 7.0)
  wrong = np.roll(right, 1, axis=-1) + 2.0
  broken = np.full_like(right, np.nan)
  losses, scores = jax.jit(jax.vmap(lambda o: (task.loss(o, batch), task.score(o, batch))))(
    np.stack([right, elsewhere, wrong, broken])
  )
  np.testing.assert_array_equal(scores[:2], 0)
  np.testing.assert_allclose(losses[:2], 0, atol=1e-6)
  assert losses[2] > task.baseline
  assert scores[2] > task.solved_below
  assert np.isnan(losses[3])
  assert not scores[3] < task.solved_below


@pytest.mark.parametrize(
  ("name", "number", "needed"),
  [("copy_memory", 20, 10), ("noiseless_memorization", 20, 5), ("random_permutation", 30, 1), ("long_lag", 30, 1)],
)
def test_score_sees_only_the_steps_that_need_memory(name, number, needed, key):
  task = get_task(name, number)
  batch = draw(task, key, 5)
  right = perfect(task, batch)
  wrong = np.roll(right, 1, axis=-1)
  for early, late, expected in ((wrong, right, 0), (right, wrong, 1)):
    loss, score = judge(task, np.concatenate([early[:-needed], late[-needed:]]), batch)
    assert score == expected
    assert loss > 1


def test_three_quarters_of_the_evidence_must_be_summed(key):
  """The sign of the sum is wrong with probability Φ(-d), averaged over the strengths; that of a part of it with Φ(-d √part)."""
  batch = draw(get_task("perceptual_decision", 16), key, 100_000)
  wrong = lambda steps: np.mean((batch.inputs[-steps:, :, 0].sum(0) > 0) != batch.targets[-1])
  for steps in (16, 8, 4):
    expected = np.mean(stats.norm.sf(np.array([1, 2, 4, 8]) * math.sqrt(steps / 16)))
    assert wrong(steps) == pytest.approx(expected, abs=stats.norm.isf(ODDS / 2) * math.sqrt(expected / 100_000))
  solved = get_task("perceptual_decision", 16).solved_below
  assert wrong(16) < solved < wrong(8)
  batch = draw(get_task("context_integration", 16), key, 20_000)
  cued = np.take_along_axis(batch.inputs[..., :2].sum(0), batch.inputs[0, :, 3:].astype(int), axis=1)[:, 0]
  assert np.mean((cued > 0) != batch.targets[-1]) < solved
  assert np.mean((batch.inputs[..., :2].sum((0, 2)) > 0) != batch.targets[-1]) > 0.2


@pytest.mark.parametrize("name", TASKS)
def test_data_are_a_pure_function_of_the_key(name, key):
  task = usual(name)
  assert task.test is task.sample
  keys = jax.random.split(key, 2)
  one, other, again = (draw(task, k) for k in (*keys, keys[0]))
  jax.tree.map(np.testing.assert_array_equal, one, again)
  assert not np.array_equal(one.inputs, other.inputs)
  # Neither a vmap over keys nor 64-bit mode changes anything.
  with jax.enable_x64(True):
    mapped = jax.jit(jax.vmap(lambda k: task.sample(k, MANY)))(keys)
  for i, batch in enumerate((one, other)):
    assert [a.dtype for a in mapped] == [a.dtype for a in batch]
    jax.tree.map(np.testing.assert_array_equal, batch, jax.tree.map(lambda a, i=i: a[i], mapped))


def test_examples_are_independent_and_use_every_step(key):
  """Both halves are marked everywhere, each window of the temporal order is used up, and 8 symbols are equally frequent."""
  marks = draw(tasks.adding(12), key).inputs[..., 1].sum(1)
  for half in (marks[:6], marks[6:]):
    assert stats.chisquare(half).pvalue > ODDS
  is_relevant = draw(tasks.temporal_order(57, symbols=3), key).inputs[..., :2].sum((1, 2))
  used = np.flatnonzero(is_relevant)
  np.testing.assert_array_equal(used, [*range(5, 10), *range(17, 22), *range(34, 39)])
  assert stats.chisquare(is_relevant[used]).pvalue > ODDS
  assert stats.chisquare(draw(tasks.copy_memory(6), key).inputs[:10].sum((0, 1))[:8]).pvalue > ODDS


def test_equal_arguments_give_the_identical_task():
  assert tasks.adding(10) is tasks.adding(length=10) is get_task("adding", 10)
  assert tasks.copy_memory(5, width=10) is tasks.copy_memory(lag=5, symbols=8)
  assert tasks.temporal_order(20, 3) is get_task("temporal_order_3", 20)
  assert get_task("delayed_copy", 4) is tasks.delayed_copy(4, 12)
  assert tasks.adding(10) is not tasks.adding(11)
  assert hash(tasks.adding(10)) == hash(tasks.adding(10))


def test_variants_of_the_numbers(key):
  task = tasks.copy_memory(4, symbols=3, width=2)
  batch = draw(task, key, 30)
  for b in range(30):
    targets, _ = recalled(batch.inputs[:, b], 4, symbols=3, width=2, cue=3)
    np.testing.assert_array_equal(batch.targets[:, b], targets)
  assert task.baseline == pytest.approx(2 * math.log(3) / 8)
  assert tasks.copy_memory(100).baseline == pytest.approx(10 * math.log(8) / 120)  # the formula of the paper
  assert tasks.noiseless_memorization(9, bits=3).steps == 15
  assert tasks.random_permutation(4, symbols=6).baseline == pytest.approx((3 * math.log(4) + math.log(2)) / 4)
  spikes = tasks.spike_timing(3, delays=4, spikes=2)
  batch = draw(spikes, key, 200)
  assert spikes.steps == 13
  assert spikes.baseline == np.var(range(4))
  assert set(batch.targets[batch.mask > 0].ravel()) == {0, 1, 2, 3}
  np.testing.assert_array_equal(batch.mask.sum(0), 2)


@pytest.mark.parametrize("name", TASKS)
def test_numbers_that_are_too_small_are_named(name):
  for number in (NUMBERS[name][0] - 1, 0, -3):
    with pytest.raises(ValueError, match=rf"is {number}; it must be a whole number of at least {NUMBERS[name][0]}\."):
      get_task(name, number)


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (lambda: get_task("addition", 10), "Task 'addition' is unknown; choose one of adding, multiplication, copy_memory"),
    (lambda: get_task("delayed_xor", 7), "delay is 7; it must be even"),
    (lambda: tasks.delayed_xor(6, 6), "length is 6; it must be a whole number of at least 7"),
    (lambda: tasks.delayed_copy(6, 6), "length is 6; it must be a whole number of at least 7"),
    (lambda: tasks.temporal_order(50, symbols=4), "Number of symbols 4 is unknown; choose one of 2, 3"),
    (lambda: tasks.copy_memory(5, symbols=1), "symbols is 1; it must be a whole number of at least 2"),
    (lambda: tasks.copy_memory(5, width=0), "width is 0; it must be a whole number of at least 1"),
    (lambda: tasks.noiseless_memorization(5, bits=0), "bits is 0; it must be a whole number of at least 1"),
    (lambda: tasks.random_permutation(5, symbols=2), "symbols is 2; it must be a whole number of at least 3"),
    (lambda: tasks.spike_timing(5, delays=1), "delays is 1; it must be a whole number of at least 2"),
    (lambda: tasks.spike_timing(5, spikes=0), "spikes is 0; it must be a whole number of at least 1"),
  ],
)
def test_bad_arguments_are_named(call, message):
  with pytest.raises(ValueError, match=message):
    call()


def test_losses_by_hand(rng):
  outputs = rng.normal(size=(4, 3, 5)).astype(np.float32)
  mask = np.float32(rng.integers(0, 2, (4, 3)))
  mask[0, 0] = 1
  counted = [(t, b) for t in range(4) for b in range(3) if mask[t, b]]
  numbers = rng.normal(size=outputs.shape).astype(np.float32)
  labels = rng.integers(0, 5, (4, 3)).astype(np.int32)
  expected = np.mean([np.mean((outputs[i] - numbers[i]) ** 2.0) for i in counted])
  batch = Batch(outputs, jnp.asarray(numbers), jnp.asarray(mask))
  np.testing.assert_allclose(tasks.mean_squared_error(jnp.asarray(outputs), batch), expected, rtol=1e-6)
  batch = batch._replace(targets=jnp.asarray(labels))
  nats = [math.log(sum(math.exp(o) for o in outputs[i])) - outputs[i][labels[i]] for i in counted]
  np.testing.assert_allclose(tasks.cross_entropy(jnp.asarray(outputs), batch), np.mean(nats), rtol=1e-6)
  wrong = [labels[i] != max(range(5), key=lambda c, i=i: outputs[i][c]) for i in counted]
  np.testing.assert_allclose(tasks.error_rate(jnp.asarray(outputs), batch), np.mean(wrong), rtol=1e-6)


def test_cross_entropy_of_a_very_sure_net():
  """Logits of 10⁴ neither overflow nor underflow, in value or gradient."""
  outputs = jnp.array([[[1e4, -1e4, 0.0]], [[1e4, -1e4, 0.0]]])
  batch = Batch(jnp.zeros((2, 1, 1)), jnp.int32([[0], [1]]), jnp.ones((2, 1)))
  loss, gradient = jax.value_and_grad(tasks.cross_entropy)(outputs, batch)
  assert loss == 1e4
  np.testing.assert_allclose(gradient, [[[0, 0, 0]], [[0.5, -0.5, 0]]], atol=1e-7)


def test_digits_are_read_pixel_by_pixel(rng, key):
  """Images whose every pixel tells which image it is: what is drawn, from which part, and in which order."""
  images = rng.permutation(50)[:, None] + np.arange(6) / 8
  labels = rng.integers(0, 4, 50)
  order = rng.permutation(6)
  for permutation, name in ((None, "digits"), (order, "permuted_digits")):
    task = tasks.sequential_digits(images, labels, permutation, test_share=0.3)
    assert task.name == name
    assert (task.input_size, task.output_size, task.steps) == (1, labels.max() + 1, 6)
    for part_of_task, part in ((task, slice(0, 35)), (task._replace(sample=task.test), slice(35, 50))):
      batch = draw(part_of_task, key, 300)
      shown = batch.inputs[..., 0].T
      rows = [int(np.flatnonzero(images[:, 0] == math.floor(row[0]))[0]) for row in shown]
      np.testing.assert_array_equal(shown, images[rows][:, order if permutation is not None else range(6)])
      np.testing.assert_array_equal(batch.targets[-1], labels[rows])
      np.testing.assert_array_equal(batch.mask.sum(0), batch.mask[-1])
      assert set(rows) <= set(range(50)[part])
      assert len(set(rows)) > 10


def test_baseline_of_the_digits_is_the_entropy_of_the_training_labels(key):
  labels = np.array([0] * 30 + [1] * 10 + [3] * 20 + [2] * 20)  # the last 20, class 2, are held out
  task = tasks.sequential_digits(np.zeros((80, 3)), labels, test_share=0.25)
  assert task.output_size == 4
  assert task.baseline == pytest.approx(stats.entropy([30, 10, 20]))
  batch = draw(task, key)
  log_shares = np.log(np.float32([1 / 2, 1 / 6, 1e-30, 1 / 3]))
  loss, score = judge(task, np.broadcast_to(log_shares, (3, MANY, 4)), batch)
  tolerance = stats.norm.isf(ODDS / 2) * log_shares[batch.targets[-1]].std() / math.sqrt(MANY)
  assert abs(loss - task.baseline) < tolerance
  assert score > task.solved_below
  assert list(judge(task, perfect(task, batch), batch)) == [0, 0]


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    ((np.zeros((4, 2, 2)), np.zeros(4, int)), r"images have shape \(4, 2, 2\)"),
    ((np.zeros((4, 2)), np.zeros(5, int)), r"labels \(5,\); they must be \[N, P\] and \[N\]"),
    ((np.zeros((4, 2)), np.zeros(4)), "labels must be whole numbers"),
    ((np.zeros((4, 2)), np.array([0, 1, -1, 0])), "labels must be whole numbers from 0 on"),
    ((np.zeros((4, 2)), np.zeros(4, int), np.array([0, 0])), "permutation must hold each of the pixels 0 to 1 once"),
    ((np.zeros((4, 2)), np.zeros(4, int), None, 0.0), "test_share is 0.0; of 4 examples it must leave some"),
    ((np.zeros((4, 2)), np.zeros(4, int), None, 1.0), "test_share is 1.0; of 4 examples it must leave some"),
  ],
)
def test_digits_that_do_not_fit_are_named(arguments, message):
  with pytest.raises(ValueError, match=message):
    tasks.sequential_digits(*arguments)


def test_the_digits_of_scikit_learn(key):
  pytest.importorskip("sklearn", reason="the digits come with scikit-learn, which is not installed")
  images, labels = data.digits()
  assert images.shape == (1797, 64)
  assert images.dtype == np.float32
  assert labels.dtype == np.int32
  assert (images.min(), images.max()) == (0, 1)
  task = tasks.sequential_digits(images, labels)
  assert task.output_size == 10
  assert 0 <= math.log(10) - task.baseline < 0.01  # nearly equally frequent
  # Nearest neighbours know held-out digits, without any net.
  train, held_out = draw(task, key, 1000), draw(task._replace(sample=task.test), key, 300)
  assert set(held_out.targets[-1]) == set(range(10))  # odds of missing one are below 10⁻¹¹
  distances = np.sum((held_out.inputs[:, :, None, 0] - train.inputs[:, None, :, 0]) ** 2, axis=0)
  guesses = train.targets[-1][np.argmin(distances, axis=1)]
  assert np.mean(guesses == held_out.targets[-1]) > 0.7


def test_missing_scikit_learn_is_named(monkeypatch):
  monkeypatch.setitem(sys.modules, "sklearn", None)
  monkeypatch.delitem(sys.modules, "sklearn.datasets", raising=False)
  with pytest.raises(ImportError, match=r"the extra `digits` of recurrent-lab: pip install scikit-learn\."):
    data.digits()
