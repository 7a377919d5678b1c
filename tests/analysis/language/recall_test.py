"""The figure of long-range recall, from results that do not fill their grid."""

from analysis.language import recall
from sweepkit.store import load_results
from tests.made_up import make_up


def test_a_study_that_was_stopped_is_drawn_as_far_as_it_went(tmp_path):
  for name, *launches in (
    ("recall", ["--cells=rnn", "--length=5,20"], ["--cells=gru", "--length=5"]),
    ("ngram_tasks", ["--task=long_range_recall", "--length=5,60"]),
  ):
    for flags in launches:
      make_up(name, [*flags, "--seeds=2"], tmp_path)
  drawn = recall.draw({name: load_results(tmp_path / name) for name in ("recall", "ngram_tasks")})
  lengths = {line.get_label(): list(line.get_xdata()) for line in drawn.axes[0].get_lines()}
  assert (lengths["RNN"], lengths["GRU"], lengths["5-gram"]) == ([5, 20], [5], [5])
