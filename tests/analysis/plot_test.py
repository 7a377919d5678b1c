"""Sweeps drawn from flags show the numbers of the results, and the answer to a wrong flag names what there is."""

from matplotlib.figure import Figure
import numpy as np
from PIL import Image
import pytest
import xarray as xr

from analysis import charts, plot, style, sweep_axes, sweep_figure
from sweepkit.store import ResultsError, load_results
from tests.made_up import SMALL, make_up


@pytest.fixture(scope="module")
def made(tmp_path_factory):
  """Made-up results of one sweep over two axes, and of one with another number of lines."""
  folder = tmp_path_factory.mktemp("made")
  make_up("phase_gates", [*SMALL, "--cells=lstm,gru", "--ws=0.5:2:4", "--forget_bias=-1,0,2", "--seeds=5"], folder)
  make_up("recurrent_gain", [*SMALL, "--cells=rnn,lstm", "--ws=0.1:10:log:3"], folder)
  return folder


def axes():
  return Figure().subplots()


def dataset(values, **labels):
  """A dataset of one number `f` by these axes and the seed, as `load_results` returns them."""
  dims = [*labels, "seed"]
  values = np.asarray(values, float).reshape([*map(len, labels.values()), -1])
  status = xr.DataArray(np.ones(values.shape, np.int8), dims=dims)
  coords = {**labels, "seed": range(values.shape[-1])}
  return xr.Dataset({"f": (dims, values, {"long_name": "height", "units": "nats"}), "status": status}, coords)


def test_curves_are_the_means_over_seeds(made):
  data, panel = load_results(made / "phase_gates"), axes()
  charts.curves(panel, data, "largest_exponent", "ws", at={"forget_bias": 2})
  means = data.largest_exponent.sel(forget_bias=2).squeeze().mean("seed")
  drawn = {line.get_label(): line for line in panel.get_lines() if not line.get_label().startswith("_")}
  assert [*drawn] == ["LSTM", "GRU"]
  for line, cell in zip(drawn.values(), ("lstm", "gru"), strict=True):
    np.testing.assert_array_equal(line.get_xdata(), [0.5, 1, 1.5, 2])
    np.testing.assert_allclose(line.get_ydata(), means.sel(cell=cell), rtol=1e-6)
  assert len(panel.collections) == 2  # five seeds have a band
  assert panel.get_xlabel() == "recurrent gain $W_s$"
  assert panel.get_ylabel().replace("\n", " ").replace("\u00a0", " ") == "largest Lyapunov exponent λ₁ (nats per step)"


def test_axes_of_the_number_are_taken_at_the_first_name_and_the_last_number(made):
  data, panel = load_results(made / "recurrent_gain"), axes()
  charts.curves(panel, data, "log_norm", "ws", at={"cell": "rnn"})
  (line, *_) = panel.get_lines()
  expected = data.log_norm.sel(cell="rnn", norm="spectral").isel(lag=-1).squeeze().mean("seed")
  np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-6)
  assert panel.get_xscale() == "log"  # as the values are spaced
  chosen = sweep_axes.select(data, "log_norm", "lag", at={"norm": "frobenius", "cell": "rnn", "ws": "10"})
  np.testing.assert_array_equal(chosen.values, data.log_norm.sel(cell="rnn", norm="frobenius", ws=10).squeeze())
  assert chosen.taken == {}


def test_a_list_of_points_is_drawn_as_its_grid(made):
  data = load_results(made / "phase_gates")
  listed = data.stack(point=list(data.status.dims))
  grid, points = axes(), axes()
  for panel, one in ((grid, data), (points, listed)):
    charts.curves(panel, one, "largest_exponent", "forget_bias", at={"ws": [0.5, 2], "cell": "gru"})
  for a, b in zip(grid.get_lines(), points.get_lines(), strict=True):
    np.testing.assert_array_equal(a.get_xydata(), b.get_xydata())


