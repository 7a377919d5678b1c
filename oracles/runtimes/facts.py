"""Writes the tables of `docs/runtimes.md` from what was observed, which `docs/runtimes.json` keeps.

    python -m oracles.runtimes.facts

The lines of the JSON file are those that `saturation`, `lengths`, `half` and `casts` print in the environments of the runtimes.
"""

from collections.abc import Mapping, Sequence
import json
from pathlib import Path
import re
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "runtimes.md"
Facts = Sequence[Mapping[str, Any]]


def load() -> Facts:
  """Returns the observations."""
  return json.loads(PAGE.with_suffix(".json").read_text())


def tables(facts: Facts) -> dict[str, list[str]]:
  """Returns the lines of each table by its name on the page."""
  of = lambda *functions: [fact for fact in facts if fact["function"] in functions]
  return {
    "saturation": [
      "| runtime | function | reaches 1 at | largest value - 1 | largest fall | smallest value |",
      "| --- | --- | --- | --- | --- | --- |",
      *(_saturation(fact) for fact in of("tanh", "sigmoid")),
    ],
    "carry": [
      "| runtime | precision | c after 1000 steps of 0.7 |",
      "| --- | --- | --- |",
      *(f"| {_runtime(fact)} `{fact['of']}` | {fact['precision']} | {fact['c']} |" for fact in of("carry")),
    ],
    "lengths": [
      "| runtime | directions | behind the end | state returned | the layer backwards |",
      "| --- | --- | --- | --- | --- |",
      *(
        f"| {_runtime(fact)} {fact['of']} | {1 + fact['both']} | {fact['behind the end']} | {fact['state']} |"
        f" {fact.get('backwards', '–')} |"
        for fact in of("lengths")
      ),
    ],
    "casts": [
      "| runtime | from float64 | from int64 |",
      "| --- | --- | --- |",
      *(f"| {_runtime(fact)} `{fact['of']}` | {fact['float64']} | {fact['int64']} |" for fact in of("casts")),
    ],
  }


def _runtime(fact: Mapping[str, Any]) -> str:
  return f"{fact['package']} {fact['version']}"


def _saturation(fact: Mapping[str, Any]) -> str:
  number = lambda value: f"{value:.1e}" if value else "0"
  reached = f"{fact['reaches 1 at']:.3f}"
  return (
    f"| {_runtime(fact)} {fact['of']} | {fact['function']} | {reached} | {number(fact['largest above 1'])} |"
    f" {number(fact['largest fall'])} | {number(fact['smallest'])} |"
  )


def written(page: str, facts: Facts) -> str:
  """Returns the page with its tables rewritten. Each stands between `<!-- name -->` and `<!-- end -->`."""
  for name, lines in tables(facts).items():
    inside = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    page, count = inside.subn(lambda match, lines=lines: match[1] + "\n" + "\n".join(lines) + "\n\n" + match[2], page)
    assert count == 1, f"The page has {count} places for the table {name}."
  return page


if __name__ == "__main__":
  PAGE.write_text(written(PAGE.read_text(), load()))
