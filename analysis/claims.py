"""The claims ledger: what the introduction says, what was measured, and whether it holds.

    python -m analysis.claims --results=results --out=report

writes claims.md and claims.json; --readme=README.md puts the table into that page too. Every claim is a function from
results to a measured number with its uncertainty and a verdict; the condition for each verdict stands in that function, and
no verdict is typed by hand.
"""

from collections.abc import Callable, Mapping, Sequence
import json
from pathlib import Path
import sys
from typing import NamedTuple

import jax
import numpy as np
import xarray as xr

from analysis import command, coverage, wording
from analysis.figure import Datasets
import recurrent_lab as rl
from sweepkit.store import ResultsError, block_paths, write_atomically
from sweepkit.words import count

FEW_STEPS = 20  # that an RNN reaches back "in practice"
HOLDS, CONDITIONAL, FAILS = "holds", "holds under conditions", "fails"
NOT_JUDGED = "not judged"


class Finding(NamedTuple):
  """The verdict on a claim, with the numbers that it rests on.

  Attributes:
    measured: the numbers.
    verdict: one of three.
    condition: with `CONDITIONAL`, and with no other verdict, where the claim holds and where not, with the numbers.
  """

  measured: str
  verdict: str
  condition: str = ""


class Claim(NamedTuple):
  """A statement of the introduction and how it is judged."""

  text: str
  formula: str
  reads: Sequence[str]
  judge: Callable[[Datasets], Finding]


def _verdict(measured: str, cases: Mapping[str, bool]) -> Finding:
  """A finding on a claim that was tried in several cases, each named: holds in all, in none, or in those that are named."""
  kept, broken = ([case for case, holds in cases.items() if holds == wanted] for wanted in (True, False))
  if not (kept and broken):
    return Finding(measured, HOLDS if kept else FAILS)
  return Finding(measured, CONDITIONAL, f"it holds {_places(kept)}, and not {_places(broken)}")


def _places(cases: Sequence[str]) -> str:
  return wording.listed(cases) if len(cases) <= 4 else f"in {len(cases)} cases from {cases[0]} to {cases[-1]}"


def slopes(data: Datasets) -> Finding:
  below = data["identities"].share_of_slopes_below_one
  largest = float(data["identities"].largest_slope.max())
  share = float(below.mean())
  return Finding(
    f"largest tanh′ {largest:.6f}; below 1 in {100 * share:.3f} % of all steps and units",
    HOLDS if largest <= 1 and share > 0.99 else FAILS,
  )


NETS = {"rnn": "tanh", "rnn_linear": "linear"}
INPUTS = {"zero": "without input", "white": "with input"}


def small_weight_vanishes(data: Datasets) -> Finding:
  unit = data["one_unit"].sel(bias=0, cell="rnn").squeeze(drop=True)
  inside = unit.exponent.where((unit.ws > 0) & (unit.ws < 1), drop=True)
  many = data["small_gain"].squeeze()
  many = many.where((many.ws > 0) & (many.ws < 1), drop=True)
  vanishes = (many.growth_rate < 0).transpose("ws", "cell", "input", "seed")  # NaN is none that goes to 0
  draws = vanishes.sizes["seed"]
  grow = (~vanishes).sum("seed")
  kinds = [(f"{NETS[cell]} {INPUTS[kind]}", grow.sel(cell=cell, input=kind)) for cell in NETS for kind in INPUTS]
  gains, one_unit = (
    [f"{float(ws):g}" for ws in many.ws],
    f"one unit: largest rate {float(inside.max()):.3g} nats per step",
  )
  measured = (
    f"{one_unit}; nets of {int(many.hidden_size)} units whose product grows, of {draws} at W_s = {', '.join(gains)}: "
    + "; ".join(f"{name} {', '.join(str(int(n)) for n in counts)}" for name, counts in kinds)
  )
  unit_holds, whole = bool((inside < 0).all()), vanishes.all(["cell", "input", "seed"]).values
  if unit_holds and whole.all():
    return Finding(measured, HOLDS)
  safe = int(np.argmin(whole)) if not whole.all() else whole.size  # gains below which every net shrinks
  if not (unit_holds or safe):
    return Finding(measured, FAILS)
  parts = [f"it {'holds' if unit_holds else 'does not hold'} for one unit"]
  parts.append(
    f"for many units it holds in every net up to W_s = {gains[safe - 1]}" if safe else "for many units at no W_s tried"
  )
  if safe < whole.size:
    worst = "; ".join(f"{name} {int(counts[-1])}" for name, counts in kinds)
    parts.append(f"beyond that some nets grow, at W_s = {gains[-1]} of {draws} each: {worst}")
  return Finding(measured, CONDITIONAL, ", ".join(parts[:2]) + "".join(f"; {part}" for part in parts[2:]))


