"""The page about default weights: its intervals cover, and its numbers are those of the stored blocks."""

import numpy as np
import pytest

from analysis.defaults import _ratios, _sections, table
from analysis.defaults._ratios import Ratio
from sweepkit import store
from tests.made_up import REFERENCE, make_up


def test_intervals_of_ratios_cover_the_truth_in_95_of_100_draws(rng):
  longer, shorter = 5 + 0.4 * rng.normal(size=(500, 5)), 2 + 0.02 * rng.normal(size=(500, 5))
  found = np.array([_ratios.ratio_of_means(a, b) for a, b in zip(longer, shorter, strict=True)])
  covered = np.mean((found[:, 1] <= 2.5) & (found[:, 2] >= 2.5))
  assert covered == pytest.approx(0.95, abs=0.03)  # three standard errors of 500 draws
  np.testing.assert_allclose(found[:, 0], longer.mean(1) / shorter.mean(1))


def test_equal_seeds_have_an_interval_of_one_point():
  assert _ratios.ratio_of_means(np.full(3, 6.0), np.full(3, 2.0)) == (3, 3, 3)


@pytest.mark.parametrize(
  ("low", "high", "verdict"), [(2.7, 2.9, "exceeds"), (2.5, 2.6, "agrees with"), (2.0, 2.4, "stays below")]
)
def test_the_claim_is_judged_by_the_interval(low, high, verdict):
  one = Ratio("GRU", 128, 1.0, 2, "a", "b", (low + high) / 2, low, high, 2.0)
  assert verdict in _sections._verdict(one)


def test_memories_are_those_of_the_stored_blocks():
  blocks = map(store.read_block, store.block_paths(REFERENCE / "library_defaults"))
  wanted = {
    "recipe": "keras.layers.LSTM",
    "hidden_size": 128,
    "input_scale": 1.0,
    "weights": "recipe",
    "forget_bias": 0.0,
  }
  values = [
    memory
    for block in blocks
    for point, memory in zip(block.points, block.arrays["memory_length"], strict=True)
    if wanted.items() <= point.items()
  ]
  assert len(values) == 5
  page = table.content(table.figure.load(table.WEB_PAGE, REFERENCE))
  row = next(line for line in page.splitlines() if "keras.layers.LSTM</code>" in line)
  shown = row.split("<td>")[-2].removesuffix("</td>")
  mean, _, error = shown.partition(" ± ")
  assert float(mean) == pytest.approx(np.mean(values), abs=0.51 * 10.0 ** -len(mean.partition(".")[2]))
  assert float(error) == pytest.approx(2.776 * np.std(values, ddof=1) / 5**0.5, rel=0.3)  # it has one digit


def test_a_page_of_one_recipe_of_each_kind_has_no_ratio(tmp_path):
  make_up(
    "library_defaults", ["--recipes=torch.nn.LSTM,mlx.nn.RNN", "--hidden_size=4", "--seq_len=12", "--seeds=2"], tmp_path
  )
  (path,) = table.write(tmp_path, tmp_path / "docs")
  assert "Five numbers say where a class starts" in path.read_text()
  assert "GRU of one library" not in path.read_text()
