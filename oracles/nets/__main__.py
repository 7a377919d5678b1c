"""The command: writes the files, and the inputs, outputs and slopes beside them, for the libraries that are installed here."""

from importlib import import_module, metadata
import json
import os
from pathlib import Path
import sys

import numpy as np

from oracles.nets.net import INPUTS, STEPS

os.environ["KERAS_BACKEND"] = "jax"
GOLDEN = Path(__file__).parents[2] / "tests" / "recurrent_lab" / "interop" / "golden" / "nets"
LIBRARIES = ("torch", "keras", "flax", "haiku", "equinox", "paddle")


def main() -> int:
  """Writes the files. Returns 1 if a library that was asked for is not installed."""
  GOLDEN.mkdir(parents=True, exist_ok=True)
  failed = 0
  for library in sys.argv[1:] or LIBRARIES:
    try:
      nets = import_module(f"oracles.nets.of_{library}").NETS
    except ModuleNotFoundError as missing:
      print(f"{library}: left out, for {missing.name} is not installed.", file=sys.stderr)
      failed |= library in sys.argv
      continue
    for net in nets:
      xs = np.random.default_rng(1).normal(0, 1, (STEPS, INPUTS)).round(4).astype(np.float32)
      outputs, slopes = net.run(xs)
      net.save(GOLDEN / net.file)
      golden = {
        "file": net.file,
        "package": net.package,
        "version": metadata.version(net.package),
        "options": net.options,
        "xs": xs.tolist(),
        "outputs": outputs.tolist(),
        "slopes": slopes.tolist(),
      }
      (GOLDEN / f"{net.file}.json").write_text(json.dumps(golden) + "\n")
      print(f"{net.file}: {net.package} {golden['version']}, {(GOLDEN / net.file).stat().st_size} bytes")
  return int(failed)


if __name__ == "__main__":
  sys.exit(main())
