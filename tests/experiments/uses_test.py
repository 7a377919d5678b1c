"""Counts and forecasts that stand beside the nets, against loops."""

import numpy as np
import pytest

from experiments import forecast, ngram_tasks
from recurrent_lab.tasks.sessions import MARKOV_ERROR
from recurrent_lab.tasks.stories import CHANCE_ERROR
from sweepkit import runner, store


@pytest.mark.slow
def test_counts_guess_where_the_answer_lies_further_back(tmp_path):
  flags = ["--length=9", "--order=2", "--sequences=3000", f"--out={tmp_path}"]
  assert runner.main(ngram_tasks.EXPERIMENT, flags) == 0
  error = store.load_results(tmp_path / "ngram_tasks").test_error.squeeze(drop=True)
  # Six standard deviations of a share of 1000 stories, and of 2000 items.
  assert abs(float(error.sel(task="long_range_recall")) - CHANCE_ERROR) < 6 * np.sqrt(CHANCE_ERROR / 7 / 1000)
  assert abs(float(error.sel(task="next_item")) - MARKOV_ERROR) < 6 * 0.5 / np.sqrt(2000)


@pytest.mark.slow
def test_forecasts_have_their_baselines_beside_them(tmp_path, monkeypatch):
  monkeypatch.setattr(forecast, "SERIES", 60)
  flags = ["--cells=rnn", "--length=30", "--hidden_size=4", "--updates=50", "--seeds=2", f"--out={tmp_path}"]
  assert runner.main(forecast.EXPERIMENT, flags) == 0
  data = store.load_results(tmp_path / "forecast").squeeze(drop=True)
  assert bool((data.linear < data.persistence).all())
  assert data.persistence.sizes == {"seed": 2}


@pytest.mark.parametrize("task", ["language", "adding"])
def test_a_task_without_tokens_to_count_is_refused(task, tmp_path, capsys):
  assert runner.main(ngram_tasks.EXPERIMENT, [f"--task={task}", f"--out={tmp_path / 'out'}"]) == 2
  assert "one of long_range_recall, next_item" in capsys.readouterr().err
  assert not (tmp_path / "out").exists()
