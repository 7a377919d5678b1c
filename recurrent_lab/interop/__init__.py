"""Exchanges cells and weights with other libraries.

- `import_weights` and `export_weights` convert weights, as dicts of NumPy arrays. `load` and `save` use safetensors files.
- `from_onnx` reads the recurrent nodes of an ONNX model as cells and params, `run_entry` runs one as onnxruntime does, and
  `to_onnx` writes a cell or a stack.
- `from_flax`, `from_haiku` and `from_equinox` turn a module of another library into a `Cell`.
- `interop.linen` and `interop.nnx` turn a `Cell` into a Flax module. Import these two modules by name.

Other libraries are imported only where they are needed. The rest of the lab runs without them.
"""

from recurrent_lab.interop.exchange import from_named, load, save, to_named
from recurrent_lab.interop.foreign import from_equinox, from_flax, from_haiku
from recurrent_lab.interop.layouts import LAYOUTS, Layout
from recurrent_lab.interop.onnx import EntryRun, Feeding, OnnxEntry, from_onnx, one_entry, run_entry, to_onnx
from recurrent_lab.interop.weights import export_weights, flat, get_layout, import_weights, nested

__all__ = [
  "LAYOUTS",
  "EntryRun",
  "Feeding",
  "Layout",
  "OnnxEntry",
  "export_weights",
  "flat",
  "from_equinox",
  "from_flax",
  "from_haiku",
  "from_named",
  "from_onnx",
  "get_layout",
  "import_weights",
  "load",
  "nested",
  "one_entry",
  "run_entry",
  "save",
  "to_named",
  "to_onnx",
]
