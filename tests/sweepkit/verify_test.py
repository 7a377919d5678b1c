"""Every altered byte of a results folder is found and named; names that lead elsewhere are refused."""

import shutil

import pytest

from sweepkit import merge, runner, store, verify
from sweepkit.execution import sharing
from sweepkit.store import files, locks
from sweepkit.store.runs import check_run
from tests.support import chaos
from tests.support.results import block, data_files, make_results, make_run


def test_an_intact_folder_has_no_problems(tmp_path, capsys):
  make_results(tmp_path / "study")
  assert verify.main([f"--out={tmp_path}"]) == 0
  count = len(data_files(tmp_path))
  assert count > 10
  assert f"{count} files checked, 0 problems." in capsys.readouterr().out


def test_every_flipped_byte_is_found(tmp_path, rng):
  make_results(tmp_path)
  for path in data_files(tmp_path):
    content = path.read_bytes()
    for position in {0, len(content) - 1, *rng.choice(len(content), 4)}:
      altered = bytearray(content)
      altered[position] ^= 1 << rng.integers(8)
      path.write_bytes(altered)
      report = verify.check(tmp_path)
      assert report.problems, (path, position)
      assert not report.skipped
    path.write_bytes(content)
  assert verify.check(tmp_path).problems == []


def test_the_index_of_a_launch_is_checked_and_is_no_block(tmp_path):
  path = make_results(tmp_path)
  inventory = store.Inventory(path.parent)
  inventory.look()
  sharing.write_index(inventory, "adding", (0, 1), [store.read_block(path).points], 1)
  (index,) = (path.parent / "index").glob("*.json")
  report = verify.check(tmp_path)
  assert (report.problems, report.checked) == ([], len(data_files(tmp_path)))
  assert merge.merge([tmp_path], tmp_path.parent / "merged")[2] == []
  assert not (tmp_path.parent / "merged" / "adding" / "index").exists()
  content = index.read_text()
  for altered in (content[:-9], content.replace("adding", "eddying"), "[]", "{}"):
    index.write_text(altered)
    assert verify.check(tmp_path).problems == [
      f"{index} is truncated or altered; remove it, or launch the same again."
    ], altered


def test_files_of_others_in_a_folder_are_left_alone_and_named(tmp_path, capsys):
  """A launch neither stumbles over them nor removes them, and results are loaded without them."""
  flags = ["--map=sine", "--r=3", "--seeds=1", f"--out={tmp_path}"]
  folder = tmp_path / chaos.NAME
  folder.mkdir()
  others = {"notes.json": b"{}", "list.json": b"[1]", "half.json": b'{"poi', "x.npz": b"\x00\xff", "notes.txt": b"kept"}
  for name, content in others.items():
    (folder / name).write_bytes(content)
  (folder / "folder-0123456789abcdef.json").mkdir()
  half = folder / "sine-0123456789abcdef.json"  # a block of ours that a full disk cut off
  half.write_bytes(b'{"schema_ver')
  assert runner.main(chaos.EXPERIMENT, flags) == 0
  assert runner.main(chaos.EXPERIMENT, flags) == 0
  assert "1 already done" in capsys.readouterr().err
  assert store.load_results(folder).sizes["seed"] == 1
  assert {name: (folder / name).read_bytes() for name in others} == others
  assert not half.exists()
  problems = verify.check(tmp_path).problems
  assert len(problems) == 4
  assert all("does not bear the name of a block and is not read; rename or remove it." in text for text in problems)


def test_a_problem_is_one_sentence_and_the_exit_code_is_one(tmp_path, capsys):
  path = make_results(tmp_path)
  path.with_suffix(".npz").unlink()
  assert verify.main([f"--out={tmp_path}"]) == 1
  first, last = capsys.readouterr().out.splitlines()
  assert first == f"{path.with_suffix('.npz')} is missing; run its experiment again to compute it again."
  assert last.endswith("files checked, 1 problems.")


def test_what_is_in_use_is_left_out(tmp_path):
  path = make_results(tmp_path)
  run = tmp_path / "adding/runs" / path.stem
  (run / "metrics.jsonl").write_bytes(b"half")
  with locks.lock(run):
    assert verify.check(tmp_path)[1:] == ([], [f"{run} is in use and is not checked."])
  assert len(verify.check(tmp_path).problems) == 2  # the journal, and the row that its checkpoint needs


def test_whether_a_run_can_go_on(tmp_path):
  def report(change):
    shutil.rmtree(tmp_path / "run", ignore_errors=True)
    make_run(tmp_path / "run")
    change(tmp_path / "run")
    return check_run(tmp_path / "run")

  def cut(name, count):
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[:-count])

  assert report(lambda run: None) == ([], True)
  for change, can_go_on in [
    (cut("checkpoints/4.json", 1), True),  # from the one before it
    (lambda run: [cut(f"checkpoints/{step}.json", 1)(run) for step in (3, 4)], False),
    (cut("metrics.jsonl", 1), False),  # the row of the checkpoint
    (cut("dynamics.jsonl", 1), False),
    (lambda run: shutil.rmtree(run / "checkpoints"), True),
  ]:
    found = report(change)
    assert found.can_go_on == can_go_on
  assert found.problems == []  # without checkpoints it starts again, and writes no row twice


@pytest.mark.parametrize("name", ["..", ".", "", "/etc", "a/b", "..\\b", "a\nb", "a\0b", "\x7f", "a\u200bb"])
def test_names_that_lead_elsewhere_are_refused(name):
  with pytest.raises(files.ResultsError, match="is not allowed"):
    files.check_name(name)


@pytest.mark.parametrize("cell", ["../rnn", "/rnn", "r\nnn"])
def test_a_block_is_never_written_under_such_a_name(tmp_path, cell):
  points = [point | {"cell": cell} for point in block().points]
  with pytest.raises(store.ResultsError, match="is not allowed; a name has no /"):
    store.write_block(tmp_path / "in", block(points=points))
  assert not list(tmp_path.rglob("*.npz"))


def test_links_out_of_the_folder_are_refused(tmp_path):
  path = make_results(tmp_path / "away")
  (tmp_path / "out").mkdir()
  for name, target in [("linked", path.parent), (path.name, path)]:
    link = tmp_path / "out" / name
    link.symlink_to(target)
    assert any(f"'{link}' leads out of" in problem for problem in verify.check(tmp_path / "out").problems)
  with pytest.raises(store.ResultsError, match="leads out of"):
    store.load_results(tmp_path / "out")


def test_leftovers_of_the_dead_are_removed_and_those_of_the_living_are_not(tmp_path):
  dead = 2**22 + 1  # more than Linux gives
  names = [f".a.npz.{dead}.tmp", ".a.npz.1.tmp", ".notes.tmp", "a.npz"]
  for name in names:
    (tmp_path / name).write_text("")
  (tmp_path / f".run.{dead}.tmp" / "d").mkdir(parents=True)
  files.remove_leftovers(tmp_path)
  assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def test_a_folder_that_is_none_is_refused(tmp_path, capsys):
  for argv in ([f"--out={tmp_path / 'no'}"], [str(tmp_path)], ["--out=a\nb"], ["--no_such_flag"]):
    assert verify.main(argv) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
