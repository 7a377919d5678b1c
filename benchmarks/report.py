"""The table of all measurements: a pure function of the files in docs/performance.

python -m benchmarks.report --results=docs/performance --out=docs

writes performance.md and, where the growth of cost was measured, images/growth.png.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
import sys
from typing import Any

from absl import flags

from benchmarks import goals, growth, limits
from benchmarks.command import RESULTS
from benchmarks.estimates import Estimate, estimate
from benchmarks.products import BARE, BARE_ONE_BY_ONE
from benchmarks.results import Result, geometric_mean, load, ratio, seconds, timed, to_bare, to_best, to_limit
from benchmarks.timing import BenchmarkError
from sweepkit import terminal
from sweepkit.store import write_atomically
from sweepkit.store.files import ResultsError, check_path

HEAD = """# Performance

Written by `python -m benchmarks.report` from the files in `docs/performance/`; `make bench` measures all of it again. Times are
milliseconds: the median of all runs and, in brackets, their quartiles. Within a row everything was measured in one run, in turns,
every contender in a process of its own; so ratios can be trusted further than times. Ratios have their quartiles over rounds.
Contenders start from the same numbers, and loss and gradient norm, log norms or exponents must agree before a row is written.
"""


def number(value: float) -> str:
  """Three digits, and no exponent for what is above them."""
  return f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"


def spread(one: Estimate | None, scale: float = 1.0) -> str:
  """Formats an estimate as `middle (low – high)`, or as a dash if there is none."""
  if one is None:
    return "–"
  middle, low, high = (number(scale * value) for value in one)
  return f"{middle} ({low} – {high})"


def milliseconds(result: Result, name: str) -> str:
  """Formats the time of a contender, or a dash if it was not timed."""
  return spread(seconds(result, name), 1000)


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
  return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in (heads, ["---"] * len(heads), *rows))


def select(results: Sequence[Result], benchmark: str) -> list[Result]:
  """Those of one benchmark, larger work last."""
  of_it = [result for result in results if result["benchmark"] == benchmark]
  return sorted(of_it, key=lambda r: [v if isinstance(v, str) else f"{v:012}" for v in r["settings"].values()])


def names(results: Sequence[Result], *kinds: str) -> list[str]:
  """All contenders of these kinds that were timed at least once, in the order in which they appear."""
  return list(dict.fromkeys(name for result in results for name, _ in timed(result, *kinds)))


def bptt(results: Sequence[Result]) -> Iterator[str]:
  yield "## Value and gradient\n"
  yield "Mean square of all outputs, gradient with respect to all parameters, float32. The last column is the lab's time over the"
  yield "least that the machine could need: the products' FLOPs at the rate of a large product, or the bytes of inputs, gates and"
  yield "outputs at that of a large copy. The lab shares a batch out to the cores (`data_parallel`) where a share has 16 rows or"
  yield "more.\n"
  peers = names(results, "own", "jax", "peer")
  rows = [
    [
      r["settings"]["cell"],
      " × ".join(str(r["settings"][size]) for size in ("batch", "steps", "inputs", "hidden")),
      *(milliseconds(r, name) for name in ["lab", *peers]),
      spread(to_best(r, "jax", "peer")),
      spread(to_best(r, "jax")),
      number(to_limit(r, "lab") or float("nan")),
    ]
    for r in results
  ]
  sizes = "batch × steps × inputs × hidden"
  yield table(["cell", sizes, "lab", *peers, "lab / best peer", "lab / best JAX peer", "× limit"], rows)
  yield "\nGeometric means over the rows of a cell:\n"
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


def products(results: Sequence[Result]) -> Iterator[str]:
  yield "## Products of Jacobians\n"
  yield "ln ‖J_T … J_{T-l+1}‖ for every lag l. The loop is what a user writes: a jitted `jax.jacrev`, a dense product and a"
  yield "norm a step; bare products are T products of as many n×n matrices and nothing else.\n"
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
  yield "## Lyapunov spectra\n"
  yield "All n exponents, with their certificate (the worst residual of the determinant identity over the points, nats a step)."
  yield "The lab shares the points out to the cores; dense is what a user writes, on one device.\n"
  names_ = ("lab", "lab, QR at every step", "dense, QR at every step")
  facts = lambda r, name, what: r["contenders"].get(name, {}).get("facts", {}).get(what, float("nan"))
  rows = [
    [
      *(r["settings"][name] for name in ("cell", "hidden", "steps", "points")),
      *(milliseconds(r, name) for name in names_),
      facts(r, "lab", "interval"),
      *(f"{facts(r, name, 'residual'):.1e}" for name in names_),
      *(spread(ratio(r, name, "lab")) for name in names_[1:]),
    ]
    for r in results
  ]
  heads = ["cell", "N", "T", "points", *names_, "interval", *(f"residual: {name}" for name in names_)]
  yield table([*heads, "lab's QR at every step / lab", "dense / lab"], rows)


def long(results: Sequence[Result]) -> Iterator[str]:
  yield "## Long sequences\n"
  yield "One sequence, segments of √T steps, and the most memory its process held, Python and JAX included.\n"
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
  yield "## Sweeps\n"
  yield "Portraits of nets over gains, biases and seeds (`experiments.recurrent_gain`), from the start of the process to its end."
  yield "Peaks are of its memory: on the whole grid, and on one with a tenth of the gains.\n"
  rows = [
    [
      *r["settings"].values(),
      *(number(r["facts"][name]) for name in ("wall_seconds", "points_per_second", "compute_share")),
      ", ".join(f"{cell} {number(seconds)}" for cell, seconds in r["facts"]["compile_seconds"].items()),
      r["facts"]["peak_megabytes"],
      r["facts"]["small_peak_megabytes"],
    ]
    for r in results
  ]
  heads = ["points", "H", "T", "chunk", "devices", "seconds", "points a second", "share computing"]
  yield table([*heads, "seconds to compile", "peak MB", "peak MB, small grid"], rows)


def scaling(results: Sequence[Result]) -> Iterator[str]:
  yield "## How cost grows\n"
  yield "![Time against size, each size alone](images/growth.png)\n"
  yield "Exponents by least squares on logarithms, through the upper half of the sizes.\n"
  rows = []
  for r in results:
    sizes, seconds = growth.curve(r)
    base = ", ".join(f"{n} {v}" for n, v in r["settings"].items() if n not in ("work", "along"))
    listed = ", ".join(f"{size}: {number(1000 * value)}" for size, value in zip(sizes, seconds, strict=True))
    rows.append([r["settings"]["work"], r["settings"]["along"], base, listed, f"{growth.exponent(sizes, seconds):.2f}"])
  yield table(["work", "along", "at", "milliseconds", "exponent"], rows)


SECTIONS = {"bptt": bptt, "products": products, "spectra": spectra, "long": long, "sweeps": sweeps, "scaling": scaling}


def machines(results: Sequence[Result]) -> Iterator[str]:
  """Every distinct machine and set of versions, with what it can do."""
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
    yield f"- {text}. Large product {product} GFLOP/s, large copy {copy} GB/s: medians of {len(made)} rows, lowest and highest."
  yield "\nWhere the lowest is far below, something else was running: trust that row's ratios less."
  commits = sorted({r["machine"]["commit"] for r in results})
  yield f"\nMeasured at {', '.join(commits)} (a + for changes that were not committed).\n\nCommands:\n"
  yield from (f"    {command}" for command in sorted({r["command"] for r in results}))


def markdown(results: Sequence[Result]) -> str:
  """The whole page."""
  sections = [HEAD, "## Goals\n", table(["goal", "asked", "measured", "met"], list(goals.judge(results))), ""]
  for benchmark, section in SECTIONS.items():
    if of_it := select(results, benchmark):
      sections += [*section(of_it), ""]
  return "\n".join([*sections, *machines(results)]) + "\n"


@terminal.command()
def main(argv: Sequence[str] | None = None) -> int:
  """Writes the page from the command line and returns an exit code."""
  values = flags.FlagValues()
  flags.DEFINE_string("results", RESULTS, "Folder of the numbers.", flag_values=values)
  flags.DEFINE_string("out", "docs", "Folder for performance.md.", flag_values=values)
  try:
    rest = values(["report", *(sys.argv[1:] if argv is None else argv)])[1:]
    if rest:
      raise BenchmarkError(f"{rest[0]!r} is not a flag; the flags are --results and --out.")
    parsed = values.flag_values_dict()
    results, out = load(Path(check_path(parsed["results"]))), Path(check_path(parsed["out"]))
  except (flags.Error, BenchmarkError, ResultsError) as error:
    print(f"report: {error}", file=sys.stderr)
    return 2
  out.mkdir(parents=True, exist_ok=True)
  if grown := select(results, "scaling"):
    print(growth.draw(grown, out / "images"))
  write_atomically(out / "performance.md", markdown(results).encode())
  print(out / "performance.md")
  return 0


if __name__ == "__main__":
  sys.exit(main())