def test_the_line_of_a_map_is_where_the_number_is_0():
  x, y = np.linspace(0, 2, 9), np.linspace(-1, 1, 5)
  data, panel = dataset(np.stack([np.add.outer(x, y) - 1] * 2, -1), x=x, y=y), axes()
  tiles = charts.heat_map(panel, data, "f", "x", "y")
  np.testing.assert_allclose(tiles.get_array(), np.add.outer(y, x) - 1)
  assert tiles.get_clim() == (-tiles.get_clim()[1], tiles.get_clim()[1])
  (contour,) = (one for one in panel.collections if one is not tiles)
  (path,) = contour.get_paths()
  np.testing.assert_allclose(path.vertices.sum(1), 1, atol=1e-12)
  one_sign = charts.heat_map(axes(), data + 5, "f", "x", "y")
  assert one_sign.get_clim() == (3, 7)
  assert len(one_sign.axes.collections) == 1


def test_a_line_breaks_where_a_seed_is_not_finite_and_a_figure_counts_such_means():
  data, panel = dataset([[1, 2], [3, -np.inf], [np.nan, 4], [np.nan, np.nan]], x=[0, 1, 2, 3]), axes()
  charts.curves(panel, data, "f", "x")
  assert np.isnan(panel.get_lines()[0].get_ydata()).tolist() == [False, True, True, True]
  values = sweep_axes.select(data, "f", "x", at={}).values
  assert sweep_figure.unseen(values) == [
    "2 of 3 means are not finite and not drawn"
  ]  # nothing was measured at the last


def test_names_across_are_marks_without_a_line():
  panel = axes()
  charts.curves(panel, dataset([[1, 3], [5, 7]], kernel=["b", "a"]), "f", "kernel")
  (marks,) = (line for line in panel.get_lines() if line.get_marker() != "None")
  assert marks.get_linestyle() == "None"
  assert sorted(marks.get_ydata()) == [1, 3, 5, 7]
  assert [label.get_text() for label in panel.get_xticklabels()] == ["b", "a"]


def test_cells_without_a_look_of_their_own_are_told_apart():
  cells = ["rnn", "mgu", "janet", "cfn", "ran", "star", "my_cell"]
  looks = charts.looks(dataset(np.ones((7, 2, 1)), cell=cells, x=[0, 1]).f, "x")
  assert len({(look["color"], look["marker"]) for look in looks}) == len(cells)
  assert looks[0]["color"] == style.CELL_STYLES["rnn"].color


def test_more_lines_than_one_can_tell_apart_are_refused():
  data = dataset(np.ones((2, 13, 1)), x=[0, 1], y=np.arange(13.0))
  with pytest.raises(ResultsError, match=r"also vary in y \(13 values\), which makes 13 lines of at most 12"):
    charts.curves(axes(), data, "f", "x")
  with pytest.raises(ResultsError, match=r"also vary in z \(2 values\), which makes 2 maps of at most 1"):
    charts.heat_map(axes(), dataset(np.ones((2, 2, 2, 1)), x=[0, 1], y=[0, 1], z=[0, 1]), "f", "x", "y")


def drawn(made, out, *flags):
  results = f"--results={made / 'phase_gates'}"
  return plot.main([results, f"--out={out}", "--x=ws", "--value=largest_exponent", *flags])


