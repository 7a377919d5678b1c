"""Numbers derived from times, and the page that shows them."""

import json
from pathlib import Path
import re

import numpy as np
import pytest

from benchmarks import goals, growth, limits, long, products, report, results, scaling, spectra, timing

ROOT = Path(__file__).parent.parent.parent
MACHINE = {
  "processor": "P",
  "cores": 2,
  "memory_gb": 3,
  "system": "S",
  "python": "3",
  "versions": {"jax": "1"},
  "commit": "c0ffee",
}

SWEPT = {
  "wall_seconds": 4,
  "points_per_second": 10,
  "compute_share": 0.9,
  "compile_seconds": {"rnn": 2, "lstm": 6},
  "peak_megabytes": 110,
  "small_peak_megabytes": 100,
}


def contender(kind, seconds, **facts):
  """A contender whose three rounds of two runs have this median."""
  rounds = [[0.9 * seconds, seconds], [seconds, 1.2 * seconds], [seconds, seconds]]
  return {"kind": kind, **timing.summary(rounds), "facts": facts, "peak_bytes": 2**29}


def result(benchmark, settings, contenders):
  machine = {limits.PRODUCT: contender("limit", 0.5, flops=1e9), limits.COPY: contender("limit", 0.25, bytes=1e9)}
  return {
    "schema": 1,
    "benchmark": benchmark,
    "settings": settings,
    "machine": MACHINE,
    "command": f"python -m benchmarks.{benchmark}",
    "contenders": contenders | machine,
  }


def bptt_result(cell, lab, linen, torch):
  settings = {"cell": cell, "batch": 32, "steps": 100, "inputs": 64, "hidden": 128}
  contenders = {"lab": contender("lab", lab, flops=2e8, bytes=1e7), "flax.linen": contender("jax", linen)}
  return result("bptt", settings, contenders | ({"torch": contender("peer", torch)} if torch else {}))


def test_ratios_are_to_the_fastest_peer_of_each_kind():
  one = bptt_result("lstm", lab=0.2, linen=0.5, torch=0.4)
  assert results.best(one, "jax", "peer") == "torch"
  middle, low, high = results.to_best(one, "jax", "peer")
  assert np.isclose(middle, 0.5)
  assert low <= middle <= high
  assert np.isclose(results.to_best(one, "jax")[0], 0.4)
  assert results.to_best(bptt_result("lstm", 0.2, 0.5, None), "peer") is None


def test_the_limit_is_the_slower_of_products_and_copies():
  one = bptt_result("lstm", lab=0.2, linen=0.5, torch=0.4)
  # 2e8 FLOP at 2 GFLOP/s take 0.1 s; 1e7 bytes at 4 GB/s take 0.0025 s.
  assert results.bound(one, "lab") == (pytest.approx(2.0), "products")
  one["contenders"]["lab"]["facts"]["bytes"] = 1.6e9
  assert results.bound(one, "lab") == (pytest.approx(0.5), "copies")
  assert results.bound(one, "flax.linen") is None


def test_exponents_are_those_of_power_laws_and_ignore_the_small_sizes(rng):
  power, factor = rng.uniform(0.5, 3), rng.uniform(1e-6, 1e-3)
  sizes = [16, 32, 64, 128, 256]
  seconds = [factor * size**power for size in sizes]
  assert np.isclose(results.exponent(sizes, seconds), power)
  assert np.isclose(results.exponent(sizes[::-1], [*seconds[:1:-1], 1.0, 1.0]), power)


def test_goals_are_judged_over_all_rows():
  rows = [bptt_result("lstm", 0.2, 0.5, 0.4), bptt_result("gru", 0.4, 0.5, 0.5)]
  judged = {name: rest for name, *rest in goals.judge(rows)}
  assert judged["value and gradient: lab / best peer, geometric mean"] == ["≤ 0.8", "0.632", "yes"]
  assert judged["value and gradient: lab / best peer, largest"] == ["≤ 1", "0.8", "yes"]
  assert len(judged) == 3


@pytest.mark.parametrize("change", [{"cell": "lstm_stack"}, {"steps": 200_000}])
def test_rows_beyond_the_standard_ones_do_not_count_for_the_goals(change):
  rows = [bptt_result("lstm", 0.2, 0.5, 0.4), bptt_result("lstm", 9.0, 0.5, 0.4)]
  rows[1]["settings"] |= change
  judged = {name: rest for name, *rest in goals.judge(rows)}
  assert judged["value and gradient: lab / best peer, geometric mean"] == ["≤ 0.8", "0.5", "yes"]


def test_releases_of_jax_are_judged_apart_and_shown_side_by_side():
  rows = [bptt_result("lstm", 0.2, 0.5, 0.4), bptt_result("lstm", 0.3, 0.25, 0.6)]
  rows[0]["machine"] = MACHINE | {"versions": {"jax": "0.10.2"}}
  rows[1]["machine"] = MACHINE | {"versions": {"jax": "0.9.1"}}
  judged = {name: rest for name, *rest in goals.judge(rows)}
  assert judged["value and gradient: lab / best JAX peer, geometric mean (jax 0.9.1)"] == ["≤ 0.65", "1.2", "no"]
  assert judged["value and gradient: lab / best JAX peer, geometric mean (jax 0.10.2)"] == ["≤ 0.65", "0.4", "yes"]
  text = report.markdown(rows)
  assert text.index("### jax 0.9.1") < text.index("### jax 0.10.2")
  assert "### jax 0.10.2 beside 0.9.1" in text
  assert "| lstm | 32 × 100 × 64 × 128 | 0.667 | 2 |" in text


