"""The report: every number on it comes from the results, it needs nothing but itself, and it is whole or not there."""

import csv
import io
import itertools
import shutil
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
import xarray as xr

from analysis import claims, numbers, provenance, study, wording
from analysis.report import __main__ as command
from analysis.report import assembly, pictures
from sweepkit.store import load_results
from tests.made_up import folder_of
from tests.support.pages import Page

FEW = ("recurrent_gain", "tanh_slope")
EVERY = {spec.name: spec for one in study.studies() for spec in study.figures(one.name)}


@pytest.fixture(scope="module")
def few():
  """The report's parts with a few of its figures; of the language study nothing was run."""
  return tuple(
    part._replace(figures=[spec for spec in part.figures if spec.name in (*FEW, "vowels")], pages=())
    for part in assembly.PARTS
  )


@pytest.fixture(scope="module")
def written(results, few, tmp_path_factory):
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(assembly, "PARTS", few)
    out = tmp_path_factory.mktemp("report")
    assert command.main([f"--results={results}", f"--out={out / 'one'}"]) == 0
    content, files = assembly.page(results)
  assert not files
  assert (out / "one" / "index.html").read_text() == content  # drawn twice, the same bytes
  assert [path.name for path in (out / "one").iterdir()] == ["index.html"]
  return content


@pytest.fixture(scope="module")
def page(written):
  return Page(written)


def test_the_page_is_well_formed_and_has_an_outline(page):
  assert not page.open
  assert page.all("html") == [{"lang": "en"}]
  levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
  assert levels[0] == 1 == levels.count(1)
  assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
  names = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
  assert len(names) == len(set(names))
  inside = [attrs["href"][1:] for attrs in page.all("a") if attrs["href"].startswith("#")]
  assert inside
  assert set(inside) <= set(names)
  assert all(attrs["scope"] in ("col", "row") for attrs in page.all("th"))


def test_the_page_needs_no_other_file(page):
  targets = [attrs[name] for _, attrs in page.tags for name in ("href", "src") if name in attrs]
  assert all(target.startswith(("#", "data:")) for target in targets)
  assert not page.all("script")


def test_pages_of_studies_lie_beside_the_page(results, few, tmp_path, monkeypatch):
  (atlas,) = (part for part in assembly.PARTS if part.study.name == "atlas")
  monkeypatch.setattr(assembly, "PARTS", [*few, atlas._replace(figures=[])])
  content, files = assembly.page(results)
  assert [*files] == ["atlas.html"]
  links = [attrs["href"] for attrs in Page(content).all("a") if not attrs["href"].startswith(("#", "data:"))]
  assert set(links) == {"atlas.html"}
  monkeypatch.setattr(assembly, "PARTS", [few[0], atlas._replace(figures=[])])
  shutil.copytree(results / "recurrent_gain", tmp_path / "recurrent_gain")
  content, files = assembly.page(tmp_path)
  assert not files
  assert "atlas was not run" in content
  assert f"python -m experiments.atlas --out={tmp_path}" in content


def test_alternative_texts_state_the_finding(page, results):
  plots = {name: EVERY[name] for name in FEW}
  alternatives = [attrs["alt"] for attrs in page.all("img")]
  assert len(alternatives) == len(plots)
  for plot, alternative in zip(plots.values(), alternatives, strict=True):
    shown = plot.numbers({name: load_results(results / name) for name in plot.inputs})
    assert alternative == f"{plot.title} {plot.finding(shown)}"


def test_downloads_hold_the_numbers(page, results):
  links = {attrs["download"]: attrs["href"] for attrs in page.all("a") if "download" in attrs}
  assert list(links) == [f"{name}.csv" for name in FEW]
  content = unquote_to_bytes(links["recurrent_gain.csv"].partition(",")[2]).decode()
  rates = load_results(results / "recurrent_gain").growth_rate.sel(norm="spectral").squeeze()
  rows = [row for row in csv.DictReader(io.StringIO(content)) if row["quantity"] == "growth_rate"]
  assert len(rows) == rates.sizes["cell"] * rates.sizes["ws"]
  for row in rows:
    expected = rates.sel(cell=row["cell"], ws=float(row["ws"])).values
    np.testing.assert_allclose([float(row[f"seed {seed}"]) for seed in rates.seed.values], expected, rtol=1e-6)