def large_weight_explodes(data: Datasets) -> Finding:
  unit = data["one_unit"].sel(bias=0, cell="rnn").squeeze(drop=True)
  single = unit.exponent.where(unit.ws > 1.1, drop=True)
  many = data["recurrent_gain"].sel(cell="rnn", norm="spectral").squeeze(drop=True).growth_rate.transpose("ws", "seed")
  explodes = (many > 0).all("seed").values
  first = next((i for i in range(len(explodes)) if explodes[i:].all()), None)
  largest, far = many.isel(ws=-1), float(single.ws.max())
  case = "for many units"
  if first is not None:
    case = f"for many units from W_s = {float(many.ws[first]):g} to {float(many.ws[-1]):g}"
  return _verdict(
    f"many units, W_s = {float(many.ws[-1]):g}: {wording.mean(largest)} nats per step; one unit, w up to {far:g}: "
    f"largest rate {float(single.max()):.3g}, since the orbit settles where tanh′ is small",
    {case: bool(explodes[-1]), f"for one unit up to w = {far:g}": bool((single > 0).all())},
  )


def sum_is_gradient(data: Datasets) -> Finding:
  error = float(data["identities"].gradient_error.max())
  return Finding(f"largest relative difference {error:.1e} (float32)", HOLDS if error < 1e-4 else FAILS)


def readout_is_local(data: Datasets) -> Finding:
  beyond = float(data["identities"].readout_beyond_lag_zero.max())
  return Finding(f"share of ∂L_T/∂W_o from earlier steps: {beyond:g}", HOLDS if beyond == 0 else FAILS)


def zero_or_one(data: Datasets) -> Finding:
  factors = data["zero_or_one"].isel(cell=0)
  share = (factors.share_near_zero + factors.share_near_one).squeeze(drop=True)
  mean = share.mean("seed")
  best = mean.where(mean == mean.max(), drop=True).squeeze()
  usual = share.sel(input_scale=1.0, forget_bias=0.0)
  close = mean.stack(setting=("forget_bias", "input_scale")).dropna("setting")
  good = close.where(close > 0.9, drop=True)
  named = [f"b_f = {float(one.forget_bias):g} and input scale {float(one.input_scale):g}" for one in good]
  return Finding(
    f"within 0.1 of 0 or 1: {wording.mean(usual)} of the factors at b_f = 0 and input scale 1; at best {float(mean.max()):.2f} "
    f"(b_f = {float(best.forget_bias):g}, scale {float(best.input_scale):g}), at worst {float(mean.min()):.2f}",
    *_of_settings(named, int(close.size)),
  )


def _of_settings(named: Sequence[str], tried: int) -> tuple[str, str]:
  """The verdict and its condition, given the settings in which more than 90 % of the factors are near 0 or 1."""
  if len(named) == tried:
    return HOLDS, ""
  if not named:
    return FAILS, ""
  return (
    CONDITIONAL,
    f"more than 90 % of the factors are near 0 or 1 in {len(named)} of {tried} settings: {_places(named)}",
  )


def _memory(data: Datasets, cell: str, bias: float) -> xr.DataArray:
  result = data["forget_bias"].memory_length.sel(cell=cell, norm="spectral", ws=1.0, forget_bias=bias)
  return result.squeeze(drop=True)


