"""The sections of the performance page: each function yields the lines of one section, in Markdown."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks import growth, limits
from benchmarks.estimates import estimate
from benchmarks.products import BARE, BARE_ONE_BY_ONE
from benchmarks.results import (
  Result,
  bound,
  by_jax,
  exponent_differences,
  first_block,
  geometric_mean,
  points_per_second,
  ratio,
  seconds,
  timed,
  to_bare,
  to_best,
)
from benchmarks.spectra import BARE_PRODUCTS, BARE_QR, DENSE
from benchmarks.tables import milliseconds, names, number, spread, table

SIZES = ("batch", "steps", "inputs", "hidden")


def bptt(results: Sequence[Result]) -> Iterator[str]:
  """Section about the gradient of a loss."""
  yield "## Value and gradient\n"
  yield "The loss is the mean square of all outputs; the gradient is with respect to all parameters, in float32. The last"
  yield "column is the lab's time divided by the machine's limit, and names the limit. The limit is the longer of two times:"
  yield "all FLOPs of the products at the rate of a large product, and all bytes of inputs, gates and outputs at the rate of a"
  yield "large copy. The lab splits a batch over the cores (`data_parallel`) if each share has at least 16 rows.\n"
  versions = by_jax(results)
  for version, of_it in versions.items():
    if len(versions) > 1:
      yield f"### jax {version}\n"
    yield from _gradients(of_it)
  if len(versions) > 1:
    yield from _releases(versions)


def _gradients(results: Sequence[Result]) -> Iterator[str]:
  """Table of the times, and the means."""
  peers = names(results, "own", "jax", "peer")
  limit = lambda r: (lambda b: f"{number(b.ratio)}, {b.what}" if b else "–")(bound(r, "lab"))
  rows = [
    [
      r["settings"]["cell"],
      " × ".join(str(r["settings"][size]) for size in SIZES),
      *(milliseconds(r, name) for name in ["lab", *peers]),
      spread(to_best(r, "jax", "peer")),
      spread(to_best(r, "jax")),
      limit(r),
    ]
    for r in results
  ]
  yield table(["cell", " × ".join(SIZES), "lab", *peers, "lab / best peer", "lab / best JAX peer", "× limit"], rows)
  yield "\nGeometric means over the rows of each cell:\n"
  means = []
  for cell in dict.fromkeys(r["settings"]["cell"] for r in results):
    of_cell = [r for r in results if r["settings"]["cell"] == cell]
    ratios = [[x[0] for r in of_cell if (x := to_best(r, *kinds))] for kinds in (("jax", "peer"), ("jax",))]
    means.append([cell, *(f"{geometric_mean(values):.3f} of {len(values)}" for values in ratios)])
  yield table(["cell", "lab / best peer", "lab / best JAX peer"], means)
  notes = sorted(
    {
      f"{n}, {r['settings']['cell']}: {o['facts']['note']}"
      for r in results
      for n, o in timed(r)
      if "note" in o["facts"]
    }
  )
  yield "".join(f"\n{note}." for note in notes)


def _releases(versions: Mapping[str, Sequence[Result]]) -> Iterator[str]:
  """Table of the time with the newest JAX / the time with the oldest, for the rows that were measured with both."""
  (old, first), *_, (new, last) = versions.items()
  peers = names([*first, *last], "own", "jax")
  yield f"\n### jax {new} beside {old}\n"
  yield f"Time with jax {new} / time with jax {old}. Each release was measured in a run of its own, so a difference of less than"
  yield "a fifth means something only if the rates under Machine agree.\n"
  rows = []
  for before, after in ((a, b) for a in first for b in last if a["settings"] == b["settings"]):
    times = [[seconds(r, name) for r in (after, before)] for name in ["lab", *peers]]
    ratios = [number(b.middle / a.middle) if a and b else "–" for b, a in times]
    rows.append([before["settings"]["cell"], " × ".join(str(before["settings"][size]) for size in SIZES), *ratios])
  yield table(["cell", " × ".join(SIZES), "lab", *peers], rows)


def products(results: Sequence[Result]) -> Iterator[str]:
  """Section about Jacobian products."""
  yield "## Jacobian products\n"
  yield "ln ‖J_T … J_{T-l+1}‖ for every lag l. The Python loop is what a user would write: a jitted `jax.jacrev`, a dense product"
  yield "and a norm per step. Bare products are T products of n×n matrices per point, and nothing else.\n"
  yield "Passes over the product bound the Frobenius norm: slopes, largest entry, scale and squares are one pass each. Together"
  yield "they take a fifth to a quarter of a product of 128×128 on one core. The spectral norm adds two products with a vector"
  yield "per step of the power iteration. At short lags, where many directions are of about the same size, it also adds two or"
  yield "three matrix products.\n"
  names_ = ("lab", "plain scan", "Python loop", BARE, BARE_ONE_BY_ONE)
  rows = [
    [
      *(r["settings"][name] for name in ("cell", "norm", "hidden", "steps", "points")),
      *(milliseconds(r, name) for name in names_),
      spread(ratio(r, "Python loop", "lab")),
      spread(to_bare(r)),
    ]
    for r in results
  ]
  yield table(["cell", "norm", "N", "T", "points", *names_, "loop / lab", "faster bare / lab"], rows)


def spectra(results: Sequence[Result]) -> Iterator[str]:
  """Section about Lyapunov spectra."""
  yield "## Lyapunov spectra\n"
  yield "All n exponents in float64 with their certificate: the largest residual of the determinant identity over the points, in"
  yield "nats per step. The lab splits the points over the cores. Dense is what a user would write, on one device: a QR and a"
  yield "determinant at every step. An RNN is autonomous, a gated net has 16 inputs. The other packages take part in single"
  yield "autonomous nets. Differences are those of the exponents of the first net to dense with the same start, in nats"
  yield "per step. Bare products and bare QR are T products or decompositions of n×n matrices per net, and nothing else.\n"
  peers = names(results, "peer")
  names_ = ["lab", "lab, interval 1", *peers, BARE_PRODUCTS, BARE_QR]
  fact = lambda r, name, what: r["contenders"].get(name, {}).get("facts", {}).get(what, float("nan"))
  rows = [
    [
      *(r["settings"][name] for name in ("cell", "directions", "gain", "steps", "points")),
      *(milliseconds(r, name) for name in names_),
      fact(r, "lab", "interval"),
      *(f"{fact(r, name, 'residual'):.1e}" for name in ("lab", DENSE)),
      *(f"{difference:.1e}" for difference in exponent_differences(r)),
      *(spread(ratio(r, name, "lab")) for name in peers),
      spread(ratio(r, BARE_PRODUCTS, "lab")),
    ]
    for r in results
  ]
  heads = ["cell", "n", "gain", "T", "nets", *names_, "longest interval", "residual: lab", "residual: dense"]
  heads += ["difference: mean", "difference: smallest", *(f"{name} / lab" for name in peers), "bare products / lab"]
  yield table(heads, rows)


def long(results: Sequence[Result]) -> Iterator[str]:
  """Section about the memory of long sequences."""
  yield "## Long sequences\n"
  yield "One sequence in segments of √T steps. The peak is the memory of the whole process, including Python and JAX.\n"
  names_ = ("lab, in segments", "lab, plain")
  peak = lambda r, name: number(r["contenders"].get(name, {}).get("peak_bytes", float("nan")) / 2**20)
  rows = [
    [
      *(r["settings"][name] for name in ("cell", "hidden", "steps")),
      *(milliseconds(r, name) for name in names_),
      spread(ratio(r, *names_)),
      *(peak(r, name) for name in names_),
    ]
    for r in results
  ]
  yield table(["cell", "H", "T", *names_, "segments / plain", *(f"peak MB: {name}" for name in names_)], rows)


def sweeps(results: Sequence[Result]) -> Iterator[str]:
  """Section about the throughput and memory of sweeps."""
  yield "## Sweeps\n"
  yield "Portraits of nets over gains, biases and seeds (`experiments.recurrent_gain`), from the start of the process to its end."
  yield "The peaks are its memory on the whole grid and on a grid with a tenth of the gains.\n"
  rows = [
    [
      *r["settings"].values(),
      *(number(r["facts"][name]) for name in ("wall_seconds", "points_per_second", "compute_share")),
      ", ".join(f"{cell} {number(value)}" for cell, value in r["facts"]["compile_seconds"].items()),
      r["facts"]["peak_megabytes"],
      r["facts"]["small_peak_megabytes"],
    ]
    for r in results
  ]
  heads = ["points", "H", "T", "chunk", "devices", "seconds", "points per second", "share computing"]
  yield table([*heads, "seconds to compile", "peak MB", "peak MB, small grid"], rows)


def against(results: Sequence[Result]) -> Iterator[str]:
  """Section about whole commands on an older commit and now."""
  yield "## Against an older commit\n"
  yield "Whole commands, from the start of the process to its end, on an older commit and now, in turns. In the first round"
  yield "every program is compiled. Seconds and the first stored block are those of later rounds, in which JAX's persistent cache"
  yield "has what was compiled before. An older commit without such a cache compiles in every round.\n"
  facts = lambda r, name: r["contenders"][name]["facts"]
  rows = [
    [
      r["settings"]["case"],
      r["settings"]["commit"],
      *(spread(seconds(r, name)) for name in ("before", "now")),
      spread(ratio(r, "before", "now")),
      number(facts(r, "before")["first_seconds"] / facts(r, "now")["first_seconds"]),
      spread(first_block(r)),
      *(number(points_per_second(r, name)) if facts(r, name)["points"] else "–" for name in ("before", "now")),
      *(max(facts(r, name)["peak_megabytes"]) for name in ("before", "now")),
    ]
    for r in results
  ]
  heads = ["command", "commit", "seconds before", "seconds now", "before / now", "before / now, first round"]
  heads += ["first block, now / before", "points per second before", "now", "peak MB before", "now"]
  yield table(heads, rows)
  yield ""
  yield from (f"- {r['settings']['case']}: `{r['settings']['command']}`" for r in results)


def scaling(results: Sequence[Result]) -> Iterator[str]:
  """Section about the growth of cost with each size."""
  yield "## How cost grows\n"
  yield "![Time against one size at a time](images/growth.png)\n"
  yield "Exponents are least-squares slopes of log time against log size, over the larger half of the sizes.\n"
  rows = []
  for r in results:
    sizes, times = growth.curve(r)
    base = ", ".join(f"{n} {v}" for n, v in r["settings"].items() if n not in ("work", "along"))
    listed = ", ".join(f"{size}: {number(1000 * value)}" for size, value in zip(sizes, times, strict=True))
    rows.append([r["settings"]["work"], r["settings"]["along"], base, listed, f"{growth.exponent(sizes, times):.2f}"])
  yield table(["work", "along", "at", "milliseconds", "exponent"], rows)


def cells(results: Sequence[Result]) -> Iterator[str]:
  """Section about the time of a step of every cell."""
  by_pass = {r["settings"]["pass"]: r for r in results}
  size = results[0]["settings"]
  yield "## Cells\n"
  yield f"One step of `unroll` of every cell, H = {size['hidden']}, a batch of {size['batch']} and 16 inputs, in microseconds:"
  yield "the median of whole runs of 100 steps, divided by 100. The gradient includes the forward pass.\n"
  names = list(
    dict.fromkeys(name for r in results for name in r["contenders"] if r["contenders"][name]["kind"] == "lab")
  )
  micro = lambda name, r: number(1e6 * r["contenders"][name]["median"] / r["contenders"][name]["facts"]["steps"])
  rows = [[name, *(micro(name, r) if name in r["contenders"] else "–" for r in by_pass.values())] for name in names]
  yield table(["cell", *by_pass], rows)


SECTIONS = {
  "against": against,
  "bptt": bptt,
  "products": products,
  "spectra": spectra,
  "long": long,
  "sweeps": sweeps,
  "scaling": scaling,
  "cells": cells,
}


def machines(results: Sequence[Result]) -> Iterator[str]:
  """Section about every machine and set of versions, with the rates that were measured on it."""
  yield "## Machine\n"
  rows: dict[str, list[Result]] = {}
  for r in results:
    m = r["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in m["versions"].items())
    text = f"{m['processor']}, {m['cores']} cores, {m['memory_gb']} GB, {m['system']}, Python {m['python']}: {versions}"
    rows.setdefault(text, []).append(r)
  for text, made in rows.items():
    rates = lambda name, quantity, made=made: [limits.rate(r["contenders"][name], quantity) / 1e9 for r in made]
    product, copy = (
      spread(estimate(values, (0, 1))) for values in (rates(limits.PRODUCT, "flops"), rates(limits.COPY, "bytes"))
    )
    yield f"- {text}. Large product {product} GFLOP/s, large copy {copy} GB/s: median (lowest – highest) of {len(made)} rows."
  yield "\nIf the lowest rate is far below the median, other programs were running during that row. Trust its ratios less."
  commits = sorted({r["machine"]["commit"] for r in results})
  yield f"\nMeasured at {', '.join(commits)}. A + marks uncommitted changes.\n\nCommands:\n"
  yield from (f"    {command}" for command in sorted({r["command"] for r in results}))