def test_claims_commands_and_provenance_are_there(page, results):
  data = {name: load_results(results / name) for claim in claims.CLAIMS.values() for name in claim.reads}
  plain = "".join(page.text.replace("−", "-").split())
  for number, claim in claims.CLAIMS.items():
    # Subscripts lose their underscore.
    measured = pictures.typeset(claims.judge(claim, data).measured).striptags().replace("−", "-")
    assert "".join(measured.split()) in plain, number
  for name in data:
    made = provenance.sweep(results / name, load_results(results / name))
    assert all("".join(command.split()) in plain for command in made.commands)
    assert all(text in page.text for _, texts in made.made for text in texts.split("; "))
  assert any(made.commands)
  assert "python -m experiments.vowels" in page.text  # how to make what is missing


def test_a_claim_without_its_sweeps_is_not_judged(results):
  data = {name: load_results(results / name) for name in ("identities",)}
  entries = {number: (found, why) for number, found, why in claims.INTRODUCTIONS.entries(data, results)}
  assert entries[1][0] is not None
  assert entries[6] == (None, f"not measured here; run python -m experiments.zero_or_one --out={results}")


def test_what_is_large_lies_beside_the_page(results, few, tmp_path, monkeypatch):
  part = few[0]._replace(figures=[spec for spec in few[0].figures if not spec.reads])
  monkeypatch.setattr(assembly, "PARTS", [part])
  monkeypatch.setattr(pictures, "INLINE", 1000)
  assert command.main([f"--results={results}", f"--out={tmp_path}"]) == 0
  page = Page((tmp_path / "index.html").read_text())
  links = {attrs["download"]: attrs["href"] for attrs in page.all("a") if "download" in attrs}
  assert links["tanh_slope.csv"] == "data/tanh_slope.csv"
  assert (tmp_path / "data" / "tanh_slope.csv").read_bytes().startswith(b"quantity,a,value\n")
  assert all(attrs["src"].startswith("data:image/png") for attrs in page.all("img"))


@pytest.mark.parametrize("plot", EVERY.values(), ids=lambda plot: plot.name)
def test_every_figure_has_a_finding_and_numbers(plot, results):
  """In small results too, where a curve may be too short to cross anything."""
  datasets = {name: load_results(folder_of(name, results) / name) for name in plot.inputs}
  shown = plot.numbers(datasets)
  finding = plot.finding(shown)
  assert any(character.isdigit() for character in finding)
  assert "nan" not in finding.lower().replace("nats", "")
  assert finding.endswith(".")
  tables = numbers.tables(shown, plot.tables)
  assert tables
  assert all(len(row) == len(table.heads) for table in tables for row in table.rows)
  stored = {name for one in datasets.values() for name in one.data_vars}
  assert {str(name) for name in shown.data_vars} <= {*plot.tables, *stored}, "what a figure derives needs a label"
  assert set(plot.tables) <= {str(name) for name in shown.data_vars} | {"mean_field", "ngram_nats", "ngram_error"}
  rows = list(csv.reader(io.StringIO(numbers.to_csv(shown).decode())))
  assert len({len(row) for row in rows}) == 1
  assert len(rows) > 1


def test_other_numbers_are_another_finding(results):
  plot = EVERY["recurrent_gain"]
  shown = xr.Dataset(
    {"growth_rate": (("cell", "ws", "seed"), np.array([[[-1.0, -3], [1, 3]], [[-1, -1], [-2, -2]]]))},
    coords={"cell": ["rnn", "lstm"], "ws": [1.0, 2.0]},
  )
  assert plot.finding(shown).endswith("RNN rises above 0 at W_s = 1.5; LSTM stays below 0 from W_s = 1 to 2.")
  assert numbers.table(shown.growth_rate)[1:] == (
    1,
    ["cell", "W_s 1", "W_s 2"],
    [["RNN", "-1 and -3", "1 and 3"], ["LSTM", "-1 each", "-2 each"]],
  )
  shown.growth_rate[0, 0] = [np.nan, np.inf]
  assert numbers.table(shown.growth_rate).rows[0][1] == "∞"


