"""Results are joined once, whole, and never at the price of what is intact."""

import numpy as np
import pytest

from sweepkit import merge, store, verify
from sweepkit.store import manifests
from tests.support.results import block, data_files, make_results, make_run


def run_merge(tmp_path, *sources):
  return merge.main([*(str(tmp_path / name) for name in sources), f"--out={tmp_path / 'out'}"])


def contents(out):
  return {str(path.relative_to(out)): path.read_bytes() for path in data_files(out)}


def flip(path):
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 1
  path.write_bytes(content)


def test_two_folders_become_one_and_merging_again_changes_nothing(tmp_path, capsys):
  make_results(tmp_path / "a", ws=0.5)
  make_results(tmp_path / "b", ws=1.0)
  assert run_merge(tmp_path, "a", "b") == 0
  assert capsys.readouterr().out == "2 blocks copied, 0 there already, 0 left out.\n"
  assert contents(tmp_path / "out") == contents(tmp_path / "a") | contents(tmp_path / "b")
  assert verify.check(tmp_path / "out").problems == []
  assert store.load_results(tmp_path / "out/adding").sizes["ws"] == 2
  assert run_merge(tmp_path, "b", "a") == 0
  assert capsys.readouterr().out == "0 blocks copied, 2 there already, 0 left out.\n"


def test_a_damaged_block_is_left_out_and_an_intact_one_replaces_it(tmp_path, capsys):
  path = make_results(tmp_path / "a")
  make_results(tmp_path / "b")
  intact = contents(tmp_path / "b")
  flip(path)
  assert run_merge(tmp_path, "a") == 1
  assert f"{path} is" in capsys.readouterr().out
  assert not list((tmp_path / "out/adding").glob("*.json"))
  assert run_merge(tmp_path, "b") == 0
  assert run_merge(tmp_path, "a") == 1  # and takes nothing from the one that is there
  assert contents(tmp_path / "out") == intact
  flip(tmp_path / "out/adding" / path.name)
  flip(next((tmp_path / "out/adding/runs").glob("*/metrics.jsonl")))
  assert run_merge(tmp_path, "b") == 0
  assert contents(tmp_path / "out") == intact


def test_other_numbers_for_the_same_points_are_refused_by_name(tmp_path, capsys):
  store.write_block(tmp_path / "a/adding", block(seeds=(0, 1)))
  arrays = {name: array + np.ones((), array.dtype) for name, array in block(seeds=(1, 2)).arrays.items()}
  other = store.write_block(tmp_path / "b/adding", block(seeds=(1, 2), arrays=arrays))
  assert run_merge(tmp_path, "a", "b") == 1
  assert f"{other} holds other numbers than" in capsys.readouterr().out
  assert contents(tmp_path / "out") == contents(tmp_path / "a")


def test_a_merge_that_fails_midway_goes_on(tmp_path, monkeypatch, capsys):
  make_results(tmp_path / "a")

  def full(*_, **__):
    raise OSError(28, "No space left on device")

  for module, name in ((merge.shutil, "copytree"), (merge.files.os, "fsync")):
    with monkeypatch.context() as patch:
      patch.setattr(module, name, full)
      assert run_merge(tmp_path, "a") == 1
    assert "cannot be written (No space left on device)" in capsys.readouterr().out
    assert verify.check(tmp_path / "out").problems == []
  assert run_merge(tmp_path, "a") == 0
  assert contents(tmp_path / "out") == contents(tmp_path / "a")


def test_a_run_that_is_further_replaces_one_that_is_not(tmp_path):
  name = make_results(tmp_path / "a").stem
  for source, step in (("b", 3), ("c", 6)):
    make_run(tmp_path / source / "adding/runs" / name, step)
  newest = lambda: manifests.inspect(tmp_path / "out/adding/runs" / name / "checkpoints")[0][0]
  for source, step in (("b", 3), ("a", 4), ("b", 4), ("c", 6), ("a", 6)):
    assert run_merge(tmp_path, source) == 0
    assert newest() == step


def test_names_and_links_that_lead_elsewhere_are_refused_before_anything_is_copied(tmp_path, capsys):
  make_results(tmp_path / "a")
  make_results(tmp_path / "away")
  for link in (tmp_path / "a/linked", tmp_path / "a/adding/runs/linked"):
    link.symlink_to(tmp_path / "away/adding")
    assert run_merge(tmp_path, "a") == 2
    assert f"'{link}' leads out of" in capsys.readouterr().err
    link.unlink()
  (tmp_path / "a/odd\nname").mkdir()
  assert run_merge(tmp_path, "a") == 2
  assert "The name 'odd\\nname' is not allowed" in capsys.readouterr().err
  assert not (tmp_path / "out").exists()
  (tmp_path / "a/odd\nname").rmdir()
  (tmp_path / "out").mkdir()
  (tmp_path / "out/adding").symlink_to(tmp_path / "away/adding")
  assert run_merge(tmp_path, "a") == 2


@pytest.mark.parametrize("sources", [[], ["none"], ["empty"], ["out"], ["."], ["a\nb"]])
def test_what_cannot_be_merged_is_one_sentence(tmp_path, sources, capsys):
  (tmp_path / "empty").mkdir()
  make_results(tmp_path / "out")
  assert run_merge(tmp_path, *sources) == 2
  assert len(capsys.readouterr().err.splitlines()) == 1


def test_another_schema_is_refused_by_name(tmp_path, capsys):
  from tests.support.results import with_schema

  path = store.write_block(tmp_path / "a/adding", block())
  with_schema(path, 0)
  assert run_merge(tmp_path, "a") == 1
  assert f"{path} has schema version 0" in capsys.readouterr().out
