"""The page docs/performance-accelerator.md, a pure function of the files in docs/performance/accelerator."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks import limits
from benchmarks.device.agreement import REASONS, Agreement
from benchmarks.device.cases import LOOP, ROWS, SWEEP
from benchmarks.products import BARE, BARE_ONE_BY_ONE
from benchmarks.results import Result, ratio, to_bare, to_best
from benchmarks.tables import milliseconds, names, number, select, spread, table

RUN = "accelerator"  # the name of the file about the run itself

HEAD = """# Performance on an accelerator

`make accelerator` measures everything on this page on one GPU or TPU in under eight minutes. It first installs what it
needs into an environment of its own, which takes longer. It refuses where there is no accelerator. `make accelerator
PLATFORM=cpu` tries the command with small sizes on CPU devices.

- **Times** are in milliseconds: the median of all runs, with quartiles in parentheses. A run ends when its result is ready.
- **Share of the product rate**: the FLOPs per second of a row, divided by those of a product of two 4096 × 4096 matrices
  on the same device in the same run. A row counts the products that it needs. All products, those of torch too, are in
  float32 with precision `highest`.
- **Share of empty steps**: the time of a loop of T steps that only adds 128 numbers, divided by the time of the row. Near
  1, the time goes into starting the steps.
"""
NOT_RUN = """\
**This has not been run on an accelerator, because none was available.** The tests lower every program of this page for
CUDA, ROCm and TPU, those of other libraries where they are installed. They also run the whole command with small sizes on
CPU devices. Speed and last digits on an accelerator are unknown.
"""
ON_CPU = """\
**These numbers come from CPU devices and small sizes. They show that the command works, and nothing about accelerators.**
"""


def product_share(result: Result, name: str = "lab") -> str:
  """The rate of a contender's FLOPs / that of a large product, or a dash if it was not timed."""
  one = result["contenders"].get(name, {})
  if "median" not in one:
    return "–"
  return number(limits.rate(one, "flops") / limits.rate(result["contenders"][limits.PRODUCT], "flops"))


def loop_share(result: Result, name: str = "lab") -> str:
  """The time of T empty steps / the time of a contender, or a dash if it was not timed."""
  one = result["contenders"].get(name, {})
  if "median" not in one:
    return "–"
  return number(result["settings"]["steps"] / limits.rate(result["contenders"][LOOP], "steps") / one["median"])


def per_second(result: Result, *sizes: str) -> str:
  """Units of work per second of the lab; their number is the product of these settings."""
  count = 1.0
  for size in sizes:
    count *= result["settings"][size]
  one = result["contenders"].get("lab", {})
  return number(count / one["median"]) if "median" in one else "–"


def sweep(results: Sequence[Result]) -> Iterator[str]:
  """Section about the sweep."""
  yield "## Sweep\n"
  yield "Portraits of nets (`experiments.recurrent_gain`). Points per second leave out compilation. The FLOPs are those of the"
  yield "bare products, 2 T n³ per point, so the share of the product rate counts singular values and all else as loss.\n"
  for r in results:
    rate = limits.rate(r["contenders"][limits.PRODUCT], "flops")
    heads = ["cell", "n", "points", "seconds", "points per second", "share of the product rate", "seconds to compile"]
    rows = [
      [
        *(row[name] for name in ("cell", "n", "points")),
        number(row["seconds"]),
        number(row["points"] / row["seconds"]),
        number(row["flops"] / row["seconds"] / rate),
        number(row["compile_seconds"]),
      ]
      for row in r["cells"]
    ]
    yield table(heads, rows)
    facts = r["facts"]
    yield f"\nThe whole process took {number(facts['wall_seconds'])} s for {facts['points']} points:"
    yield f"{number(facts['points_per_second'])} points per second, compilation included."


def products(results: Sequence[Result]) -> Iterator[str]:
  """Section about Jacobian products."""
  yield "## Jacobian products\n"
  others = ("plain scan", BARE, BARE_ONE_BY_ONE)
  rows = [
    [
      *(r["settings"][name] for name in ("cell", "norm", "hidden", "steps", "points")),
      *(milliseconds(r, name) for name in ("lab", *others)),
      per_second(r, "points"),
      product_share(r),
      loop_share(r),
      spread(to_bare(r)),
    ]
    for r in results
  ]
  shares = ["points per second", "share of the product rate", "share of empty steps"]
  yield table(["cell", "norm", "N", "T", "points", "lab", *others, *shares, "faster bare / lab"], rows)