def test_the_last_value_is_the_last_that_was_measured():
  values = xr.DataArray(
    [[1.0, 2, np.nan], [np.nan] * 3, [np.nan, 4, 5]], dims=("seed", "update"), coords={"update": [1, 2, 3]}
  )
  np.testing.assert_array_equal(wording.last(values, "update"), [2, np.nan, 5])


def test_markup_is_escaped():
  assert pictures.typeset("<b> W_s & b_{f-1} = -2, zero_or_one") == (
    "&lt;b&gt; W<sub>s</sub> &amp; b<sub>f−1</sub>\u00a0=\u00a0−2, zero_or_one"
  )
  assert pictures.typeset("2.1e-07 of 6 %, ∏ J") == "2.1·10<sup>−7</sup> of 6\u00a0%, ∏\u00a0J"


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (["--results=/nowhere"], "--results: /nowhere is not a folder; run an experiment first"),
    (["--results={}"], "holds no results; run an experiment first (python -m experiments.recurrent_gain --out="),
    (["--out={}/file"], "--out: {}/file is a file; give the name of a folder."),
    (["--out={}/file/below"], "--out: {}/file is a file; give the name of a folder."),
    (["--out="], "The folder '' is not allowed"),
    (["x"], "'x' is not a flag"),
    (["--result=x"], "Unknown command line flag 'result'"),
  ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(flags, message, tmp_path, capsys):
  (tmp_path / "file").write_text("kept")
  flags = [flag.format(tmp_path) for flag in flags]
  assert command.main([f"--out={tmp_path / 'x'}", *flags]) == 2
  assert message.format(tmp_path) in capsys.readouterr().err
  assert [path.name for path in tmp_path.iterdir()] == ["file"]
  assert (tmp_path / "file").read_text() == "kept"


def test_the_report_of_other_results_is_not_replaced(few, results, tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(assembly, "PARTS", few)
  out = tmp_path / "report"
  shutil.copytree(results / "recurrent_gain", tmp_path / "other" / "recurrent_gain")
  assert command.main([f"--results={tmp_path / 'other'}", f"--out={out}"]) == 0
  before = (out / "index.html").read_bytes()
  capsys.readouterr()
  assert command.main([f"--results={results}", f"--out={out}"]) == 2
  said = capsys.readouterr().err
  assert (
    f"is the report of {tmp_path / 'other'}, and would be replaced by that of {results}; give another --out" in said
  )
  assert (out / "index.html").read_bytes() == before
  (out / "index.html").write_text("<p>My own page</p>")
  assert command.main([f"--results={tmp_path / 'other'}", f"--out={out}"]) == 2
  assert "is not a report of the lab" in capsys.readouterr().err


def test_titles_are_sentences(page):
  assert all(spec.heading[0].isupper() and spec.heading.endswith(("?", ".")) for spec in EVERY.values())
  assert len({spec.title for spec in EVERY.values()}) == len(EVERY)
  for number, name in enumerate(FEW, 1):
    assert f"Figure {number}. {EVERY[name].title}" in page.text


def test_altered_results_are_refused(results, tmp_path, capsys):
  (tmp_path / "mean_field").mkdir()
  for path in (results / "mean_field").glob("*.*"):
    content = path.read_bytes()
    (tmp_path / "mean_field" / path.name).write_bytes(content.replace(b'"points"', b'"Points"'))
  assert command.main([f"--results={tmp_path}", f"--out={tmp_path / 'x'}"]) == 2
  assert "altered" in capsys.readouterr().err
  assert not (tmp_path / "x").exists()
