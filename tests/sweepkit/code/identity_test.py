"""Results vouch for the code that made them: what changes a number changes the code's name, and nothing else does."""

from fractions import Fraction
import functools
import importlib
import logging
import os
import shutil
import subprocess
import sys
import types
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments import recurrent_gain
from recurrent_lab.cells import rnn
from sweepkit import Experiment, Measure, Point, Setting, runner, store, sweep, verify
from sweepkit.code import identity
from sweepkit.code.scope import scope_of
from sweepkit.settings import FINITE, one_of
from tests.support import chaos
from tests.support.launches import ROOT

NOTHING = scope_of({})
LAB = scope_of(recurrent_gain.EXPERIMENT.measure.settings)

SOURCE = '''
"""A module of a user."""
from functools import partial
import jax
import jax.numpy as jnp

SCALE = 2.0
TABLE = {"a": 1.0, "b": (2.0, 3.0)}
calls = []

class Net:
  """A class of a user."""
  gain = 1.0
  def __call__(self, x):
    return self.gain * inner(x)

def inner(x):
  """What is called."""
  return jnp.sin(x) + 1.0  # a comment

@partial(jax.jit, static_argnums=1)
def compiled(x, n=3):
  return inner(x) ** n

@jax.custom_jvp
def rule(x):
  return x

@rule.defjvp
def _rule(primals, tangents):
  return primals[0], 5.0 * tangents[0]

def run(static, key, values: dict) -> dict:
  calls.append(1)
  scale = lambda x: SCALE * x + TABLE["a"]
  return {"value": scale(compiled(Net()(values["ws"]))) + rule(0.0)}
'''

CHANGES = {
  "a constant of the module": ("SCALE = 2.0", "SCALE = 3.0"),
  "a value in a table": ("(2.0, 3.0)", "(2.0, 4.0)"),
  "a function that is called": ("jnp.sin(x) + 1.0", "jnp.sin(x) + 1.5"),
  "a class": ("gain = 1.0", "gain = 2.0"),
  "a method": ("self.gain * inner", "self.gain + inner"),
  "a default": ("n=3", "n=4"),
  "the rule of a derivative": ("5.0 * tangents", "6.0 * tangents"),
  "a lambda": ('+ TABLE["a"]', '- TABLE["a"]'),
}
SAME = {
  "a comment": ("# a comment", "# another"),
  "a docstring": ("What is called.", "Is called."),
  "an annotation": ("values: dict", "values: object"),
  "white space": ("jnp.sin(x) + 1.0", "jnp.sin( x )+1.0"),
  "a function that nobody calls": ("class Net", "def unused(): pass\n\nclass Net"),
  "a counter": ("calls = []", "calls = [1, 2]"),
}


class Killed(BaseException):
  """Ends a launch as SIGKILL does."""


def name_of(folder, text, number):
  """The code of `run` in a module of this text."""
  module = f"users_module_{number}"
  (folder / f"{module}.py").write_text(text)
  sys.path.insert(0, str(folder))
  try:
    return identity.of(NOTHING, importlib.import_module(module).run)
  finally:
    sys.path.remove(str(folder))
    sys.modules.pop(module, None)


@pytest.mark.parametrize(
  ("changed", "differs"), [*((c, True) for c in CHANGES.items()), *((c, False) for c in SAME.items())]
)
def test_the_name_of_the_code_changes_with_what_it_computes(tmp_path, changed, differs):
  what, (old, new) = changed
  assert SOURCE.count(old) == 1
  before, after = (
    name_of(tmp_path, text, f"{i}_{abs(hash(what))}") for i, text in enumerate((SOURCE, SOURCE.replace(old, new)))
  )
  assert (before != after) == differs, what


class Made(NamedTuple):
  function: object
  factor: float


def closures(value):
  """Things that hold a value in all the ways a function can."""
  inner = lambda x: value * x
  return {
    "closure": lambda: value,
    "closure of a closure": lambda: inner,
    "partial": functools.partial(max, value),
    "tuple": Made(inner, 1.0),
    "array": jnp.full(3, value),
    "namespace": types.SimpleNamespace(value=value),
    "fraction": Fraction(value),
    "dictionary": {"a": [value]},
    "jitted": jax.jit(inner),
    "cell": rnn()._replace(step=inner),
    "optimiser": optax.adam(value),
    "vmapped in a list": [jax.vmap(inner)],
  }


