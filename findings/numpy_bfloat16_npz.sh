#!/usr/bin/env bash
# numpy 2.4.6 with ml_dtypes 0.6.0: an npz file of bfloat16 arrays comes back as two bytes of nothing.
#
# JAX's bfloat16 arrays are NumPy arrays of ml_dtypes. Seen with numpy 2.4.6: np.savez writes them without a complaint, and np.load
# returns the dtype |V2, so the type is lost: a checkpoint of bfloat16 in npz cannot be told from any other two bytes. float16 and
# float32 come back as they went.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "numpy==2.4.6" "ml_dtypes==0.6.0"
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
import ml_dtypes
import numpy as np

print("numpy", np.__version__, "ml_dtypes", ml_dtypes.__version__)
np.savez("net.npz", a=np.ones(3, ml_dtypes.bfloat16), b=np.ones(3, np.float16))
back = np.load("net.npz")
print("bfloat16 comes back as", back["a"].dtype, "and float16 as", back["b"].dtype)
assert back["a"].dtype == np.dtype("V2") and back["b"].dtype == np.float16, "the behaviour has changed"
print("the type is lost, as described")
PYTHON
