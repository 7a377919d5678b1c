"""A launch as a file: what is saved is launched again to the same bytes, and what cannot be meant is refused in one sentence."""

import dataclasses
import hashlib
import shlex
import tomllib

import pytest

from sweepkit import UsageError, plan, runner, store, sweep
from sweepkit.exchange import configurations
from tests.support import chaos

FLAGS = ("--map=sine,logistic", "--r=3:4:3", "--steps=5", "--seeds=[1,4]", "--chunk=2")


def planned(*flags):
  return plan.parse(chaos.EXPERIMENT, flags)


def files_of(folder):
  """The checksum of the arrays of every block by its name, which is the hash of its points."""
  return {path.stem: store.read_meta(path)["arrays_sha256"] for path in store.block_paths(folder)}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
  """A folder of results, and the configuration that was saved when they were computed."""
  folder = tmp_path_factory.mktemp("saved")
  assert runner.main(chaos.EXPERIMENT, [*FLAGS, f"--save_config={folder}/run.toml", f"--out={folder}"]) == 0
  return folder


def test_a_saved_configuration_holds_every_flag(saved):
  content = tomllib.loads((saved / "run.toml").read_text())
  assert content["experiment"] == "tests.support.chaos"
  assert content["r"] == "3:4:3"
  assert content["steps"] == 5
  assert content["seeds"] == "[1,4]"
  assert content["x64"] is False
  assert {"chunk", "max_failures", "checkpoint_seconds", "out", "changed_code"} <= set(content)
  assert not {*configurations.HERE, "config", "save_config", "help", "h"} & set(content)


def test_launched_again_it_gives_the_same_bytes(saved, tmp_path):
  assert runner.main(chaos.EXPERIMENT, [f"--config={saved}/run.toml", f"--out={tmp_path}"]) == 0
  assert files_of(tmp_path / chaos.NAME) == files_of(saved / chaos.NAME)
  assert len(files_of(tmp_path / chaos.NAME)) > 2


def test_every_stored_block_is_launched_again_from_its_own_metadata(saved, tmp_path):
  """By its JSON, and by the command that it holds: both are the launch that computed it, cut into the same blocks."""
  wanted = files_of(saved / chaos.NAME)
  paths = store.block_paths(saved / chaos.NAME)
  assert runner.main(chaos.EXPERIMENT, [f"--config={paths[0]}", f"--out={tmp_path / 'a'}"]) == 0
  assert files_of(tmp_path / "a" / chaos.NAME) == wanted
  words = shlex.split(store.read_meta(paths[0])["provenance"]["command"])
  assert words[:3] == ["python", "-m", chaos.EXPERIMENT.module]
  for path in paths:
    assert planned(f"--config={path}").points == planned(*words[3:]).points == planned(*FLAGS).points
    assert planned(f"--config={path}").chunk == 2


def test_defaults_that_have_changed_are_those_of_the_block(tmp_path):
  """The stored command does not name the default; the block knows its value."""
  assert runner.main(chaos.EXPERIMENT, ["--seeds=1", "--map=sine", f"--out={tmp_path}"]) == 0
  (path,) = store.block_paths(tmp_path / chaos.NAME)
  changed = dataclasses.replace(chaos.EXPERIMENT, defaults={"steps": "99", "r": "1"}, x64=True)
  again = plan.parse(changed, [f"--config={path}"])
  assert list(again.points) == store.read_block(path).points


def test_flags_beside_a_configuration_count_more(saved, tmp_path):
  file = tmp_path / "run.toml"
  file.write_text('r = [1, 2.5]\nsteps = [3, 4]\nzip = [["r", "steps"]]\nseeds = 3\nx64 = true\n')
  read = planned(f"--config={file}")
  assert read.axes["r"] == (1.0, 2.5)
  assert len(read.points) == 2 * 2 * 3
  assert read.points[0]["x64"] is True
  other = planned(f"--config={file}", "--nox64", "--zip=map,steps", "--r=7", "--seeds=[5]")
  assert [(point["map"], point["steps"], point["r"], point["seed"]) for point in other.points] == [
    ("logistic", 3, 7.0, 5),
    ("sine", 4, 7.0, 5),
  ]
  assert other.kept_command.count("--zip") == 1
  assert str(file) not in other.kept_command
  assert f"--config={file}" in other.command


