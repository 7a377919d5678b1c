"""The same cells in other people's code, and other people's cells in the lab.

Weights (`import_weights`, `export_weights`) are dicts of NumPy arrays and files of safetensors. `from_flax`,
`from_haiku` and `from_equinox` make a `Cell` of a module of another library. `interop.linen` and `interop.nnx`,
imported by name, go the other way. Another library is imported only by what needs it; the rest of the lab imports none.
"""

from recurrent_lab.interop.exchange import from_named, load, save, to_named
from recurrent_lab.interop.foreign import from_equinox, from_flax, from_haiku
from recurrent_lab.interop.layouts import LAYOUTS, Layout
from recurrent_lab.interop.weights import export_weights, flat, get_layout, import_weights, nested

__all__ = [
  "LAYOUTS",
  "Layout",
  "export_weights",
  "flat",
  "from_equinox",
  "from_flax",
  "from_haiku",
  "from_named",
  "get_layout",
  "import_weights",
  "load",
  "nested",
  "save",
  "to_named",
]
