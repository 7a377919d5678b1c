"""Damaged files are found before a sweep, computed again by it, and removed after it."""

from sweepkit import store
from sweepkit.store import damage
from tests.support.results import block, make_results


def looked_at(folder):
  inventory = store.Inventory(folder)
  inventory.look()
  return inventory


def test_a_damaged_block_goes_when_what_it_may_have_held_is_stored_again(tmp_path):
  damaged = store.write_block(tmp_path, block())
  damaged.write_bytes(damaged.read_bytes()[:-9])
  planned, inventory = block().points, looked_at(tmp_path)
  assert damage.remove_repaired(inventory, planned) == []  # not yet
  assert damaged.exists()
  for seed in (0, 1):
    store.write_block(tmp_path, block(seeds=(seed,)))
  inventory.look()
  assert len(damage.remove_repaired(inventory, planned)) == 1
  assert not damaged.exists()
  assert not damaged.with_suffix(".npz").exists()
  assert store.load_results(tmp_path).sizes["seed"] == 2


def test_a_damaged_block_whose_points_are_known_and_not_planned_stays(tmp_path):
  damaged = store.write_block(tmp_path, block(ws=3.0))
  damaged.with_suffix(".npz").write_bytes(b"")
  store.write_block(tmp_path, block())
  assert damage.remove_repaired(looked_at(tmp_path), block().points) == []
  assert damaged.exists()


def test_a_damaged_block_that_another_launcher_replaced_counts_and_stays(tmp_path):
  damaged = store.write_block(tmp_path, block())
  damaged.write_bytes(damaged.read_bytes()[:-9])
  inventory = looked_at(tmp_path)
  assert len(inventory.problems) == 1
  store.write_block(tmp_path, block())
  assert damage.remove_repaired(inventory, []) == []
  assert [entry.path for entry in inventory.look()] == [damaged]
  assert inventory.problems == []
  assert inventory.points() == block().points


def test_a_stored_block_whose_run_is_damaged_does_not_count(tmp_path):
  """The block stays on disk while its run can resume, and goes with a run that cannot."""
  path = make_results(tmp_path)
  run, planned = path.parent / "runs" / path.stem, [block().points]
  (run / "checkpoints/4.json").unlink()  # the checkpoint before it is intact
  assert damage.damaged_runs(looked_at(path.parent), planned) == []
  (run / "checkpoints/3.json").write_bytes(b"{")
  inventory = looked_at(path.parent)
  assert len(damage.damaged_runs(inventory, planned)) == 1
  assert inventory.points() == []
  assert not path.exists()
  assert not run.exists()
