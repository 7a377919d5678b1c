"""The figure of trained cells: medians, tasks of different lengths, and an atlas that lacks cells."""

import numpy as np
import pytest
from scipy import stats

from analysis import figure
from analysis.training.trained_cells import FIGURE, MEASURED
from sweepkit.store import load_results
from tests.made_up import SMALL, make_up

SIZES = ["--parameters=2000", "--updates=100", "--seeds=3"]
CELLS = ["rnn", "lstm", "gru", "mgu", "min_gru"]


@pytest.fixture
def results(tmp_path):
  for task, length, cells in [("adding", 10, CELLS), ("copy_memory", 5, CELLS[:4])]:
    flags = [f"--task={task}", f"--length={length}", f"--cells={','.join(cells)}", *SIZES]
    make_up("atlas_training", flags, tmp_path)
  return tmp_path


def test_correlations_are_those_of_the_medians(results):
  make_up("atlas", [*SMALL, "--seeds=5", f"--cells={','.join(CELLS)}"], results)
  shown = FIGURE.numbers(figure.load(FIGURE, results))
  assert shown.task.values.tolist() == ["adding 10", "copy memory 5"]
  trained = load_results(results / "atlas_training").best_score
  atlas = load_results(results / "atlas").sel(norm="spectral")
  for task, label, cells in [("adding", "adding 10", CELLS), ("copy_memory", "copy memory 5", CELLS[:4])]:
    one = trained.sel(cell=cells, task=task, length=int(label.split()[-1])).squeeze(drop=True)
    rates = atlas.growth_rate.sel(cell=cells).squeeze(drop=True).median("seed")
    expected = stats.spearmanr(rates, -one.median("seed")).statistic
    found = shown.rank_correlation.sel(task=label, measured=MEASURED["growth_rate"])
    assert float(found) == pytest.approx(expected, abs=1e-6)
  assert int(shown.solved.sel(task="copy memory 5", cell="min_gru").count()) == 0
  assert int(shown.solved.sel(task="adding 10", cell="min_gru").count()) == 3


def test_an_atlas_that_lacks_a_cell_is_left_out(results, tmp_path, capsys):
  make_up("atlas", [*SMALL, "--cells=rnn,lstm"], results)
  assert figure.main(FIGURE, argv=[f"--results={results}", f"--out={tmp_path / 'figures'}"]) == 0
  assert "drawn without atlas, since" in capsys.readouterr().err
  ((part, data, _),) = figure.parts(FIGURE, figure.load(FIGURE, results))
  assert "ρ" not in part.finding(part.numbers(data))


def test_solved_cells_come_first(results):
  drawn = FIGURE.draw(figure.load(FIGURE, results))
  names = [text.get_text() for text in drawn.axes[0].get_yticklabels()]
  shares = FIGURE.numbers(figure.load(FIGURE, results)).solved.mean("seed").mean("task")
  order = [float(shares.sel(cell=name.replace(" ", "_"))) for name in names]
  assert order == sorted(order, reverse=True)
  assert len(names) == len(CELLS)
  assert np.isfinite(order).all()
