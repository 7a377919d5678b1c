"""Exchanges cells and weights with other libraries.

- `import_weights` and `export_weights` convert weights, as dicts of NumPy arrays. `load` and `save` use safetensors files.
- `identify` finds the cell and the order of the gates behind arrays of an unknown library, from one run.
- `from_flax`, `from_haiku` and `from_equinox` turn a module of another library into a `Cell`.
- `interop.linen` and `interop.nnx` turn a `Cell` into a Flax module. Import these two modules by name.

Other libraries are imported only where they are needed. The rest of the lab runs without them.
"""

from recurrent_lab.interop.exchange import from_named, load, save, to_named
from recurrent_lab.interop.foreign import from_equinox, from_flax, from_haiku
from recurrent_lab.interop.identification import Identification, Reading, identify
from recurrent_lab.interop.layouts import LAYOUTS, Layout
from recurrent_lab.interop.weights import export_weights, flat, get_layout, import_weights, nested

__all__ = [
  "LAYOUTS",
  "Identification",
  "Layout",
  "Reading",
  "export_weights",
  "flat",
  "from_equinox",
  "from_flax",
  "from_haiku",
  "from_named",
  "get_layout",
  "identify",
  "import_weights",
  "load",
  "nested",
  "save",
  "to_named",
]