@pytest.mark.parametrize(
  "flags", [["--y=forget_bias"], ["--at=forget_bias=0,2", "--at=cell=gru"]], ids=["map", "curves"]
)
def test_a_figure_is_the_same_bytes_twice_and_names_its_source(flags, made, tmp_path, capsys):
  for out in ("one", "two"):
    assert drawn(made, tmp_path / out, *flags) == 0
  first, second = (sorted((tmp_path / out).iterdir()) for out in ("one", "two"))
  assert [path.suffix for path in first] == [".pdf", ".png"]
  assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
  with Image.open(first[1]) as image:
    assert str(made / "phase_gates") in image.text["Source"]
  said = capsys.readouterr()
  assert (said.out.split()[:2], said.err) == ([str(path) for path in first], "")


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (
      ["--results={}"],
      "holds no results of an experiment; it has folders of phase_gates, recurrent_gain; give one of them",
    ),
    (["--results={}/x"], "/x holds no results of an experiment; run its experiment first."),
    (["--value="], "--value is missing; {}/phase_gates holds largest_exponent, standard_error."),
    (["--value=growth"], "'growth' is not a number of {}/phase_gates; there are largest_exponent, standard_error."),
    (["--x="], "--x is missing; largest_exponent varies in cell, ws, forget_bias."),
    (
      ["--x=wz"],
      "wz is not an axis of largest_exponent in {}/phase_gates; largest_exponent varies in cell, ws, forget_bias.",
    ),
    (["--x=bias"], "bias has the single value 0.0; largest_exponent varies in cell, ws, forget_bias."),
    (["--y=ws"], "ws and ws cannot be the axes; largest_exponent varies in cell, ws, forget_bias."),
    (["--at=ws=9"], "ws has no '9'; it has 0.5, 1, 1.5, 2."),
    (["--at=ws"], "--at: 'ws' is not of the form axis=value,value, such as ws=0.5,2."),
    (["--log=maybe"], "--log: 'maybe' is not allowed; it is yes or no."),
    (["--name=a/b"], "--name: 'a/b' is not the name of a file; folders are given by --out."),
    (["--style=ggplott"], "--style: ggplott is neither a file nor the name of a style; did you mean ggplot?"),
    (
      ["--style={}/style"],
      "line 1 of {}/style, 'axes.gird: True', is not a setting of Matplotlib; did you mean axes.grid?",
    ),
    (["--style={}/value"], "{}/value holds a value that Matplotlib refuses (Key axes.grid"),
  ],
)
def test_a_wrong_flag_is_told_what_there_is(flags, message, made, tmp_path, capsys):
  (made / "style").write_text("axes.gird: True\n")
  (made / "value").write_text("axes.grid: perhaps\n")
  assert drawn(made, tmp_path / "out", *(flag.format(made) for flag in flags)) == 2
  said = capsys.readouterr().err
  assert message.format(made) in said
  assert said.count("\n") == 1
  assert not (tmp_path / "out").exists()


def test_ones_own_style_sets_colours_and_size_and_ends_with_the_figure(made, tmp_path, capsys):
  own = tmp_path / "own.mplstyle"
  own.write_text('axes.prop_cycle: cycler(color=["#112233", "#445566"])\nfigure.figsize: 4, 3\nbackend: TkAgg\n')
  with style.own(own):
    assert [style.cell_style(cell).color for cell in ("rnn", "lstm", "gru")] == ["#112233", "#445566", "#112233"]
    with style.settings():
      assert style.mpl.rcParams["figure.figsize"] == [4, 3]
  assert style.cell_style("rnn") == style.CELL_STYLES["rnn"]
  assert drawn(made, tmp_path, f"--style={own}", "--at=forget_bias=0", "--name=own") == 0
  with Image.open(tmp_path / "own.png") as image:
    assert image.size == (1200, 900)
  capsys.readouterr()


@pytest.mark.parametrize(("own", "used"), [("PuOr_r", "PuOr_r"), ("viridis", "RdBu_r"), (None, "RdBu_r")])
def test_a_map_that_changes_at_zero_takes_diverging_colours_alone(own, used):
  _, axes = style.new_figure(2, 2)
  with style.own_style.use({"image.cmap": own} if own else {}):
    mesh = style.plot_map(axes[0, 0], np.arange(2.0), np.arange(2.0), np.array([[-1.0, 1.0], [1.0, -1.0]]), 1.0)
  assert mesh.get_cmap().name == used


def test_a_figure_of_another_experiment_is_not_replaced(made, tmp_path, capsys):
  assert drawn(made, tmp_path, "--name=same", "--at=forget_bias=0") == 0
  before = (tmp_path / "same.png").read_bytes()
  other = [f"--results={made / 'recurrent_gain'}", "--value=growth_rate"]
  assert drawn(made, tmp_path, "--name=same", *other) == 2
  said = capsys.readouterr().err
  assert f"was drawn from {made / 'phase_gates'}, and would be replaced by one from {made / 'recurrent_gain'}" in said
  assert (tmp_path / "same.png").read_bytes() == before
  Image.new("RGB", (4, 4)).save(tmp_path / "photo.png")
  assert drawn(made, tmp_path, "--name=photo", *other) == 2
  assert "photo.png is not a figure of the lab, and would be replaced" in capsys.readouterr().err
