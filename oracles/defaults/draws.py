"""Draws from the packages of this environment, and stores the statistics of their draws.

    python -m oracles.defaults.draws build/defaults

writes a file per package. It imports nothing of the lab.
"""

from importlib import import_module, metadata
import json
from pathlib import Path
import pkgutil
import sys

import oracles.defaults
from oracles.defaults.statistics import DRAWS, INPUTS, UNITS, summary


def main() -> int:
  """Runs every adapter whose package is installed here. Returns 1 if there is none."""
  out, drawn = Path(sys.argv[1]), 0
  out.mkdir(parents=True, exist_ok=True)
  for _, name, _ in pkgutil.iter_modules(oracles.defaults.__path__, "oracles.defaults."):
    if not name.startswith("oracles.defaults.from_"):
      continue
    try:
      adapter = import_module(name)
    except ModuleNotFoundError as missing:
      print(f"{name}: left out, for {missing.name} is not installed.", file=sys.stderr)
      continue
    facts = {"package": adapter.PACKAGE, "version": metadata.version(adapter.PACKAGE), "draws": DRAWS}
    facts["sizes"] = [INPUTS, UNITS]
    facts["classes"] = {
      kind: summary(draw(seed, INPUTS, UNITS) for seed in range(DRAWS)) for kind, draw in adapter.CLASSES.items()
    }
    (out / f"{adapter.PACKAGE}.json").write_text(json.dumps(facts))
    print(f"{adapter.PACKAGE} {facts['version']}: {', '.join(facts['classes'])}")
    drawn += 1
  return 0 if drawn else 1


if __name__ == "__main__":
  sys.exit(main())
