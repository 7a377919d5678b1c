"""The ledger judges by numbers: change the numbers, and the verdict changes."""

import json
from pathlib import Path
import re

import numpy as np
import pytest
import xarray as xr

from analysis import claims, figure
from analysis.claims import __main__ as command
from analysis.claims import finding, gains, pages
from analysis.paper import lyapunov
from sweepkit.store import load_results


@pytest.fixture(scope="module")
def data(results):
  names = {name for claim in claims.CLAIMS.values() for name in claim.reads}
  return {name: load_results(results / name) for name in names}


def test_every_claim_is_judged(data):
  for number, claim in claims.CLAIMS.items():
    found = claim.judge(data)
    assert found.verdict in (claims.HOLDS, claims.CONDITIONAL, claims.FAILS), number
    assert any(character.isdigit() for character in found.measured), number


@pytest.mark.slow
def test_what_is_measured_is_judged_and_its_spectra_are_certified(measured, tmp_path):
  assert command.main([f"--results={measured}", f"--out={tmp_path}"]) == 0
  ledger = {entry["number"]: entry["verdict"] for entry in json.loads((tmp_path / "claims.json").read_text())}
  assert claims.NOT_JUDGED not in ledger.values()
  assert {number for number in (1, 4, 5, 8, 10, 11) if ledger[number] != claims.HOLDS} == set()
  assert len(figure.draw(lyapunov.FIGURE, measured, tmp_path)) == 2


@pytest.mark.parametrize(
  ("number", "experiment", "variable", "value"),
  [
    (1, "identities", "largest_slope", 1.5),
    (2, "small_gain", "growth_rate", 0.1),
    (4, "identities", "gradient_error", 0.1),
    (5, "identities", "readout_beyond_lag_zero", 0.1),
    (6, "zero_or_one", "share_near_one", -1.0),
    (8, "identities", "clipped_norm", 3.0),
    (11, "identities", "order_difference", 0.0),
    (10, "identities", "peephole_share", 0.0),
  ],
)
def test_other_numbers_turn_the_verdict(number, experiment, variable, value, data):
  changed = data[experiment].copy()
  changed[variable] = changed[variable] * 0 + value
  assert claims.CLAIMS[number].judge({**data, experiment: changed}).verdict != claims.HOLDS


@pytest.mark.parametrize(
  ("cases", "verdict", "condition"),
  [
    ({"at 1": True, "at 2": True}, claims.HOLDS, ""),
    ({"at 1": False, "at 2": False}, claims.FAILS, ""),
    ({"at 1": True, "at 2": False}, claims.CONDITIONAL, "it holds at 1, and not at 2"),
    (
      {f"at {i}": i < 5 for i in range(7)},
      claims.CONDITIONAL,
      "it holds in 5 cases from at 0 to at 4, and not at 5 and at 6",
    ),
  ],
)
def test_cases_become_a_verdict_with_its_condition(cases, verdict, condition):
  assert finding.of_cases("1", cases) == ("1", verdict, condition)


def test_a_verdict_under_conditions_says_which_and_no_other_does(data):
  for claim in claims.CLAIMS.values():
    found = claims.judge(claim, data)
    assert (found.verdict == claims.CONDITIONAL) == bool(found.condition)
    assert not found.condition or any(character.isdigit() for character in found.condition)
    assert " seeds" in found.measured


SHRINK, GROW = -0.1, 0.1


@pytest.mark.parametrize(
  ("unit", "at_half", "near_one", "verdict", "condition"),
  [
    (SHRINK, SHRINK, SHRINK, claims.HOLDS, ""),
    (
      SHRINK,
      SHRINK,
      GROW,
      claims.CONDITIONAL,
      "it holds for one unit. For many units it holds in every net up to W_s = 0.5. ",
    ),
    (SHRINK, GROW, GROW, claims.CONDITIONAL, "it holds for one unit. For many units it holds at no W_s tried. "),
    (SHRINK, GROW, SHRINK, claims.CONDITIONAL, "it holds for one unit. For many units it holds at no W_s tried. "),
    (SHRINK, SHRINK, np.nan, claims.CONDITIONAL, "in every net up to W_s = 0.5. Beyond that some nets grow"),
    (
      GROW,
      SHRINK,
      SHRINK,
      claims.CONDITIONAL,
      "it does not hold for one unit. For many units it holds in every net up to",
    ),
    (GROW, GROW, GROW, claims.FAILS, ""),
  ],
)
def test_small_weights_are_judged_up_to_one(unit, at_half, near_one, verdict, condition, data):
  units, nets = data["one_unit"].copy(), data["small_gain"].copy()
  units["exponent"] = units.exponent * 0 + unit
  rates = xr.DataArray([at_half, near_one], dims="ws", coords={"ws": nets.ws})
  nets["growth_rate"] = (nets.growth_rate * 0 + rates).transpose(*nets.growth_rate.dims)
  found = gains.small_weight_vanishes({"one_unit": units, "small_gain": nets})
  assert found.verdict == verdict
  assert condition in found.condition
  assert f"tanh without input {3 * (at_half != SHRINK)}, {3 * (near_one != SHRINK)}" in found.measured


def test_page_and_json_agree(results, tmp_path, capsys):
  shown = tmp_path / "page.md"
  begin, end = pages.markers(claims.INTRODUCTIONS)
  shown.write_text(f"before\n{begin}a former table\n{end}\nafter\n")
  assert command.main([f"--results={results}", f"--out={tmp_path}", f"--readme={shown}"]) == 0
  text = shown.read_text()
  assert text.startswith("before\n")
  assert text.endswith("\nafter\n")
  assert "former" not in text
  ledger = json.loads((tmp_path / "claims.json").read_text())
  page = (tmp_path / "claims.md").read_text()
  assert [entry["number"] for entry in ledger] == list(range(1, 13))
  assert all(entry["measured"].replace("|", "\\|") in page for entry in ledger)
  assert all(entry["measured"].replace("|", "\\|") in text for entry in ledger)
  assert np.all([f"**{entry['verdict']}**" in page for entry in ledger])
  capsys.readouterr()


def test_missing_results_are_named(tmp_path, capsys):
  assert command.main([f"--results={tmp_path}", f"--out={tmp_path / 'x'}"]) == 2
  assert "holds no results; run the experiment first" in capsys.readouterr().err
  assert not (tmp_path / "x").exists()


def test_a_page_without_markers_is_left_alone(results, tmp_path, capsys):
  page = tmp_path / "page.md"
  page.write_text("nothing\n")
  assert command.main([f"--results={results}", f"--out={tmp_path / 'x'}", f"--readme={page}"]) == 2
  assert "the page needs the lines" in capsys.readouterr().err
  assert page.read_text() == "nothing\n"
  assert not (tmp_path / "x").exists()


def test_the_two_commands_write_the_ledger_outside_of_git():
  """`make paper` and `make test` change no tracked file; `make ledger` does, and says so."""
  root = Path(__file__).parents[2]
  recipes = dict(re.findall(r"^([a-z-]+):.*\n((?:\t.*\n)+)", (root / "Makefile").read_text(), re.MULTILINE))
  for target in ("paper", "sweeps", "figures", "report", "test"):
    assert "docs" not in recipes[target], target
    assert "README" not in recipes[target], target
  assert "--out=docs --readme=README.md" in recipes["ledger"]
  assert "LEDGER ?= $(REPORT)" in (root / "Makefile").read_text()
  assert "/report/" in (root / ".gitignore").read_text().split()