def spectra(results: Sequence[Result]) -> Iterator[str]:
  """Section about Lyapunov spectra."""
  yield "## Lyapunov spectra\n"
  others = [name for name in names(results, "own", "jax", "peer") if name != "lab"]
  rows = [
    [
      *(r["settings"][name] for name in ("cell", "directions", "steps", "points")),
      *(milliseconds(r, name) for name in ("lab", *others)),
      per_second(r, "points"),
      product_share(r),
      loop_share(r),
      *(spread(ratio(r, name, "lab")) for name in others),
    ]
    for r in results
  ]
  shares = ["points per second", "share of the product rate", "share of empty steps"]
  yield table(["cell", "N", "T", "points", "lab", *others, *shares, *(f"{name} / lab" for name in others)], rows)


def bptt(results: Sequence[Result]) -> Iterator[str]:
  """Section about the gradient of a loss."""
  yield "## Value and gradient\n"
  yield "Steps per second count every step of every sequence.\n"
  peers = names(results, "own", "jax", "peer")
  rows = [
    [
      r["settings"]["cell"],
      " × ".join(str(r["settings"][size]) for size in ("batch", "steps", "inputs", "hidden")),
      *(milliseconds(r, name) for name in ("lab", *peers)),
      per_second(r, "batch", "steps"),
      product_share(r),
      loop_share(r),
      spread(to_best(r, "jax", "peer")),
      spread(to_best(r, "jax")),
    ]
    for r in results
  ]
  shares = ["steps per second", "share of the product rate", "share of empty steps"]
  sizes = "batch × steps × inputs × hidden"
  yield table(["cell", sizes, "lab", *peers, *shares, "lab / best peer", "lab / best JAX peer"], rows)
  missing = sorted({f"{n}: {o['skipped']}" for r in results for n, o in r["contenders"].items() if "skipped" in o})
  yield "".join(f"\nLeft out: {one}." for one in missing)


SECTIONS: Mapping[str, Callable[[Sequence[Result]], Iterator[str]]] = {
  "sweep": sweep,
  "products": products,
  "spectra": spectra,
  "bptt": bptt,
}


def agreement(results: Sequence[Result]) -> Iterator[str]:
  """Section about the differences from a CPU."""
  yield "## Agreement with a CPU\n"
  yield "The same inputs on a CPU of the same machine. The tolerances were set before any run, from float32 arithmetic"
  yield "(`benchmarks/device/agreement.py`):\n"
  yield from (f"- {name}: {reason}." for name, reason in REASONS.items())
  rows: list[list[Any]] = [
    [r["benchmark"], r["case"], o.quantity, f"{o.difference:.1e}", f"{o.allowed:.1e}", "yes" if o.holds else "no"]
    for r in results
    for o in (Agreement(**one) for one in r.get("agreement", []))
  ]
  if rows:
    yield ""
    yield table(["benchmark", "case", "quantity", "largest difference", "allowed", "agrees"], rows)
  disagreements = [text for r in results for text in r.get("disagreements", [])]
  yield "".join(f"\n- {text}" for text in disagreements)


def _run(run: Result) -> Iterator[str]:
  device, machine = run["device"], run["machine"]
  if run["settings"]["platform"] == "cpu":
    yield ON_CPU
  versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
  yield f"Measured on {device['devices']} × {device['kind']} ({run['settings']['platform']}) in {number(run['seconds'])} s."
  host = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB"
  yield f"Host: {host}, Python {machine['python']}: {versions}."
  yield f"Commit {machine['commit']}; a + marks uncommitted changes.\n"
  for what, why in run["left_out"].items():
    yield f"- Left out: `{what}`, {why}"
  yield ""


def markdown(results: Sequence[Result]) -> str:
  """Returns the whole page, which says so if nothing was measured."""
  runs = [r for r in results if r["benchmark"] == RUN]
  lines = [HEAD, *(line for run in runs for line in _run(run))]
  if not runs:
    lines += [
      NOT_RUN,
      "## What is measured\n",
      f"    python -m experiments.recurrent_gain {' '.join(SWEEP)} --seeds=10",
    ]
    lines += [*(f"    python -m benchmarks.{row}" for row in ROWS), ""]
  for benchmark, section in SECTIONS.items():
    if of_it := select(results, benchmark):
      lines += [*section(of_it), ""]
  measured = [r for r in results if r["benchmark"] in SECTIONS]
  return "\n".join([*lines, *agreement(measured)]).rstrip() + "\n"