@pytest.mark.parametrize("how", closures(1.0))
def test_closure_values_count(how):
  one, same, other = (identity.of(LAB, closures(value)[how]) for value in (1.0, 1.0, 2.0))
  assert one == same != other


STATE = {"calls": 0, "last": None}
real = 1.0  # what no function below means by `.real`
log = logging.getLogger(__name__)


def stateful(x):
  """Does what most functions of a user do besides their work."""
  STATE["calls"] += 1
  STATE.update(last=x)
  log.info("called")
  return x.real


def test_what_a_function_only_writes_to_does_not_count(monkeypatch):
  before = identity.of(NOTHING, stateful)
  stateful(2.0)
  log.setLevel(logging.DEBUG)
  monkeypatch.setitem(globals(), "real", 2.0)
  assert identity.of(NOTHING, stateful) == before


def test_code_without_a_source_counts_too():
  def made(body):
    space: dict = {"np": np}
    exec(f"def run(x):\n  return {body}", space)
    return identity.of(NOTHING, space["run"])

  assert made("np.sin(x) + 1") == made("np.sin(x) + 1") != made("np.sin(x) + 2")


PROGRAM = """
from experiments import adding
from sweepkit import Point
from sweepkit.code import identity
from sweepkit.code.scope import scope_of
print(identity.Codes(adding.EXPERIMENT.measure).of(Point(cell="gru", task="adding")))
"""


def name_in_process(folder, seed):
  """The code of a training run in a process that imports the lab from a folder."""
  environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONHASHSEED": seed}
  command = [sys.executable, "-c", PROGRAM]
  return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
  """A folder with a copy of the lab."""
  folder = tmp_path_factory.mktemp("copied")
  for name in ("experiments", "recurrent_lab", "sweepkit"):
    shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
  return folder


def test_a_name_is_the_same_in_another_process_and_folder(copied):
  """Python's hashes have another seed there."""
  assert name_in_process(copied, "2") == name_in_process(ROOT, "1")


@pytest.mark.slow
def test_a_change_of_the_equations_in_another_folder_is_seen(copied, tmp_path):
  shutil.copytree(copied, tmp_path, dirs_exist_ok=True)
  name = name_in_process(ROOT, "1")
  cell = tmp_path / "recurrent_lab/cells/_gru.py"
  cell.write_text(cell.read_text().replace("1 - ", "2 - "))
  assert name_in_process(tmp_path, "2") != name


def test_a_change_of_one_entry_of_a_table_leaves_the_others(monkeypatch):
  """A point names the code of the entry that it uses, and not of the whole table."""
  names = lambda: [identity.Codes(chaos.MEASURE).of(Point(map=name)) for name in chaos.MAPS]
  before = names()
  assert len(set(before)) == len(chaos.MAPS)
  monkeypatch.setitem(chaos.MAPS, "sine", chaos.linear)
  after = names()
  assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True]
  assert after[1] == after[2]


def test_cells_of_the_lab_are_such_entries():
  of = identity.Codes(recurrent_gain.EXPERIMENT.measure).of
  assert len({of(Point(cell=name)) for name in ("rnn", "lstm", "gru")}) == 3


def experiment(factor):
  """An experiment of a user whose measure holds a value."""

  def run(static, key, values):
    return {"value": factor * values["ws"] + 0 * jax.random.normal(key)}

  settings = {
    "kind": Setting(str, "only", "a name", *one_of(("only",))),
    "ws": Setting(float, "1,2", "a factor", *FINITE, traced=True),
  }
  return Experiment("of_a_user", "A test.", Measure(run, settings=settings, dims={"value": ()}), seeds=2)


def values(data):
  return data.value.squeeze().transpose("ws", "seed").values.tolist()


