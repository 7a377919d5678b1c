"""Every figure is drawn from small results, twice the same bytes, and says what is missing."""

import importlib
from pathlib import Path
import subprocess
import sys

import numpy as np
from PIL import Image
import pypdf
import pytest
import xarray as xr

from analysis import error_surface, figure, language, learning, paper, recall, style, temporal_order
from experiments import runner
from experiments.store import ResultsError, load_results
from tests.analysis.conftest import SMALL, TRAINED, make_up


@pytest.mark.parametrize("plot", paper.PLOTS + learning.LEARNING, ids=lambda plot: plot.name)
def test_figure_is_drawn_and_the_same_bytes_twice(plot, results, tmp_path):
  first, second = (figure.draw(plot, results, tmp_path / name) for name in ("one", "two"))
  assert [path.name for path in first] == [f"{plot.name}.pdf", f"{plot.name}.png"]
  for a, b in zip(first, second, strict=True):
    assert a.read_bytes() == b.read_bytes()
  pdf = pypdf.PdfReader(first[0])
  source = plot.reads[0] if plot.reads else "closed forms"
  assert source in pdf.metadata["/Subject"]
  assert source in Image.open(first[1]).text["Source"]
  fonts = [font.get_object() for page in pdf.pages for font in page["/Resources"]["/Font"].values()]
  assert fonts
  assert all(font["/Subtype"] in ("/Type0", "/TrueType") for font in fonts)  # type 42: embedded TrueType outlines
  width, _ = pdf.pages[0].mediabox[2:]
  assert float(width) / 72 == pytest.approx(style.PAGE, abs=0.3) or float(width) / 72 == pytest.approx(
    style.COLUMN, abs=0.1
  )
  pixels = np.asarray(Image.open(first[1]).convert("L"))
  assert 0.005 < np.mean(pixels < 128) < 0.7  # something is drawn, and it is not a blot


def test_every_figure_file_is_in_the_paper_or_a_study():
  files = Path(paper.__file__).parent.glob("*.py")
  drawn = [plot.name for plot in paper.PLOTS + learning.LEARNING + language.LANGUAGE]
  assert sorted(path.stem for path in files if "PLOT = Plot(" in path.read_text()) == sorted(drawn)


def test_several_and_single_figures_from_the_command_line(results, tmp_path, capsys):
  some = paper.PLOTS[:3]
  assert figure.main(*some, argv=[f"--results={results}", f"--out={tmp_path}"]) == 0
  printed = capsys.readouterr().out.split()
  assert len(printed) == 2 * len(some)
  assert all(Path(path).exists() for path in printed)
  command = [sys.executable, "-m", "analysis.recurrent_gain", f"--results={results}", f"--out={tmp_path / 'single'}"]
  assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.count("recurrent_gain") == 2


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (["--results=/nowhere"], "/nowhere/recurrent_gain holds no results; run the experiment first"),
    (["--result=x"], "Unknown command line flag 'result'. Did you mean: results"),
    (["x"], "'x' is not a flag"),
  ],
)
def test_what_is_missing_is_said(flags, message, tmp_path, capsys):
  assert (
    figure.main(importlib.import_module("analysis.recurrent_gain").PLOT, argv=[*flags, f"--out={tmp_path / 'f'}"]) == 2
  )
  assert message in capsys.readouterr().err
  assert not (tmp_path / "f").exists()


def test_a_sweep_with_more_axes_than_the_figure_is_refused(tmp_path, capsys):
  from experiments.recurrent_gain import EXPERIMENT

  assert runner.main(EXPERIMENT, [*SMALL, "--ws=1,2", "--input_scale=0.5,1", "--cells=rnn", f"--out={tmp_path}"]) == 0
  assert (
    figure.main(
      importlib.import_module("analysis.product_by_lag").PLOT, argv=[f"--results={tmp_path}", f"--out={tmp_path}"]
    )
    == 2
  )
  assert "varies in input_scale (0.5, 1.0), which this figure has no axis for" in capsys.readouterr().err


