"""What is damaged is found before a sweep, made anew by it, and gone after it."""

from sweepkit import store
from sweepkit.store import damage as mend
from tests.support.results import block


def test_a_damaged_block_goes_when_what_it_may_have_held_is_stored_again(tmp_path):
  damaged = store.write_block(tmp_path, block())
  damaged.write_bytes(damaged.read_bytes()[:-9])
  planned = block().points
  assert mend.after(tmp_path, planned) == []  # not yet
  assert damaged.exists()
  for seed in (0, 1):
    store.write_block(tmp_path, block(seeds=(seed,)))
  assert len(mend.after(tmp_path, planned)) == 1
  assert not damaged.exists()
  assert not damaged.with_suffix(".npz").exists()
  assert store.load_results(tmp_path).sizes["seed"] == 2


def test_a_damaged_block_whose_points_are_known_and_not_planned_stays(tmp_path):
  damaged = store.write_block(tmp_path, block(ws=3.0))
  damaged.with_suffix(".npz").write_bytes(b"")
  store.write_block(tmp_path, block())
  assert mend.after(tmp_path, block().points) == []
  assert damaged.exists()