def test_the_configuration_of_a_configuration_is_the_same(saved, tmp_path):
  flags = (f"--config={saved}/run.toml", "--zip=map,r", "--map=sine,sine,linear", "--dry_run")
  assert runner.main(chaos.EXPERIMENT, [*flags, f"--save_config={tmp_path}/a.toml"]) == 0
  assert (
    runner.main(chaos.EXPERIMENT, [f"--config={tmp_path}/a.toml", "--dry_run", f"--save_config={tmp_path}/b.toml"]) == 0
  )
  assert (tmp_path / "a.toml").read_text() == (tmp_path / "b.toml").read_text()
  assert planned(f"--config={tmp_path}/a.toml").points == planned(*flags).points


def test_from_python(saved, tmp_path):
  data = sweep(chaos.EXPERIMENT, config=saved / "run.toml", out=tmp_path, r=2, map="sine")
  assert dict(data.sizes) == {"map": 1, "r": 1, "seed": 2, "step": 5}


REFUSED = {
  "sets 'stepps', which a configuration of chaos cannot; did you mean 'steps'?": "stepps = 3",
  "sets 'zzz', which a configuration of chaos cannot; --help shows all flags.": "zzz = 3",
  "sets 'shard', which a configuration of chaos cannot": 'shard = "0/2"',
  "is a launch of experiments.adding and not of tests.support.chaos.": 'experiment = "experiments.adding"',
  "is not a file of TOML: ": "r = ",
  "sets 'r' to a dict; allowed are a text, a number, true, false or a list of them.": "r = {a = 1}",
  "sets 'r' to a date;": "r = 2020-01-01",
  "--r: 'high' is not a number.": 'r = "high"',
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_file_that_cannot_be_meant_is_refused(message, tmp_path, capsys):
  (tmp_path / "run.toml").write_text(REFUSED[message])
  assert runner.main(chaos.EXPERIMENT, [f"--config={tmp_path}/run.toml", f"--out={tmp_path}/out"]) == 2
  said = capsys.readouterr().err
  assert message in said
  assert said.count("\n") == 1
  assert not (tmp_path / "out").exists()


def test_files_that_are_not_there_are_altered_or_in_the_way(saved, tmp_path, capsys):
  def refused(*flags):
    assert runner.main(chaos.EXPERIMENT, [*flags, f"--out={tmp_path}/out"]) == 2
    return capsys.readouterr().err

  assert "none.toml cannot be read (No such file or directory)." in refused("--config=none.toml")
  (tmp_path / "block.json").write_text("{}")
  assert "block.json is truncated or altered" in refused(f"--config={tmp_path}/block.json")
  before = hashlib.sha256((saved / "run.toml").read_bytes()).digest()
  assert "is there and holds something else; choose another name." in refused(f"--save_config={saved}/run.toml")
  assert hashlib.sha256((saved / "run.toml").read_bytes()).digest() == before
  assert "there is no folder" in refused(f"--save_config={tmp_path}/no/run.toml")
  assert not (tmp_path / "out").exists()


def test_a_text_of_any_characters_is_kept(tmp_path):
  """Through the parser of TOML that Python has."""
  texts = ['a"b\\c', "\x7f\x00\n\t", "空 é", "0.10", "1e3", "007", "-1.5", "12", "0.1", "nan", "true", "1_0"]
  for one in texts:
    value = tomllib.loads(f"x = {configurations._value(one)}")["x"]
    assert configurations.flag_text(value) == one
  with pytest.raises(UsageError, match="must not be empty"):
    planned("--config=")