def lstm_remembers(data: Datasets) -> Finding:
  rnn = _memory(data, "rnn", 0.0)
  lengths = {bias: _memory(data, "lstm", bias) for bias in (0.0, 1.0, 2.0)}
  longer = {f"at b_f = {bias:g}": bool((lstm > 2 * rnn).all()) for bias, lstm in lengths.items()}
  return _verdict(
    f"memory length in steps at W_s = 1: RNN {wording.mean(rnn)}; LSTM "
    + ", ".join(f"{wording.mean(length)} (b_f = {bias:g})" for bias, length in lengths.items())
    + "; at least twice the RNN's is asked for",
    longer,
  )


def clipping_bounds(data: Datasets) -> Finding:
  checks = data["identities"]
  before, after = float(checks.gradient_norm.max()), float(checks.clipped_norm.max())
  return Finding(
    f"largest gradient norm {before:.3g} before, {after:.6g} after clipping at 1",
    HOLDS if after <= 1 + 1e-5 < before else FAILS,
  )


def gru_is_simpler(data: Datasets) -> Finding:
  sizes = {
    name: sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(_init(name), jax.random.key(0))))
    for name in ("gru", "lstm")
  }
  ratios = {bias: _memory(data, "gru", bias) / _memory(data, "lstm", bias) for bias in (0.0, 1.0, 2.0)}
  alike = {f"at b = {bias:g}": bool(((ratio > 0.5) & (ratio < 2)).all()) for bias, ratio in ratios.items()}
  simpler = sizes["gru"] < sizes["lstm"]
  return _verdict(
    f"{sizes['gru'] / sizes['lstm']:.2f} of the LSTM's parameters; ratio of memory lengths "
    + ", ".join(f"{wording.mean(ratio)} (b = {bias:g})" for bias, ratio in ratios.items())
    + "; alike means within a factor of 2",
    alike if simpler else {"": False},
  )


def _init(name: str) -> Callable:
  return lambda key: rl.get_cell(name).init(key, 16, 64)


def peepholes_matter(data: Datasets) -> Finding:
  seen = data["identities"].sel(cell="peephole_lstm").squeeze(drop=True)
  rows = []
  for ws in seen.ws.values:
    at = seen.sel(ws=ws)
    change = at.growth_rate - at.blind_growth_rate
    rows.append(
      f"W_s = {ws:g}: {wording.mean(100 * at.peephole_share)} % of ‖J‖, growth rate {wording.mean(change)} nats per step"
    )
  return Finding(
    "random peepholes change, at " + "; at ".join(rows), HOLDS if bool((seen.peephole_share > 0).all()) else FAILS
  )


def order_matters(data: Datasets) -> Finding:
  change = data["identities"].order_difference
  differs = (change > 1e-3).where(change.notnull())
  made, kept = int(differs.count()), int(differs.sum())
  return _verdict(
    f"relative change of the last output, smallest of all runs: {float(change.min()):.2g}",
    {f"in {kept} of {made} runs": kept > 0, f"in {made - kept}": kept == made},
  )


def few_steps_back(data: Datasets) -> Finding:
  """The lag at which ‖∂L_T/∂S_k‖ has fallen to 1 % of its value at lag 0, or never does."""
  adjoint = data["forget_bias"].log_adjoint_norm.sel(ws=1.0).squeeze(drop=True)
  relative = adjoint - adjoint.isel(lag=0)
  small = relative < np.log(0.01)
  reach = xr.where(small.any("lag"), small.argmax("lag"), adjoint.sizes["lag"] - 1)
  rows = {
    (cell, bias): reach.sel(cell=cell, forget_bias=bias) for cell in ("rnn", "lstm", "gru") for bias in (0.0, 4.0)
  }
  most = adjoint.sizes["lag"] - 1
  cases = {"for the RNN": bool((rows["rnn", 0.0] < FEW_STEPS).all())}
  for cell in ("lstm", "gru"):
    for bias in (0.0, 4.0):
      reached = f"for the {cell.upper()} at b_f = {bias:g}"
      cases[reached] = bool((rows[cell, bias] < FEW_STEPS).all())
  told = (
    "steps until 1 % is left (b_f = 0, 4): "
    + "; ".join(
      f"{cell.upper()} {wording.mean(rows[cell, 0.0])}, {wording.mean(rows[cell, 4.0])}"
      for cell in ("rnn", "lstm", "gru")
    )
    + f" (of {most} at most; few means fewer than {FEW_STEPS})"
  )
  return _verdict(told, cases) if cases["for the RNN"] else Finding(told, FAILS)


