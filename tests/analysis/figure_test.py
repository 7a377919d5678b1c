"""Every figure is drawn from small results, twice the same bytes, and says what is missing."""

from functools import partial
import importlib
from pathlib import Path
import re
import shutil
import subprocess
import sys

import numpy as np
from PIL import Image
import pypdf
import pytest

from analysis import figure, listing, numbers, paper, selection, study, style
from analysis import plot as plot_command
from analysis.defaults import table as defaults_table
from analysis.language import table as language_table
from analysis.learning import table as learning_table
from analysis.learning import temporal_order
from analysis.report import pictures
from sweepkit.store import load_results
from tests.made_up import SMALL, TRAINED, make_up

ROOT = Path(__file__).parents[2]
STUDIES = [one.name for one in study.studies()]
EVERY = {spec.name: spec for name in STUDIES for spec in study.figures(name)}
BY_DEFAULT = ("recurrent_gain", "phase_gates", "adding", "tanh_slope")  # curves, maps, training runs, closed forms


@pytest.mark.parametrize(
  "plot",
  [
    pytest.param(plot, id=plot.name, marks=[] if plot.name in BY_DEFAULT else pytest.mark.exhaustive)
    for plot in study.figures("paper") + study.figures("learning")
  ],
)
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


def test_several_figures_from_the_command_line(results, tmp_path, capsys, monkeypatch):
  some = tuple(EVERY[name] for name in ("recurrent_gain", "tanh_slope"))
  monkeypatch.setattr(study, "figures", lambda package: some)
  writer = lambda results, out: [out / "table.md"]
  argv = [f"--results={results}", f"--out={tmp_path}"]
  assert study.main(paper.STUDY, "Draws two.", writer, argv=argv) == 0
  *printed, last = capsys.readouterr().out.split()
  assert len(printed) == 2 * len(some)
  assert all(Path(path).exists() for path in printed)
  assert last == str(tmp_path / "table.md")


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (["--results=/nowhere"], "/nowhere/recurrent_gain holds no results; run the experiment first"),
    (["--result=x"], "Unknown command line flag 'result'. Did you mean: results. --help shows all flags."),
    (["x"], "'x' is not a flag"),
  ],
)
def test_what_is_missing_is_said(flags, message, tmp_path, capsys):
  assert figure.main(EVERY["recurrent_gain"], argv=[*flags, f"--out={tmp_path / 'f'}"]) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "f").exists()


COMMANDS = {
  **{name: importlib.import_module(f"analysis.{name}.__main__").main for name in (*STUDIES, "claims", "report")},
  **{
    module.__name__.removeprefix("analysis."): module.main
    for module in (plot_command, learning_table, language_table, defaults_table)
  },
  **{listing.module_of(name).removeprefix("analysis."): partial(figure.main, spec) for name, spec in EVERY.items()},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_which_flags_it_takes(name, tmp_path, monkeypatch, capsys):
  """A wrong flag is named in one sentence; neither help nor error writes a file."""
  monkeypatch.chdir(tmp_path)
  assert COMMANDS[name](argv=["--help"]) == 0
  said, errors = capsys.readouterr()
  assert f"python -m analysis.{name} --results=" in said
  draws = not name.endswith("table") and name != "claims"
  for flag in ("--results=", "--out=", "--help", *["--readme="] * (name == "claims"), *["--style="] * draws):
    assert f"\n  {flag}" in said
  assert errors == ""
  assert COMMANDS[name](argv=["--reslts=x"]) == 2
  said, errors = capsys.readouterr()
  assert (said, errors.count("\n")) == ("", 1)
  assert "Unknown command line flag 'reslts'" in errors
  assert not list(tmp_path.iterdir())


LIGHT = """
import importlib, sys
for name in sys.argv[1:]:
  assert importlib.import_module(name).main(["--help"]) == 0
print(sorted({"matplotlib", "xarray", "scipy", "recurrent_lab"} & set(sys.modules)), file=sys.stderr)
"""


def test_help_imports_nothing_that_takes_long():
  names = [f"analysis.{name}.__main__" for name in (*STUDIES, "claims", "report")]
  command = [sys.executable, "-c", LIGHT, "analysis.plot", *names]
  made = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
  assert made.stderr == "[]\n"


def test_settings_without_an_axis_make_a_figure_a_value(tmp_path, capsys):
  """Also without the mean field, which was not run here; both are said."""
  flags = [*SMALL, "--cells=rnn,gru", "--ws=0.5,1,2"]
  make_up("recurrent_gain", [*flags, "--input_scale=0.5,1"], tmp_path / "two")
  make_up("recurrent_gain", flags, tmp_path / "one")
  for folder in ("one", "two"):
    made = figure.main(
      EVERY["recurrent_gain"], argv=[f"--results={tmp_path / folder}", f"--out={tmp_path / 'f' / folder}"]
    )
    assert made == 0
  said = capsys.readouterr().err
  assert said.count("drawn without mean_field, which was not run.") == 3
  assert "recurrent_gain-input_scale-0.5: input_scale = 0.5, one of 2 values in " in said
  drawn = sorted(path.name for path in (tmp_path / "f" / "two").glob("*.png"))
  assert drawn == ["recurrent_gain-input_scale-0.5.png", "recurrent_gain-input_scale-1.png"]
  (data,) = figure.load(EVERY["recurrent_gain"], tmp_path / "two").values()
  for value, (plot, some, _) in zip(
    (0.5, 1), figure.parts(EVERY["recurrent_gain"], {"recurrent_gain": data}), strict=True
  ):
    shown = plot.numbers(some).growth_rate
    expected = data.growth_rate.sel(norm="spectral", input_scale=value).squeeze()
    np.testing.assert_array_equal(shown.squeeze(), expected.transpose(*shown.squeeze().dims))


def test_a_study_of_two_lengths_is_drawn_at_each(tmp_path, capsys):
  make_up("adding", [*TRAINED, "--cells=gru"], tmp_path)
  assert figure.main(EVERY["adding"], argv=[f"--results={tmp_path}", f"--out={tmp_path}"]) == 0
  assert sorted(path.name for path in tmp_path.glob("*.png")) == ["adding-length-10.png", "adding-length-20.png"]
  capsys.readouterr()


def test_many_values_are_thinned(tmp_path):
  make_up("recurrent_gain", [*SMALL, "--cells=rnn", "--ws=1,2", "--bias=0:1:11"], tmp_path)
  plot = EVERY["recurrent_gain"]
  names = [part.name for part, _, _ in figure.parts(plot, figure.load(plot, tmp_path))]
  assert [name.removeprefix("recurrent_gain-bias-") for name in names] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]


