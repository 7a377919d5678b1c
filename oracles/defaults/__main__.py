"""Holds the recipes of `init_like` to draws of the packages, and writes the page and the golden numbers.

    python -m oracles.defaults build/defaults

A package that was not drawn keeps the numbers of its last run.
"""

from collections.abc import Mapping
import json
from pathlib import Path
import sys
from typing import Any

import jax
import numpy as np

from oracles.defaults.agreement import ALLOWED, ROUNDING, Summary, distances
from oracles.defaults.statistics import summary
import recurrent_lab as rl

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "recurrent_lab" / "golden_defaults"
PAGE = ROOT / "docs" / "verified_defaults.md"
DIGITS = 7  # significant ones of a golden number, more than the precision of the draws


def of_lab(recipe: rl.Recipe, draws: int, inputs: int, units: int) -> Summary:
  """Draws a recipe, and returns its statistics."""
  keys = jax.random.split(jax.random.key(0), draws)
  params = jax.vmap(lambda key: recipe.init(key, inputs, units))(keys)
  fields = {name: np.asarray(values) for name, values in params._asdict().items()}
  return summary({name: values[i] for name, values in fields.items()} for i in range(draws))


def compare(facts: Mapping[str, Any]) -> tuple[dict[str, float], list[str]]:
  """Returns the largest distance of every class of a package, and a sentence for every class that is too far away."""
  worst, failures = {}, []
  for name, found in facts["classes"].items():
    apart = distances(of_lab(rl.init_like(name), facts["draws"], *facts["sizes"]), found)
    statistic = max(apart, key=lambda one: apart[one])
    worst[name] = apart[statistic]
    if apart[statistic] > ALLOWED:
      failures.append(f"{name}: {statistic} is {apart[statistic]:.1f} standard errors away.")
  return worst, failures


def shortened(facts: Mapping[str, Any], worst: Mapping[str, float]) -> dict[str, Any]:
  """Returns what is kept of the draws of a package."""
  number = lambda value: float(f"{value:.{DIGITS}g}")
  classes = {
    name: {statistic: [number(mean), number(error)] for statistic, (mean, error) in found.items()}
    for name, found in facts["classes"].items()
  }
  return {**facts, "distances": {name: round(value, 2) for name, value in worst.items()}, "classes": classes}


def lines(golden: list[Mapping[str, Any]]) -> list[str]:
  """Returns the lines of the page."""
  known = {name: (one, found) for one in golden for name, found in one["classes"].items()}
  rows = [
    f"| `{name}` | {one['package']} {one['version']} | `{rl.init_like(name).cell}` | {len(found)} |"
    f" {one['distances'][name]:.1f} |"
    for name, (one, found) in sorted(known.items())
  ]
  draws, (inputs, units) = golden[0]["draws"], golden[0]["sizes"]
  return [
    "# Defaults of libraries, verified",
    "",
    "`make oracles` writes this page and the numbers behind it (`tests/recurrent_lab/golden_defaults/`), which the default tests",
    f"check without any of these packages. Every class was made {draws} times with {inputs} inputs and {units} units, and so was",
    "every recipe of `init_like`. Statistics are moments of each field by gate, the largest weight, and singular values of the",
    "kernels by gate and as a whole. The last column is the largest distance between class and recipe in standard errors of the",
    f"difference. At most {ALLOWED:g} are allowed, and {ROUNDING:g} for rounding.",
    "",
    "| class | package | cell of the lab | statistics | largest distance |",
    "| --- | --- | --- | --- | --- |",
    *rows,
    "",
    "What Haiku, brainstate and TensorFlow add to the forget gate at run time was measured: c_1 at x = 0, h_0 = 0 and c_0 = 1.",
  ]


def main() -> int:
  """Compares every package that was drawn. Returns 1 if a class differs from its recipe."""
  GOLDEN.mkdir(exist_ok=True)
  failures = []
  for path in sorted(Path(sys.argv[1]).glob("*.json")):
    facts = json.loads(path.read_text())
    worst, failed = compare(facts)
    failures += failed
    print(f"{facts['package']} {facts['version']}: at most {max(worst.values()):.2f} standard errors away")
    if not failed:
      (GOLDEN / path.name).write_text(json.dumps(shortened(facts, worst)) + "\n")
  PAGE.write_text("\n".join(lines([json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))])) + "\n")
  print(*failures, sep="\n", file=sys.stderr)
  return 1 if failures else 0


if __name__ == "__main__":
  sys.exit(main())
