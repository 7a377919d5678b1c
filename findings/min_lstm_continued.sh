#!/usr/bin/env bash
# minGRU-pytorch 0.2.1: minLSTM does not continue from the state that it returned, if it runs more than one step.
#
# Seen with minGRU-pytorch 0.2.1 on torch 2.13: a sequence in two halves, with the returned state passed on, differs from the whole
# sequence by 0.35 in the example below. One step at a time agrees to rounding. The parallel path applies the activation of the candidate, which
# adds 0.5, to the state that it is given. minGRU of the same release agrees on both paths.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "torch==2.13.0" "numpy<3" "einops<1"
"$folder/venv/bin/python" -m pip install --quiet --no-deps "minGRU-pytorch==0.2.1"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib import metadata

import torch

from minGRU_pytorch import minGRU
from minGRU_pytorch.minLSTM import minLSTM

print("minGRU-pytorch", metadata.version("minGRU-pytorch"))
torch.manual_seed(0)
torch.set_grad_enabled(False)
x = torch.randn(1, 8, 4)
error = {}
for layer in (minGRU(4), minLSTM(4)):
  whole = layer(x)
  first, state = layer(x[:, :4], return_next_prev_hidden=True)
  halves = torch.cat((first, layer(x[:, 4:], prev_hidden=state)), dim=1)
  steps, state = [], None
  for t in range(8):
    out, state = layer(x[:, t : t + 1], prev_hidden=state, return_next_prev_hidden=True)
    steps.append(out)
  name = type(layer).__name__
  error[name] = (float((halves - whole).abs().max()), float((torch.cat(steps, dim=1) - whole).abs().max()))
  print(f"{name}: in halves differs by {error[name][0]:.2g}, step by step by {error[name][1]:.2g}")
assert error["minLSTM"][0] > 0.05 and error["minLSTM"][1] < 1e-4, "the behaviour has changed"
assert max(error["minGRU"]) < 1e-4, "the behaviour of minGRU has changed"
print("minLSTM continues from another state than its own, as described")
PYTHON
