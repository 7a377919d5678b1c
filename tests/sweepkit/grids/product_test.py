"""Grids answer from their axes what brute force finds by listing every point."""

import itertools

import pytest

from sweepkit.grids import Grid
from sweepkit.points import Point, blocks, static_part

AXES = {
  "cell": ("rnn", "lstm"),
  "size": (4, 8, 16),
  "ws": (0.5, 1.0, 1.0, 2.0),
  "bias": (0, 1, 1, 2),
  "scale": (1.0, 3.0),
}
OWN = {"cell": {"lstm": {"tau": (1.0, 2.0, 5.0)}}}
GRIDS = {
  "crossed": Grid({name: tuple(dict.fromkeys(values)) for name, values in AXES.items()}, 3, False),
  "zipped": Grid(AXES, [7, 3], False, [["bias", "ws"]]),
  "mixed": Grid(AXES | {"size": (4, 4, 8, 8)}, 2, True, [["size", "ws", "bias"]]),
  "brought": Grid({**AXES, "ws": (1.0,), "bias": (0,)}, 3, False, (), OWN),
}


def listed(grid):
  """Every combination, by nested loops over all axes, those that do not go together left out."""
  found = []
  for cell in grid.axes["cell"]:
    axes = grid.axes | grid.brought.get("cell", {}).get(cell, {}) | {"cell": (cell,)}
    for places in itertools.product(*(range(len(values)) for values in axes.values())):
      at = dict(zip(axes, places, strict=True))
      if all(len({at[name] for name in group}) == 1 for group in grid.zipped):
        values = {name: axes[name][i] for name, i in at.items()}
        seeds = range(grid.seeds) if isinstance(grid.seeds, int) else grid.seeds
        found += [Point(values, seed=seed, x64=grid.x64) for seed in seeds]
  return list(dict.fromkeys(found))


@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_is_the_list_of_its_points(name):
  grid, points = GRIDS[name], listed(GRIDS[name])
  assert set(grid) == set(points)
  every = list(grid)
  assert len(every) == len(grid) == grid.size == len(points)
  assert [grid.place(point) for point in every] == list(range(len(every)))
  assert [grid[i] for i in range(len(every))] == every == grid[:]
  assert grid[-1] == every[-1]
  assert all(point in grid for point in points)
  for other in (points[0] | {"seed": 99}, points[0] | {"x64": not grid.x64}, points[0] | {"more": 1}, Point(), "rnn"):
    assert other not in grid


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize(("chunk", "tile"), [(1, 1), (5, 8), (32, 8), (20, 8), (7, 2)])
def test_calls_are_counted_as_blocks_are_cut(name, chunk, tile):
  grid, traced = GRIDS[name], ("ws", "bias", "scale", "tau")
  static = [one for one in (*AXES, "tau") if one not in traced]
  cut = blocks(list(grid), chunk, traced, tile)
  assert grid.calls(static, chunk, tile) == len(cut)
  kinds = {static_part(block[0], traced): None for block in cut}
  assert grid.combinations(static) == len(kinds)
  assert [static_part(point, traced) for point in grid.firsts(static)] == list(kinds)


def test_a_huge_grid_is_counted_at_once(monkeypatch):
  axes = {"cell": ("rnn", "lstm"), **{name: tuple(range(1000)) for name in "abcd"}}
  monkeypatch.setattr(Point, "__init__", lambda *_: pytest.fail("a point was made"))
  grid = Grid(axes, 10**9, False)
  assert grid.size == 2 * 1000**4 * 10**9
  assert grid.calls(["cell", "a"], 32, 8) == 2000 * (1000**3 * 10**9 // 32)
