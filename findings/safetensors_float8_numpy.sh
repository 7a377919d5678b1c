#!/usr/bin/env bash
# safetensors 0.8.0: its NumPy interface writes arrays of float8 that it cannot read.
#
# The format has the dtypes F8_E4M3 and F8_E5M2, and `safetensors.numpy.save_file` writes arrays of ml_dtypes in them. Seen with
# safetensors 0.8.0: `load_file` of the file that it just wrote raises AttributeError (module 'numpy' has no attribute
# 'float8_e4m3fn'), and so does reading any other array of that file through load_file. bfloat16 is written and read.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "safetensors==0.8.0" "numpy>=2" "ml_dtypes"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib import metadata

import ml_dtypes
import numpy as np
from safetensors.numpy import load_file, save_file

print("safetensors", metadata.version("safetensors"), "numpy", np.__version__)
save_file({"a": np.ones(3, ml_dtypes.bfloat16)}, "half.safetensors")
assert load_file("half.safetensors")["a"].dtype == ml_dtypes.bfloat16, "the behaviour has changed"
save_file({"a": np.ones(4, ml_dtypes.float8_e4m3fn), "b": np.ones(2, np.float32)}, "eighth.safetensors")
try:
  load_file("eighth.safetensors")
except AttributeError as error:
  print("AttributeError:", error)
else:
  raise SystemExit("the behaviour has changed")
print("float8 is written and cannot be read, as described")
PYTHON