def test_changed_code_is_reported_and_computed_again_or_kept(tmp_path, capsys):
  first = sweep(experiment(2.0), out=tmp_path)
  (code,) = np.unique(first.code)
  assert len(code) == 16
  capsys.readouterr()
  kept = sweep(experiment(3.0), out=tmp_path, changed_code="keep")
  assert values(kept) == values(first) == [[2, 2], [4, 4]]
  said = capsys.readouterr().err
  assert f"The code has changed: 4 stored points came from {code}" in said
  assert "they are kept" in said
  assert "0 points to compute, 4 already done" in said
  # Half of them by new code: each point names its code, and the old is not lost before the new is there.
  half = sweep(experiment(3.0), out=tmp_path, ws=1)
  assert "2 stored points came from" in capsys.readouterr().err
  assert values(half) == [[3, 3], [4, 4]]
  new = str(half.code.sel(ws=1).values.ravel()[0])
  assert half.code.squeeze().values.tolist() == [[new, new], [code, code]]
  whole = sweep(experiment(3.0), out=tmp_path)
  assert values(whole) == [[3, 3], [6, 6]]
  assert set(np.unique(whole.code)) == {new}
  assert len(list((tmp_path / "of_a_user").glob("*.json"))) == 2
  capsys.readouterr()
  sweep(experiment(3.0), out=tmp_path)
  said = capsys.readouterr().err
  assert "0 points to compute, 4 already done" in said
  assert "The code has changed" not in said
  assert verify.check(tmp_path).problems == []
  assert values(sweep(experiment(2.0), out=tmp_path)) == values(first)


def test_results_from_before_the_code_was_stored_are_kept(tmp_path, capsys):
  sweep(experiment(2.0), out=tmp_path)
  for path in store.block_paths(tmp_path / "of_a_user"):
    store.write_block(path.parent, store.read_block(path)._replace(code=store.UNKNOWN))
  data = sweep(experiment(3.0), out=tmp_path)
  assert "4 already done" in capsys.readouterr().err
  assert values(data) == [[2, 2], [4, 4]]
  assert set(np.unique(data.code)) == {store.UNKNOWN}


def test_a_launch_that_ends_halfway_shows_every_point_once(tmp_path, monkeypatch):
  first = sweep(experiment(2.0), out=tmp_path, chunk=1)
  write, calls = store.write_block, []

  def killed(folder, block):
    if len(calls) == 1:
      raise Killed
    calls.append(write(folder, block))

  with monkeypatch.context() as patch:
    patch.setattr(store, "write_block", killed)
    with pytest.raises(Killed):
      sweep(experiment(3.0), out=tmp_path, chunk=1)
  data = store.load_results(tmp_path / "of_a_user")
  assert values(data) == [[3, 2], [4, 4]]
  assert data.attrs["present"] == data.attrs["planned"] == 4
  assert values(sweep(experiment(2.0), out=tmp_path, changed_code="keep")) == values(data)
  assert values(sweep(experiment(3.0), out=tmp_path)) == [[3, 3], [6, 6]]
  assert values(first) == [[2, 2], [4, 4]]


@pytest.mark.slow
def test_a_training_run_of_other_code_starts_again(tmp_path, capsys, monkeypatch):
  """Neither its checkpoint, when it was killed, nor its stored block is taken for that of the new code."""
  from experiments import adding
  from experiments.training import programs
  from experiments.training import runs as train

  flags = ["--cells=rnn", "--length=4", "--hidden_size=2", "--batch=2", "--updates=4", "--stop=never", "--seeds=1"]
  assert runner.main(adding.EXPERIMENT, [*flags, f"--out={tmp_path}"]) == 0
  folder = tmp_path / "adding"
  old = store.load_results(folder)
  changed = lambda *arguments: original(*arguments)
  original = programs._floss
  monkeypatch.setattr(programs, "_floss", changed)
  saves = []
  save = train.checkpoints.save

  def killed(*arguments):
    save(*arguments)
    saves.append(arguments)
    if len(saves) == 2:
      raise Killed

  with monkeypatch.context() as patch:
    patch.setattr(train.checkpoints, "save", killed)
    with pytest.raises(Killed):
      runner.main(adding.EXPERIMENT, [*flags, f"--out={tmp_path}", "--checkpoint_seconds=0"])
  assert store.load_results(folder).equals(old)
  assert len(list((folder / "runs").iterdir())) == 2
  monkeypatch.setattr(programs, "_floss", lambda *arguments: changed(*arguments))
  capsys.readouterr()
  assert runner.main(adding.EXPERIMENT, [*flags, f"--out={tmp_path}"]) == 0
  said = capsys.readouterr().err
  assert "The code has changed: 1 stored point came from" in said
  assert "it is trained again" in said
  data = store.load_results(folder)
  assert data.drop_vars("code").equals(old.drop_vars("code"))
  assert not np.array_equal(data.code, old.code)
  assert len(list((folder / "runs").iterdir())) == len(store.block_paths(folder)) == 1
  assert verify.check(tmp_path).problems == []
