"""Settings that go together, and chosen seeds."""

import json

import numpy as np
import pytest

from sweepkit import UsageError, load_results, plan, sweep
from sweepkit.grids import expand
from sweepkit.store import block_paths
from tests.support import chaos


def refused(*flags):
  with pytest.raises(UsageError) as error:
    plan.parse(chaos.EXPERIMENT, flags)
  return str(error.value)


def test_zipped_values_go_together_and_others_cross():
  axes = {"a": (1, 2), "b": (1, 1, 2), "c": (5, 6, 7), "d": (0, 1, 1)}
  found = [tuple(point.values()) for point in expand(axes, [3], False, [["d", "b", "c"]])]
  assert found == [(a, *together, 3, False) for a in (1, 2) for together in ((1, 5, 0), (1, 6, 1), (2, 7, 1))]
  assert [*expand(axes, [3], False, [["d", "b"]])[0]] == [*axes, "seed", "x64"]
  assert len(expand(axes, 1, False, [["d", "b"]])) == 2 * 3 * 3
  assert expand(axes, 2, False) == expand(axes, (0, 1), False)


def test_a_launch_with_zipped_settings_and_chosen_seeds(tmp_path, capsys):
  flags = ["--map=sine", "--zip=r,steps", "--r=1,2,2", "--steps=4,4,8", "--seeds=[3,7]"]
  points = plan.parse(chaos.EXPERIMENT, flags).points
  assert [(point["r"], point["steps"], point["seed"]) for point in points] == [
    (r, steps, seed) for r, steps in ((1.0, 4), (2.0, 4), (2.0, 8)) for seed in (3, 7)
  ]
  data = sweep(
    chaos.EXPERIMENT, map="sine", r=[1, 2, 2], steps=[4, 4, 8], zip=["r", "steps"], seeds=[3, 7], out=tmp_path
  )
  assert data.seed.values.tolist() == [3, 7]
  assert data.attrs["present"] == data.attrs["planned"] == 6
  assert bool(np.isnan(data["mean"].sel(r=1, steps=8)).all())
  crossed = sweep(chaos.EXPERIMENT, map="sine", r=[1, 2], steps=[4, 8], seeds=8, out=tmp_path / "all")
  np.testing.assert_array_equal(
    data["mean"].sel(r=2, steps=8).squeeze(), crossed["mean"].sel(r=2, steps=8, seed=[3, 7]).squeeze()
  )
  meta = json.loads(block_paths(tmp_path / chaos.NAME)[0].read_text())
  assert meta["provenance"]["command"] == (
    "python -m tests.support.chaos --map=sine --steps=4,4,8 --r=1,2,2 '--seeds=[3,7]' --zip=r,steps"
  )
  # A plan of more than is stored still knows which points it asked for.
  block_paths(tmp_path / chaos.NAME)[0].unlink()
  assert load_results(tmp_path / chaos.NAME).attrs["planned"] == 6
  capsys.readouterr()
  sweep(
    chaos.EXPERIMENT,
    map="sine",
    r=[1, 2, 2],
    steps=[4, 4, 8],
    zip=["r", "steps"],
    seeds=[3, 7],
    out=tmp_path,
    dry_run=True,
  )
  shown = capsys.readouterr().out
  assert "  r and steps go together\n  seed (2): 3, 7\n" in shown


def test_seeds_are_a_number_or_chosen():
  seeds = lambda text: sorted({point["seed"] for point in plan.parse(chaos.EXPERIMENT, [f"--seeds={text}"]).points})
  assert seeds("3") == [0, 1, 2]
  assert seeds("[3]") == [3]
  assert seeds("[3, 7,3]") == seeds("7,3") == [3, 7]
  assert seeds(f"[{2**32 - 1}]") == [2**32 - 1]
  for text in ("0", "-1", "", "[]", "[a]", "1.5", "[1.5]", f"[{2**32}]", "3:7:2", "[3,7", "3]"):
    assert f"--seeds: {text!r} is not allowed; it must be a number of seeds from 1 on" in refused(f"--seeds={text}")


def test_what_cannot_go_together_is_one_sentence():
  assert refused("--zip=r,gain") == "--zip: 'gain' is not a setting; the settings are map, steps, r."
  assert refused("--zip=r") == "--zip: 'r' goes together with nothing; name two settings or more, such as a,b."
  assert refused("--zip=r,r") == "--zip: 'r' is named twice; a setting goes together with one group."
  assert refused("--zip=r,steps", "--zip=steps,map") == (
    "--zip: 'steps' is named twice; a setting goes together with one group."
  )
  assert refused("--zip=r,steps", "--r=1,2,3", "--steps=4,5") == (
    "--zip: r has 3 and steps has 2 values; settings that go together have equally many."
  )
