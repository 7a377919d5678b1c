"""The ledger judges by numbers: change the numbers, and the verdict changes."""

import json

import numpy as np
import pytest

from analysis import claims
from experiments.store import load_results


@pytest.fixture(scope="module")
def data(results):
  names = {name for claim in claims.CLAIMS.values() for name in claim.reads}
  return {name: load_results(results / name) for name in names}


@pytest.mark.parametrize("number", list(claims.CLAIMS))
def test_every_claim_is_judged(number, data):
  finding = claims.CLAIMS[number].judge(data)
  assert finding.verdict in (claims.HOLDS, claims.CONDITIONAL, claims.FAILS)
  assert any(character.isdigit() for character in finding.measured)


@pytest.mark.parametrize(
  ("number", "experiment", "variable", "value"),
  [
    (1, "identities", "largest_slope", 1.5),
    (2, "recurrent_gain", "growth_rate", 0.1),
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


def test_shares_become_verdicts():
  assert [claims._verdict(share) for share in (1.0, 0.5, 0.0)] == [claims.HOLDS, claims.CONDITIONAL, claims.FAILS]


def test_page_and_json_agree(results, tmp_path, capsys):
  shown = tmp_path / "page.md"
  shown.write_text(f"before\n{claims.BEGIN}a former table\n{claims.END}\nafter\n")
  assert claims.main([f"--results={results}", f"--out={tmp_path}", f"--readme={shown}"]) == 0
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
  assert claims.main([f"--results={tmp_path}", f"--out={tmp_path / 'x'}"]) == 2
  assert "holds no results; run the experiment first" in capsys.readouterr().err
  assert not (tmp_path / "x").exists()


def test_a_page_without_markers_is_left_alone(results, tmp_path, capsys):
  page = tmp_path / "page.md"
  page.write_text("nothing\n")
  assert claims.main([f"--results={results}", f"--out={tmp_path / 'x'}", f"--readme={page}"]) == 2
  assert "the page needs the lines" in capsys.readouterr().err
  assert page.read_text() == "nothing\n"
  assert not (tmp_path / "x").exists()
