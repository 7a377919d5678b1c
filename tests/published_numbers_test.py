"""Every published interval contains its centre, and every published number comes from a file in git."""

from itertools import permutations, product
import json
from pathlib import Path
import re
from statistics import median, quantiles

import numpy as np
import pytest

from benchmarks import results
from benchmarks.estimates import estimate

ROOT = Path(__file__).parents[1]
PERFORMANCE = ROOT / "docs" / "performance.md"
RESULTS = results.load(ROOT / "docs" / "performance")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?"
CELL = re.compile(rf"({NUMBER}) \(({NUMBER}) – ({NUMBER})\)")  # middle (low – high)
SHARE = re.compile(rf"\| (\d+)/(\d+) \| ({NUMBER}) – ({NUMBER}) \|")  # solved/seeds | low – high
HALF_WIDTH = re.compile(rf"{NUMBER} ± {NUMBER}")


def cells(path):
  return [tuple(map(float, found)) for found in CELL.findall(path.read_text())]


def quartiles(sample):
  """(median, first quartile, third quartile) by the standard library."""
  low, middle, high = quantiles(sample, n=4, method="inclusive") if len(sample) > 1 else 3 * [*sample]
  return middle, low, high


def intervals(result):
  """Every interval that may be published of one file: times in milliseconds and ratios of two contenders.

  Of whole commands, times are in seconds, and the first stored block counts too.
  """
  rounds = [one["rounds"] for _, one in results.timed(result)]
  yield from (quartiles([1000 * run for runs in one for run in runs]) for one in rounds)
  # The limits of the machine beside a whole command have rounds of their own.
  for one, other in ((a, b) for a, b in permutations(rounds, 2) if len(a) == len(b)):
    yield quartiles([median(a) / median(b) for a, b in zip(one, other, strict=True)])
  if result["benchmark"] == "against":
    yield from (quartiles([run for runs in one for run in runs]) for one in rounds)
    now, before = (result["contenders"][name]["facts"]["first_block_seconds"][1:] for name in ("now", "before"))
    yield quartiles([a / b for a, b in zip(now, before, strict=True)])


def rates():
  """The median, lowest and highest rate over all files of a machine with the same versions, in GFLOP/s and in GB/s."""
  of_machine = {}
  for r in RESULTS:
    of_machine.setdefault(json.dumps({**r["machine"], "commit": ""}, sort_keys=True), []).append(r)
  for made, (name, quantity) in product(of_machine.values(), (("large product", "flops"), ("large copy", "bytes"))):
    measured = [r["contenders"][name] for r in made if name in r["contenders"]]
    found = [one["facts"][quantity] / one["median"] / 1e9 for one in measured]
    yield median(found), min(found), max(found)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_published_interval_contains_its_centre(path):
  text = path.read_text()
  assert all(low <= middle <= high for middle, low, high in cells(path))
  assert all(float(low) <= int(k) / int(n) <= float(high) for k, n, low, high in SHARE.findall(text))
  assert all(float(found.split(" ± ")[1]) >= 0 for found in HALF_WIDTH.findall(text))


def test_the_pages_hold_as_many_intervals_as_they_are_known_for():
  """If a page changes its notation, the patterns of this test must follow."""
  text = {path.stem: path.read_text() for path in PAGES}
  assert len(CELL.findall(text["performance"])) >= 185
  assert len(SHARE.findall(text["learning"])) >= 50
  assert min(len(HALF_WIDTH.findall(text[name])) for name in ("README", "claims")) >= 10


def test_every_interval_of_the_performance_page_comes_from_a_file():
  known = np.array([*rates(), *(interval for result in RESULTS for interval in intervals(result))])
  for cell in cells(PERFORMANCE):
    assert np.any(np.all(np.isclose(known, cell, rtol=0.006), axis=1)), cell  # three digits are within 0.5 %


def test_the_stored_quartiles_are_those_of_the_stored_runs():
  for name, one in (timed for result in RESULTS for timed in results.timed(result)):
    runs = [run for runs in one["rounds"] for run in runs]
    np.testing.assert_allclose([one["median"], one["low"], one["high"]], quartiles(runs), rtol=1e-5, err_msg=name)


def test_the_claims_in_the_readme_and_on_their_page_are_those_of_the_ledger():
  claims = json.loads((ROOT / "docs" / "claims.json").read_text())
  for name in ("README.md", "docs/claims.md"):
    text = (ROOT / name).read_text()
    assert HALF_WIDTH.findall(text) == [found for claim in claims for found in HALF_WIDTH.findall(str(claim))], name


def test_counts_of_reliability_are_at_most_the_tries():
  rows = json.loads((ROOT / "docs" / "reliability.json").read_text())
  for row in rows.values():
    assert 0 <= row["passed"] <= row["tried"]
    counts = {name: count for name, count in row["counts"].items() if name not in ("size", "intact")}
    assert all(0 <= count <= row["tried"] for count in counts.values()), row


@pytest.mark.parametrize("size", [1, 2, 5, 40])
@pytest.mark.parametrize("ends", [(0.25, 0.75), (0.0, 1.0), (0.5, 0.5)])
def test_an_interval_of_the_estimator_contains_its_centre(rng, size, ends):
  sample = rng.lognormal(sigma=2, size=size)
  one = estimate(sample, ends)
  assert one.low <= one.middle <= one.high
  assert one.middle == pytest.approx(median(sample), rel=1e-12)