CLAIMS: Mapping[int, Claim] = dict(
  enumerate(
    (
      Claim("tanh′ is at most 1, and below 1 almost always.", "tanh′(a) ≤ 1", ("identities",), slopes),
      Claim(
        "For 0 < W_s < 1 the product goes to 0.",
        "∏ tanh′·W_s → 0",
        ("one_unit", "small_gain"),
        small_weight_vanishes,
      ),
      Claim(
        "For large W_s the product goes to infinity.",
        "∏ tanh′·W_s → ∞",
        ("one_unit", "recurrent_gain"),
        large_weight_explodes,
      ),
      Claim("The BPTT sum is the gradient.", "∂L/∂W = Σ_k ∂L/∂S_k ∂S_k/∂W", ("identities",), sum_is_gradient),
      Claim("W_o has no such sum.", "∂L_T/∂W_o: lag 0 only", ("identities",), readout_is_local),
      Claim("The simplified LSTM's factor is 0 or 1.", "tanh′·σ(W_f X + b_f) ≈ 0 or 1", ("zero_or_one",), zero_or_one),
      Claim("So the LSTM solves the vanishing gradient.", "∏ ∂S_j/∂S_{j-1} ≈ 1", ("forget_bias",), lstm_remembers),
      Claim("Clipping bounds the exploding gradient.", "g·min(1, c/‖g‖)", ("identities",), clipping_bounds),
      Claim("The GRU is simpler and remembers alike.", "h = (1−z)⊗n + z⊗h", ("forget_bias",), gru_is_simpler),
      Claim("Peepholes let the gates see the cell.", "∂J/∂p ≠ 0", ("identities",), peepholes_matter),
      Claim(
        "Another order of inputs gives another output.",
        "o_T(x_1 … x_T) ≠ o_T(x_T … x_1)",
        ("identities",),
        order_matters,
      ),
      Claim("In practice an RNN reaches back a few steps.", "‖∂L_T/∂S_k‖", ("forget_bias",), few_steps_back),
    ),
    start=1,
  )
)


def judge(claim: Claim, data: Datasets) -> Finding:
  """Judges a claim by the stored results.

  Raises:
    ResultsError: if a value was not measured that it is judged by.
  """
  try:
    found = claim.judge(data)
    return found._replace(measured=f"{found.measured} ({_seeds(claim, data)})")
  except (AttributeError, IndexError, KeyError, ValueError):  # an axis, or a value on it, is not there
    raise ResultsError(
      f"{' or '.join(claim.reads)} lacks a value that the ledger needs for {claim.text!r}; run the default sweeps."
    ) from None


def ledger(data: Datasets, results: Path) -> list[tuple[int, Finding | None, str]]:
  """Every claim with what was found, or else with the reason why nothing was."""
  entries: list[tuple[int, Finding | None, str]] = []
  for number, claim in CLAIMS.items():
    lacking = [name for name in claim.reads if name not in data]
    try:
      if lacking:
        commands = " and ".join(coverage.run_command(name, results) for name in lacking)
        raise ResultsError(f"not measured here; run {commands}")
      entries.append((number, judge(claim, data), ""))
    except ResultsError as error:
      entries.append((number, None, str(error)))
  return entries