def test_a_study_of_two_lengths_is_refused_where_one_is_drawn(tmp_path, capsys):
  make_up("adding", [*TRAINED, "--cells=gru"], tmp_path)
  plot = importlib.import_module("analysis.adding").PLOT
  assert figure.main(plot, argv=[f"--results={tmp_path}", f"--out={tmp_path}"]) == 2
  assert "varies in length (10, 20), which this figure has no axis for" in capsys.readouterr().err


def test_what_was_not_run_is_left_out(results):
  data = figure.only_axes(load_results(results / "temporal_order"), "length", *temporal_order.TRAINING)
  made = {(cell, clip, omega) for (cell, clip, omega), _ in figure.runs(data, "cell", "clip", "omega")}
  clipped = {(cell, "global_norm", 0.0) for cell in ("rnn", "lstm", "gru")}
  assert made == clipped | {("rnn", "none", 0.0), ("rnn", "global_norm", 2.0)}
  missing = data.assign(status=data.status.where(data.seed < 2, 0))
  assert all(one.seed.values.tolist() == [0, 1] for _, one in figure.runs(missing, "cell", "clip", "omega"))


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


def test_success_rate_is_wilsons(rng):
  solved = (rng.random((9, 4)) < 0.4).astype(float)
  solved[:, 0] = 0
  solved[:, 1] = 1
  solved[5:, 2] = np.nan  # four seeds were not run
  count, share = np.array([9, 9, 5, 9]), np.nanmean(solved, 0)
  z = 1.959963984540054
  centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
  half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
  band = style.success_rate(xr.DataArray(solved, dims=("seed", "x")))
  np.testing.assert_allclose(band, (share, centre - half, centre + half), atol=1e-12)
  np.testing.assert_array_equal(style.success_rate(xr.DataArray([np.nan, np.nan], dims="seed")), [np.nan] * 3)


def test_forget_biases_are_sorted_as_numbers():
  assert sorted(["chrono", "10", "-2", "1.5"], key=figure.bias_value) == ["-2", "1.5", "10", "chrono"]


def test_the_start_on_the_plain_that_is_thrown_farthest():
  settings = ("ws", "bias")
  gradient = np.array([[7, 0.05], [0.05, 0.05], [0.05, 0.05]])  # the first start is no plain
  error = np.array([[0.001, 0.4], [0.3, 0.3], [0.2, 0.2]])
  path = np.zeros((3, 2, 2, 3, 2))  # all end at (0, 0), where the error is small, ...
  path[0, 1, 1, 2] = 2, 1  # ... but for the second, clipped
  path[:, :, 0, 1, 0] = [[9, 8], [2, 3], [5, 4]]  # how far the plain descents are thrown
  data = xr.Dataset(
    {
      "error": (settings, error),
      "gradient_norm": (settings, gradient),
      "path": ((*settings, "clipping", "update", "coordinate"), path),
    },
    coords={"ws": [0.0, 1.0, 2.0], "bias": [0.0, 1.0], "clipping": ["none", "global_norm"]},
  )
  assert error_surface.choose(data) == {"ws": 2, "bias": 0}
  with pytest.raises(ResultsError, match="no start on the plain"):
    error_surface.choose(data.assign(error=data.error + 1).assign_attrs(source="here"))


def test_confidence_band_is_students(rng):
  from scipy import stats

  values = rng.normal(size=(6, 3))
  band = style.confidence_band(xr.DataArray(values, dims=("seed", "x")))
  expected = stats.t.interval(0.95, 5, values.mean(0), stats.sem(values))
  np.testing.assert_allclose((band.low, band.high), expected)
  one_infinite = np.where(np.arange(3) == 1, np.inf, values)
  np.testing.assert_array_equal(
    np.isnan(style.confidence_band(xr.DataArray(one_infinite, dims=("seed", "x"))).mean), [0, 1, 0]
  )


def test_every_cell_has_its_own_look():
  from recurrent_lab.cells import CELLS

  styles = [style.cell_style(cell) for cell in ("rnn", "lstm", "gru")]
  assert len({s.color for s in styles}) == len({s.marker for s in styles}) == len({s.linestyle for s in styles}) == 3
  assert all(style.cell_style(cell).label for cell in CELLS)