def test_a_figure_of_other_results_is_not_replaced(results, tmp_path, capsys):
  (tmp_path / "other").mkdir()
  shutil.copytree(results / "recurrent_gain", tmp_path / "other" / "recurrent_gain")
  plot, out = EVERY["recurrent_gain"], f"--out={tmp_path / 'figures'}"
  assert figure.main(plot, argv=[f"--results={results}", out]) == 0
  before = {path: path.read_bytes() for path in (tmp_path / "figures").iterdir()}
  capsys.readouterr()
  assert figure.main(plot, argv=[f"--results={tmp_path / 'other'}", out]) == 2
  said = capsys.readouterr().err
  assert f"was drawn from {results}, and would be replaced by one from {tmp_path / 'other'}; give another --out" in said
  assert {path: path.read_bytes() for path in (tmp_path / "figures").iterdir()} == before
  assert figure.main(plot, argv=[f"--results={results}", out]) == 0  # its own results replace it
  asked = re.search(r"--out=(\S+)\.$", said)[1]
  assert figure.main(plot, argv=[f"--results={tmp_path / 'other'}", f"--out={asked}"]) == 0


def test_a_half_finished_sweep_says_so(tmp_path, capsys):
  flags = [*SMALL, "--hidden_size=1", "--bias=0", "--ws=-1:2:8", "--chunk=8"]
  make_up("one_unit", [*flags, "--shard=0/3"], tmp_path)
  plot, out = EVERY["one_unit"], f"--out={tmp_path / 'f'}"
  capsys.readouterr()
  assert figure.main(plot, argv=[f"--results={tmp_path}", out]) == 0
  assert f"one_unit: incomplete: 8 of 24 planned points of {tmp_path / 'one_unit'}." in capsys.readouterr().err
  (made,), _ = zip(*pictures.drawn(plot, figure.load(plot, tmp_path)), strict=True)
  assert made.finding.endswith(f"Incomplete: 8 of 24 planned points of {tmp_path / 'one_unit'}.")
  make_up("one_unit", flags, tmp_path)
  make_up("one_unit", [*flags, "--ws=3"], tmp_path)  # another launch into the same folder, whole as well
  capsys.readouterr()
  assert figure.main(plot, argv=[f"--results={tmp_path}", out]) == 0
  assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("seeds", "said"), [(1, "1 seed)"), (4, "4 seeds)"), (5, "5 seeds)")])
def test_bands_need_five_seeds_and_every_figure_tells_how_many(seeds, said, tmp_path):
  make_up("recurrent_gain", [*SMALL, "--cells=rnn", "--ws=1,2,4", f"--seeds={seeds}"], tmp_path)
  plot = EVERY["recurrent_gain"]
  datasets = figure.load(plot, tmp_path)
  drawn = figure.render(plot, datasets, lambda drawn, name, source: drawn)
  assert bool(drawn.axes[0].collections) == (seeds >= 5)
  thin = [line for line in drawn.axes[0].get_lines() if line.get_linewidth() == 0.5]
  assert len(thin) == (seeds if 1 < seeds < 5 else 0)
  assert any(said in text.get_text().replace("\u00a0", " ") for text in drawn.texts)
  told = {
    1: "1 seed",
    4: "mean of 4 seeds; thin lines: single seeds",
    5: "mean of 5 seeds; bands: 95 % interval of the mean",
  }
  assert told[seeds] in [text.get_text() for text in drawn.texts if text.get_fontsize() >= 6]
  caption = numbers.tables(plot.numbers(datasets), plot.tables)[0].caption
  assert caption.endswith({1: "; 1 seed", 4: "every value of 4 seeds", 5: "mean ± 95 % of 5 seeds"}[seeds])


def test_what_was_not_run_is_left_out(results):
  data = selection.only_axes(load_results(results / "temporal_order"), "length", *temporal_order.TRAINING)
  made = {(cell, clip, omega) for (cell, clip, omega), _ in selection.runs(data, "cell", "clip", "omega")}
  clipped = {(cell, "global_norm", 0.0) for cell in ("rnn", "lstm", "gru")}
  assert made == clipped | {("rnn", "none", 0.0), ("rnn", "global_norm", 2.0)}
  missing = data.assign(status=data.status.where(data.seed < 2, 0))
  assert all(one.seed.values.tolist() == [0, 1] for _, one in selection.runs(missing, "cell", "clip", "omega"))


def test_forget_biases_are_sorted_as_numbers():
  assert sorted(["chrono", "10", "-2", "1.5"], key=selection.bias_value) == ["-2", "1.5", "10", "chrono"]