def _seeds(claim: Claim, data: Datasets) -> str:
  """`8 seeds`, or those of every experiment where they differ."""
  sizes = {name: data[name].sizes["seed"] for name in claim.reads}
  if len(set(sizes.values())) == 1:
    return count(next(iter(sizes.values())), "seed")
  return wording.listed([f"{name}: {count(size, 'seed')}" for name, size in sizes.items()])


def told(finding: Finding) -> str:
  """The verdict in bold, with its condition."""
  return f"**{finding.verdict}**" + (f": {finding.condition}" if finding.condition else "")


def table(findings: Mapping[int, Finding]) -> str:
  """The ledger as a Markdown table."""
  rows = [
    "| | claim | formula | experiment | measured (mean ± 95 % over seeds; of fewer than five the values) | verdict |",
    "|---|---|---|---|---|---|",
  ]
  for number, finding in findings.items():
    claim = CLAIMS[number]
    cells = [str(number), claim.text, claim.formula, ", ".join(claim.reads), finding.measured, told(finding)]
    rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
  return "\n".join(rows)


# What a page that shows the ledger has around it.
BEGIN, END = "<!-- claims: written by analysis.claims -->\n", "<!-- end of claims -->"


def short_table(findings: Mapping[int, Finding]) -> str:
  """The ledger without formulas and sources, for a page that shows it among other things."""
  rows = [
    "| | claim | measured (mean ± 95 % over seeds; of fewer than five the values) | verdict |",
    "|---|---|---|---|",
  ]
  for number, finding in findings.items():
    cells = [str(number), CLAIMS[number].text, finding.measured, told(finding)]
    rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
  return "\n".join(rows)


def embed(page: str, findings: Mapping[int, Finding]) -> str:
  """The page with the short table between `BEGIN` and `END`.

  Raises:
    ResultsError: if it lacks them.
  """
  head, begin, rest = page.partition(BEGIN)
  _, end, tail = rest.partition(END)
  if not (begin and end):
    raise ResultsError(f"--readme: the page needs the lines {BEGIN.strip()!r} and {END!r} where the table belongs.")
  return f"{head}{begin}{short_table(findings)}\n{end}{tail}"


def write(results: Path, out: Path, readme: str | None = None) -> list[Path]:
  """Writes the ledger of a folder of results, and into a page if there is one; returns what was written.

  Claims whose sweeps were not run are not judged, and say so; the page is written only if all are.
  """
  into = Path(readme) if readme else None
  if into and not into.is_file():
    raise ResultsError(f"--readme: {into} is no file.")
  names = sorted({name for claim in CLAIMS.values() for name in claim.reads})
  there = [name for name in names if block_paths(results / name)] or names  # if there are none, the first is told of
  data = {name: coverage.load(results / name) for name in there}
  entries = ledger(data, results)
  for number, found, why in entries:
    if into and found is None:
      raise ResultsError(f"--readme: claim {number} cannot be judged: {why}.")
  findings = {number: found or Finding(why, NOT_JUDGED) for number, found, why in entries}
  pages = {into: embed(into.read_text(), findings)} if into else {}
  about = {name: "; ".join(filter(None, (d.attrs["checksum"][:12], d.attrs["missing"]))) for name, d in data.items()}
  sources = ", ".join(f"{name} ({text})" for name, text in about.items())
  page = f"# Claims of the introduction, judged\n\n{table(findings)}\n\nWritten by `python -m analysis.claims` from {sources}.\n"
  listed = [
    {"number": n, "claim": CLAIMS[n].text, "formula": CLAIMS[n].formula, **f._asdict()} for n, f in findings.items()
  ]
  out.mkdir(parents=True, exist_ok=True)
  pages |= {
    out / "claims.md": page,
    out / "claims.json": json.dumps(listed, indent=1, ensure_ascii=False) + "\n",
  }
  for path, content in pages.items():
    write_atomically(path, content.encode())
  return list(pages)


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the ledger from the command line and returns an exit code."""
  readme = "A page to put the table into, between its two markers."
  return command.run("claims", write, argv, "report", "claims.md and claims.json", __doc__ or "", readme=readme)


if __name__ == "__main__":
  sys.exit(main())
