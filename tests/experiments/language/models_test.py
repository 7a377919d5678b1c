"""Language models end to end on a small text: their numbers against a NumPy loop, what they write, what they refuse."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import character_model, generate, ngram, word_model
from experiments.language import models, settings, sources, text, writing
import recurrent_lab as rl
from recurrent_lab import ngram as counts
from recurrent_lab.tasks import language as language_task
from recurrent_lab.tasks import next_tokens
from recurrent_lab.training import full_gradient, init_params, optimizer, truncated_gradient
from sweepkit import runner, store
from tests import reference
from tests.nets import to_float64

SMALL = ("--length=8", "--hidden_size=6", "--batch=4", "--updates=60", "--seeds=2")
VOCABULARY = 30


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
  """A text of two kinds of sentences, in which the last word repeats the first."""
  rng = np.random.default_rng(0)
  names = [f"name{i}" for i in range(10)]
  middles = [f"word{i}" for i in range(20)]
  lines = []
  for _ in range(400):
    name = rng.choice(names)
    lines.append(f"{name} {' '.join(rng.choice(middles, 3))} {name}.")
  path = tmp_path_factory.mktemp("text") / "small.txt"
  path.write_text("\n\n".join(lines), encoding="utf-8")
  return path


@pytest.fixture(scope="module")
def trained(corpus):
  """The folder of the results of a launch."""
  out = corpus.parent / "results"
  flags = [*SMALL, f"--corpus={corpus}", f"--vocabulary={VOCABULARY}", "--cells=lstm", f"--out={out}"]
  assert runner.main(word_model.EXPERIMENT, flags) == 0
  return out / "word_model"


@pytest.fixture(scope="module")
def model(trained):
  return writing.load_model(trained)


def loop_losses(model, tokens):
  """-ln P of every token but the first, by NumPy loops in float64."""
  params = to_float64(model.params)
  outputs = reference.CELLS["lstm"](params.cell, np.eye(VOCABULARY)[tokens[:-1]])
  logits = outputs @ params.readout.kernel + params.readout.bias
  return np.log(np.exp(logits).sum(-1)) - logits[np.arange(len(logits)), tokens[1:]]


def test_what_is_stored_is_what_a_loop_finds(trained, model):
  data = store.load_results(trained).squeeze(drop=True).isel(seed=0)
  test = model.corpus.test
  rows = models.windows(test, 8)
  np.testing.assert_array_equal(np.concatenate([rows[:, 1:].ravel(), test[1 + rows[:, 1:].size :]]), test[1:])
  losses = np.array([loop_losses(model, row) for row in rows])
  np.testing.assert_allclose(data.test_nats, losses.mean(), rtol=1e-5)
  assert data.history.values.tolist() == [1, 2, 4, 8]
  spread = np.linspace(8, len(test) - 1, min(models.HISTORY_TOKENS, len(test) - 8)).astype(int)
  for history in (1, 4):
    expected = np.mean([loop_losses(model, test[i - history : i + 1])[-1] for i in spread])
    np.testing.assert_allclose(data.history_nats.sel(history=history), expected, rtol=1e-5)


def test_an_untrained_model_knows_nothing_and_training_helps(trained, corpus):
  data = store.load_results(trained)
  np.testing.assert_allclose(data.first_nats, math.log(VOCABULARY), atol=0.02)
  assert np.all(data.test_nats < data.first_nats)
  assert bool((data.test_loss.isel(update=-1) < data.test_loss.isel(update=0)).all())


def test_profiles_by_lag_start_at_the_last_step(trained, model):
  data = store.load_results(trained).squeeze(drop=True).isel(seed=0)
  assert data.log_product.sizes["lag"] == data.log_adjoint_last.sizes["lag"] == 9
  assert data.log_product[0] == 0
  rows = models.windows(model.corpus.test, 8)
  rows = rows[np.linspace(0, len(rows) - 1, min(models.LAG_WINDOWS, len(rows))).astype(int)]

  def one(row):
    xs = jax.nn.one_hot(row[:-1], VOCABULARY)  # the long way
    jacobians = rl.state_jacobians(model.cell, model.params.cell, xs)
    product = jnp.linalg.norm(jacobians[-1] @ jacobians[-2] @ jacobians[-3]) / math.sqrt(
      12
    )  # 6 hidden and 6 cell values
    _, outputs = rl.unroll(model.cell, model.params.cell, xs)
    loss = lambda output: -jax.nn.log_softmax(rl.readout(model.params.readout, output))[row[-1]]
    return jnp.log(product), jnp.log(jnp.linalg.norm(jax.grad(loss)(outputs[-1])))

  product, adjoint = map(np.mean, jax.vmap(one)(jnp.asarray(rows)))
  np.testing.assert_allclose(data.log_product.sel(lag=3), product, rtol=1e-4)
  np.testing.assert_allclose(data.log_adjoint_last[0], adjoint, rtol=1e-4)


@pytest.mark.slow
def test_the_classic_truncated_run_starts_and_descends(corpus, tmp_path):
  flags = [*SMALL, f"--corpus={corpus}", "--vocabulary=30", "--cells=rnn", "--k1=1", "--k2=4", f"--out={tmp_path}"]
  assert runner.main(word_model.EXPERIMENT, [*flags, "--optimizer=sgd", "--learning_rate=1"]) == 0
  data = store.load_results(tmp_path / "word_model").squeeze(drop=True)
  assert bool((data.test_nats < data.first_nats).all())


@pytest.mark.parametrize("name", ["rnn", pytest.param("gru", marks=pytest.mark.slow)])
def test_gradient_check_of_a_word_model(name, key, rng):
  """Central differences in float64, along a random direction."""
  with jax.enable_x64(True):
    task = language_task(rng.integers(0, 7, 200), rng.integers(0, 7, 50), 7, 6)
    cell = rl.get_cell(name)
    params = init_params(key, cell, task, 5, dtype=jnp.float64)
    batch = next_tokens(jnp.asarray(rng.integers(0, 7, (7, 3))))
    gradient = full_gradient(cell, task)
    _, grads = gradient(params, batch)
    _, truncated = truncated_gradient(cell, task, 6, 6)(params, batch)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), grads, truncated)
    direction = jax.tree.map(lambda p: jnp.asarray(rng.normal(size=p.shape)), params)
    along = lambda t: gradient(jax.tree.map(lambda p, d: p + t * d, params, direction), batch)[0]
    slope = sum(jnp.vdot(g, d) for g, d in zip(*map(jax.tree.leaves, (grads, direction)), strict=True))
    np.testing.assert_allclose((along(1e-5) - along(-1e-5)) / 2e-5, slope, rtol=1e-6)


def test_a_decaying_rate_ends_at_zero():
  adam = optimizer("sgd", 0.5, decay_over=10)
  state = adam.init(jnp.zeros(1))
  steps = []
  for _ in range(11):
    update, state = adam.update(jnp.ones(1), state)
    steps.append(-float(update[0]))
  np.testing.assert_allclose(steps, [0.25 * (1 + math.cos(math.pi * t / 10)) for t in range(11)], atol=1e-7)


def test_a_key_gives_one_text_and_no_unknown_word(model):
  prompt = " ".join(model.corpus.vocabulary[2:4])
  texts = [writing.write(model, prompt, 30, jax.random.key(k), 1.5, sentences=5) for k in (0, 0, 1)]
  assert texts[0] == texts[1] != texts[2]
  assert texts[0].startswith(prompt)
  assert text.UNKNOWN not in texts[0]
  assert writing.write(model, prompt, 30, jax.random.key(0), 2.0, top_k=1) == writing.write(
    model, prompt, 30, jax.random.key(9), 0.0
  )


def test_greedy_text_is_that_of_a_loop(model):
  tokens = [0, *text.encode(model.corpus, model.corpus.vocabulary[5])]
  params = to_float64(model.params)
  for _ in range(6):
    outputs = reference.CELLS["lstm"](params.cell, np.eye(VOCABULARY)[tokens])
    logits = outputs[-1] @ params.readout.kernel + params.readout.bias
    logits[1] = -np.inf
    tokens.append(int(np.argmax(logits)))
  written = writing.write(model, model.corpus.vocabulary[5], 6, jax.random.key(0), 0.0, sentences=9)
  assert written == text.decode(model.corpus, tokens[1:])


def test_suggestions_are_ordered_and_complete_a_word(model):
  found = writing.suggest(model, model.corpus.vocabulary[4] + " ", 5)
  assert [p for _, p in found] == sorted((p for _, p in found), reverse=True)
  losses = {w: loop_losses(model, np.array([0, 4, model.corpus.vocabulary.index(w)]))[-1] for w, _ in found}
  for word, probability in found:
    np.testing.assert_allclose(probability, math.exp(-losses[word]), rtol=1e-4)
  assert {w[:5] for w, _ in writing.suggest(model, "name", 3)} <= {f"name{i}" for i in range(10)}
  assert not writing.suggest(model, "xyz", 3)


def test_the_keyboard_and_the_writer_from_the_command_line(trained, capsys):
  assert generate.main([f"--model={trained}", "--prompt=name", "--suggest=3"]) == 0
  assert len(capsys.readouterr().out.splitlines()) == 3
  assert generate.main([f"--model={trained}", "--samples=2", "--tokens=5"]) == 0


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
  """Another working folder, in a process that has read no text yet."""
  monkeypatch.chdir(tmp_path)
  sources._places.cache_clear()
  settings._task.cache_clear()
  return tmp_path


def test_a_text_is_found_again_from_another_folder_and_by_another_spelling(trained, corpus, elsewhere, capsys):
  flags = [*SMALL, f"--vocabulary={VOCABULARY}", "--cells=lstm", f"--out={trained.parent}"]
  (elsewhere / "link").symlink_to(corpus.parent)
  for spelling in ("link/small.txt", f"../{elsewhere.name}/link/./small.txt"):
    assert runner.main(word_model.EXPERIMENT, [*flags, f"--corpus={spelling}"]) == 0
    assert "0 points to compute, 2 already done" in capsys.readouterr().err
  name = str(store.load_results(trained).corpus.values)
  assert str(corpus) not in name
  sources._places().clear()
  assert runner.main(word_model.EXPERIMENT, [*flags, f"--corpus={name}"]) == 0  # as results name it
  sources._places().clear()
  assert generate.main([f"--model={trained}", "--tokens=5"]) == 0


def test_older_points_that_spell_the_path_are_found(trained, corpus, elsewhere, capsys):
  (path,) = store.block_paths(trained)
  block = store.read_block(path)
  older = [point | {"corpus": f"{corpus}@{point['corpus'][-12:]}"} for point in block.points]
  store.write_block(elsewhere / "word_model", block._replace(points=older))
  flags = [*SMALL, f"--vocabulary={VOCABULARY}", "--cells=lstm", f"--out={elsewhere}"]
  assert runner.main(word_model.EXPERIMENT, [*flags, f"--corpus={corpus}"]) == 0
  assert "0 points to compute, 2 already done" in capsys.readouterr().err


def test_where_a_moved_text_lies_is_said(trained, corpus, elsewhere, capsys):
  moved, other = elsewhere / "moved.txt", elsewhere / "other.txt"
  other.write_text("one two. " * 60)
  corpus.rename(moved)
  try:
    assert generate.main([f"--model={trained}", "--tokens=5"]) == 2
    said = capsys.readouterr().err
    assert f"is no longer {corpus}; say where it lies with --corpus=FILE." in said
    assert len(said.splitlines()) == 1
    assert generate.main([f"--model={trained}", "--tokens=5", "--corpus=other.txt"]) == 2
    assert "--corpus: 'other.txt' is text@" in capsys.readouterr().err
    assert generate.main([f"--model={trained}", "--tokens=5", "--corpus=moved.txt"]) == 0
  finally:
    moved.rename(corpus)


@pytest.mark.parametrize(
  ("typed", "begun"),
  [
    ("one don’", ("one ", "don'")),
    ("one don'", ("one ", "don'")),
    ("one don’t", ("one ", "don't")),
    ("ONE Don’T ", ("ONE Don’T ", "")),
    ("one two'", ("one two", "'")),
    ("İx one caf", ("i̇x one ", "caf")),
    ("one cafe\u0301", ("one ", "caf\u00e9")),
    ("", ("", "")),
  ],
)
def test_the_last_word_is_found_as_it_is_spelled(typed, begun, elsewhere):
  (elsewhere / "t.txt").write_text("One don't two caf\u00e9. " * 30, encoding="utf-8")
  assert writing.split_prompt(text.load("t.txt", "word", 0), typed) == begun


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (["--prompt=name1 xyz", "--suggest=3"], "Nothing to suggest: no word of the vocabulary begins with 'xyz'."),
    (["--prompt=zebra"], "does not have 'zebra'"),
    (["--temperature=-1"], "The temperature is -1.0; it must be finite and at least 0"),
    (["--top_k=31"], "top_k is 31; it must be from 1 to the vocabulary's 30"),
    (["--tokens=0"], "0 tokens and 1 sentences are asked for; both must be at least 1"),
    (["--cell=gru"], "has 0 runs that fit; choose one with --run"),
    (["words"], "'words' is not a flag"),
    (["--top=3"], "Unknown command line flag 'top'"),
  ],
)
def test_what_cannot_be_generated_is_said_in_a_sentence(flags, message, trained, capsys):
  assert generate.main([f"--model={trained}", *flags]) == 2
  error = capsys.readouterr().err
  assert message in error
  assert len(error.splitlines()) == 1


def test_counts_are_measured_on_the_same_windows(corpus, tmp_path):
  flags = [f"--corpus={corpus}", "--vocabulary=30", "--order=1,3", "--length=8", f"--out={tmp_path}"]
  assert runner.main(ngram.EXPERIMENT, flags) == 0
  data = store.load_results(tmp_path / "ngram").squeeze(drop=True)
  tokens = text.load(str(corpus), "word", 30)
  for order in (1, 3):
    model = counts.fit(tokens.train, 30, order)
    losses = [
      -counts.next_log_probabilities(model, row[:t])[row[t]]
      for row in models.windows(tokens.test, 8)
      for t in range(1, 9)
    ]
    np.testing.assert_allclose(data.test_nats.sel(order=order), np.mean(losses), rtol=1e-5)


@pytest.mark.parametrize(
  ("content", "flags", "message"),
  [
    (b"", [], "is empty"),
    (b"\x00\x01", [], "is not a text"),
    (b"caf\xe9 " * 50, [], "is not UTF-8: byte 3"),
    (None, [], "There is no file"),
    (b"one two. " * 60, ["--vocabulary=50"], "has 3 distinct words"),
    (b"one two. " * 60, ["--vocabulary=0", "--length=0"], "--length: 0 is not allowed"),
    (b"one two. " * 60, ["--vocabulary=0", "--length=500"], "it must be more than 500 whole numbers"),
    (
      b"one two. " * 60,
      ["--vocabulary=0", "--length=5", "--omega=1"],
      "omega and floss are not defined for the tokens",
    ),
  ],
)
@pytest.mark.parametrize("experiment", [word_model.EXPERIMENT, character_model.EXPERIMENT], ids=lambda e: e.name)
def test_a_bad_text_stops_before_anything_is_written(experiment, content, flags, message, tmp_path, capsys):
  if "distinct words" in message and experiment.name == "character_model":
    message = "distinct chars"
  path = tmp_path / "text.txt"
  if content is not None:
    path.write_bytes(content)
  assert runner.main(experiment, [f"--corpus={path}", *flags, f"--out={tmp_path / 'out'}"]) == 2
  error = capsys.readouterr().err
  assert len(error.strip().splitlines()) == 1
  assert message in error or "has 8 distinct chars" in error
  assert not (tmp_path / "out").exists()


def test_a_folder_without_models_is_named(tmp_path, capsys):
  assert generate.main([f"--model={tmp_path}"]) == 2
  assert "holds no trained model; train one first" in capsys.readouterr().err