def test_the_page_shows_every_row_and_the_means(tmp_path, capsys):
  size = {"cell": "rnn", "hidden": 8, "steps": 9, "points": 64}
  points = {"lab": contender("lab", 0.1, flops=1e8), products.BARE: contender("limit", 0.07)}
  spectrum = {
    name: contender(kind, s, residual=1e-4, interval=5, exponents=exponents)
    for name, kind, s, exponents in (
      ("lab", "lab", 0.1, [0.1, -2.0]),
      ("lab, interval 1", "own", 0.2, [0.1, -2.0]),
      (spectra.DENSE, "peer", 0.35, [0.1, -2.004]),
      ("chaotax", "peer", 0.5, [0.1, -2.0]),
    )
  }
  net = {"cell": "rnn", "directions": 2, "gain": 3.0, "steps": 9, "points": 1}
  stretches = {"lab, in segments": contender("lab", 0.14), "lab, plain": contender("own", 0.1)}
  sizes = {str(size): contender("lab", 1e-3 * size**2) for size in (2, 4, 8, 16)}
  rows = [
    bptt_result("lstm", 0.2, 0.5, 0.4),
    bptt_result("gru", 0.4, 0.5, None),
    result("products", {"norm": "spectral", **size}, points),
    result("spectra", net, spectrum),
    result("long", {"cell": "rnn", "hidden": 8, "steps": 9, "segment": 3}, stretches),
    result("scaling", {"work": "bptt", "along": "steps", "hidden": 8, "points": 32}, sizes),
    result("sweeps", {"points": 40, "hidden_size": 8, "seq_len": 9, "chunk": 32, "devices": 1}, {}) | {"facts": SWEPT},
  ]
  for i, row in enumerate(rows):
    (tmp_path / f"{i}.json").write_text(json.dumps(row))
  assert report.main([f"--results={tmp_path}", f"--out={tmp_path}"]) == 0
  image, page = map(Path, capsys.readouterr().out.split())
  assert image.read_bytes().startswith(b"\x89PNG")
  text = page.read_text()
  assert text == report.markdown(results.load(tmp_path))
  for cells in (
    "| lstm | 32 × 100 × 64 × 128 | 200 (200 – 200) | 500 (500 – 500) | 400 (400 – 400) | 0.5 (0.5 – 0.5) | 0.4 (0.4 – 0.4) "
    "| 2, products |",
    "| gru | 0.800 of 1 | 0.800 of 1 |",
    "| products of 64 points, spectral: bare products / lab, smallest | ≥ 0.6 | 0.7 | yes |",
    "| spectra: dense with QR at every step / lab, smallest | ≥ 2 | 3.5 | yes |",
    "| spectra: fastest other package / lab, smallest | ≥ 3 | 5 | yes |",
    "| spectra: mean difference of exponents to dense, largest, nats per step | ≤ 0.0001 | 0.002 | no |",
    "| spectra: difference of the smallest exponent to dense, largest, nats per step | ≤ 0.001 | 0.004 | no |",
    "| long sequences: peak of the process in segments, GB | ≤ 1 | 0.5 | yes |",
    "| 40 | 8 | 9 | 32 | 1 | 4 | 10 | 0.9 | rnn 2, lstm 6 | 110 | 100 |",
    "| sweeps: seconds to compile a cell, largest | ≤ 5 | 6 | no |",
    "| sweeps: peak memory / that of a small grid | ≤ 1.1 | 1.1 | yes |",
    "| bptt | steps | hidden 8, points 32 | 2: 4, 4: 16, 8: 64, 16: 256 | 2.00 |",
    "Large product 2 (2 – 2) GFLOP/s, large copy 4 (4 – 4) GB/s: median (lowest – highest) of 7 rows.",
  ):
    assert cells in text
  assert growth.draw(rows[-2:-1], tmp_path / "again").read_bytes() == image.read_bytes()


def test_the_page_in_docs_is_written_from_the_files_beside_it():
  kept = results.load(ROOT / "docs/performance")
  assert (ROOT / "docs/performance.md").read_text() == report.markdown(kept)
  assert (ROOT / "docs/images/growth.png").exists() == any(r["benchmark"] == "scaling" for r in kept)


@pytest.mark.parametrize(
  ("content", "sentence"),
  [(None, "holds no results; make bench measures them."), ('{"schema": 0}', "has schema 0; this code reads 1.")],
)
def test_a_folder_that_cannot_be_read_is_named(tmp_path, capsys, content, sentence):
  if content:
    (tmp_path / "x.json").write_text(content)
  assert report.main([f"--results={tmp_path}", f"--out={tmp_path}"]) == 2
  assert sentence in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
  ("benchmark", "flags", "settings"),
  [
    (products, ["--norms=frobenius", "--cells=lstm", "--hidden=3", "--steps=8", "--points=1"], {"cell": "lstm"}),
    (spectra, ["--cells=lstm", "--directions=10", "--gains=1.2", "--steps=30", "--points=2"], {"directions": 10}),
    (long, ["--cells=gru", "--hidden=4", "--steps=30"], {"segment": 5}),
    (scaling, ["--works=spectra", "--along=hidden"], {"along": "hidden"}),
  ],
)
def test_each_benchmark_measures_a_small_case_that_the_page_shows(tmp_path, monkeypatch, benchmark, flags, settings):
  monkeypatch.setitem(scaling.VALUES["spectra"], "hidden", (2, 3, 4))
  assert benchmark.main([*flags, "--rounds=1", f"--out={tmp_path}"]) == 0
  (one,) = results.load(tmp_path)
  assert settings.items() <= one["settings"].items()
  assert all("median" in contender for contender in one["contenders"].values())
  assert {"lab", "lab, in segments", "2"} & set(one["contenders"])
  text = report.markdown([one])
  assert not re.search(r"\bnan\b", text)
