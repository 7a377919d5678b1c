"""Draws weights for a cell of another library, and keeps them with its outputs. Needs NumPy alone, and runs on Python 3.8."""

import json
from pathlib import Path
from zlib import crc32

import numpy as np

GOLDEN = Path(__file__).parents[2] / "tests" / "recurrent_lab" / "interop" / "golden"
INPUTS, HIDDEN, STEPS, BATCH = 3, 4, 6, 2
DIGITS = 3  # weights and inputs have so few, so that the files stay small


def draw(rng, shape):
  """Returns random numbers away from 0, as float32."""
  return np.round(rng.normal(0.1, 0.6, shape), DIGITS).astype(np.float32)


def redraw(rng, arrays):
  """Returns a dict of arrays with the same names and shapes."""
  return {name: draw(rng, np.shape(array)) for name, array in arrays.items()}


def file_of(kind):
  """Returns the file of a kind of cell. Its name has letters, digits, points and equal signs alone."""
  return GOLDEN / (kind.replace("(", "-").replace(")", "").replace(" ", "-") + ".json")


def record(package, version, runs, notes=None):
  """Runs cells of a package and writes their weights, inputs and outputs.

  Args:
    package: its name on PyPI.
    version: its release.
    runs: `(rng, xs [T, B, I]) -> (arrays by name, outputs [T, B, H])` by the name of the cell in `LAYOUTS`. " with …" may
      follow the name. A cell that needs inputs of another size draws its own, and returns them third.
    notes: what surprised in this run, by name.
  """
  GOLDEN.mkdir(exist_ok=True)
  for kind, run in runs.items():
    rng = np.random.default_rng(crc32(kind.encode()))
    xs = draw(rng, (STEPS, BATCH, INPUTS))
    arrays, outputs, xs = (*run(rng, xs), xs)[:3]
    arrays = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
    outputs = np.asarray(outputs, np.float32)
    assert outputs.shape[:2] == (STEPS, BATCH), (kind, outputs.shape)
    listed = lambda array: [float(f"{number:.9g}") for number in array.ravel().tolist()]
    golden = {
      "label": kind,
      "kind": kind.split(" with ")[0],
      "package": package,
      "version": version,
      "notes": (notes or {}).get(kind, []),
      "arrays": {name: {"shape": array.shape, "numbers": listed(array)} for name, array in arrays.items()},
      "xs": {"shape": xs.shape, "numbers": listed(xs)},
      "outputs": {"shape": outputs.shape, "numbers": listed(outputs)},
    }
    file_of(kind).write_text(json.dumps(golden) + "\n")
    print(kind, version, "largest output", float(np.abs(outputs).max()))


def load(path):
  """Returns a golden file with its arrays as float32."""
  golden = json.loads(Path(path).read_text())
  array = lambda stored: np.array(stored["numbers"], np.float32).reshape(stored["shape"])
  arrays = {name: array(stored) for name, stored in golden["arrays"].items()}
  return {**golden, "arrays": arrays, "xs": array(golden["xs"]), "outputs": array(golden["outputs"])}


def scan(step, state, xs):
  """Returns the outputs of a `(state, x) -> (state, output)`."""
  outputs = []
  for x in xs:
    state, output = step(state, x)
    outputs.append(np.asarray(output))
  return np.stack(outputs)
