"""The tables of all formats in `docs/interop.md`: what is converted in which direction, verified against which version.

Formats, cells and versions come from the tables of the library and from the files that the oracles keep.
"""

from collections.abc import Iterator, Mapping
import json
from pathlib import Path
from types import MappingProxyType

from oracles.layouts.record import GOLDEN
from recurrent_lab.interop import LAYOUTS
from recurrent_lab.interop.modules.files import suffix_of
from recurrent_lab.interop.modules.trees import KINDS

PAGE = Path(__file__).parents[1] / "docs" / "interop.md"
HEADING = "## All formats"
NETS, MODELS = GOLDEN / "nets", GOLDEN / "onnx_models"

#: What is read of a format, what reads it, and what writes it, by the suffix of its files.
FILES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
  {
    ".safetensors": (
      "state dicts of torch and Paddle: LSTM, GRU and RNN with layers, directions and projections, and cells of torch",
      "`import_model`",
      "`export_weights` and `save`, a layer at a time",
    ),
    ".keras": (
      "Sequential and Functional models: LSTM, GRU, SimpleRNN, RNN, StackedRNNCells, Bidirectional, and Dense on top",
      "`import_model`",
      "–",
    ),
    ".weights.h5": ("the arrays of the same models", "`import_model`", "–"),
    ".msgpack": ("variables of Flax linen, as `flax.serialization.to_bytes` writes them", "`import_model`", "–"),
    ".npz": ("trees of NNX, Haiku and Equinox, by the paths of their arrays", "`import_model`", "–"),
    ".onnx": ("LSTM, GRU and RNN nodes with every attribute", "`import_model`, `from_onnx`", "`to_onnx`"),
  }
)


def write_formats() -> None:
  """Replaces the section of all formats in `docs/interop.md`."""
  before, _, rest = PAGE.read_text().partition(HEADING + "\n")
  after = rest.partition("\n## ")
  PAGE.write_text("\n".join([before + HEADING, "", *lines(), *after[1].split("\n")[1:]]) + after[2])


def lines() -> list[str]:
  """Returns the lines of the section, without its heading."""
  return [
    "Files, and the packages that wrote the files against whose own outputs the lab was verified:",
    "",
    "| format | what is read | read by | written by | verified against |",
    "|---|---|---|---|---|",
    *(f"| `{suffix}` | {' | '.join(FILES[suffix])} | {', '.join(_verified(suffix))} |" for suffix in FILES),
    "| `.safetensors` | params of the lab | `load` and `from_named` | `to_named` and `save` | the same params |",
    "",
    "Arrays by name. `import_weights` reads each of these cells and `export_weights` writes it. Both were verified against the",
    "numbers of the package. `import_model` finds those in bold by their names in a whole net:",
    "",
    "| package | cells |",
    "|---|---|",
    *(f"| {package} | {', '.join(cells)} |" for package, cells in _libraries().items()),
    "",
    "The order of gates in `coremltools.mil.rnn` and `coremltools.mil.gru` is that of their documentation. These operators run",
    "on macOS alone, and the converter from torch does not write them.",
  ]


def _verified(suffix: str) -> Iterator[str]:
  """Yields the packages and versions that wrote files of this format, with the number of files."""
  count: dict[str, int] = {}
  for path in sorted(NETS.glob("*.json")):
    golden = json.loads(path.read_text())
    if suffix_of(Path(golden["file"])) == suffix:
      package = f"{golden['package']} {golden['version']}"
      count[package] = count.get(package, 0) + 1
  yield from (f"{package} ({number} {'file' if number == 1 else 'files'})" for package, number in count.items())
  if suffix == ".onnx":
    models = [json.loads(path.read_text()) for path in sorted(MODELS.glob("*.json"))]
    runtimes = sorted({model["onnxruntime"] for model in models})
    exporters = dict.fromkeys(_exporter(model["exporter"]) for model in models if "exporter" in model)
    yield f"onnxruntime {', '.join(runtimes)} on models by hand and on those of {', '.join(exporters)}"


def _exporter(text: str) -> str:
  """Returns the packages of an exporter, such as `keras 3.15.1 with tf2onnx 1.17.0`."""
  package, _, options = text.split(", ", 2)
  return f"{package} (`{options}`)" if "=" in options else f"{package} with {options}"


def _libraries() -> dict[str, list[str]]:
  """Returns the cells of each package and version, in the order of `LAYOUTS`."""
  package_of = {}
  for path in sorted(GOLDEN.glob("*.json")):
    golden = json.loads(path.read_text())
    package_of[golden["kind"]] = f"{golden['package']} {golden['version']}"
  root = {kind.partition(".")[0]: package for kind, package in package_of.items()}
  found: dict[str, list[str]] = {}
  for kind in LAYOUTS:
    name = f"**`{kind}`**" if kind in KINDS else f"`{kind}`"
    found.setdefault(package_of.get(kind, root[kind.partition(".")[0]]), []).append(name)
  return found
