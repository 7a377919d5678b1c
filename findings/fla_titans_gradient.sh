#!/usr/bin/env bash
# fla-core 0.6.0: the plain Titans recurrence does not descend along the gradient of its loss.
#
# Titans (Behrouz et al., 2025, eq. 11-14) writes -θ times the gradient of the loss of its memory. That of `ops/titans` is half the
# square of LN(k M) w + b - (v - k). Seen with fla-core 0.6.0 in `titans_linear`: the backward pass of the layer norm is
#     v_new = D * grad - grad.sum(-1, keepdim=True) / (rstd * D)
# where the line that is commented out above it divides the whole difference by rstd D. The step differs from that of autograd in
# its direction too, and is hundreds of times as long here. The file is loaded alone, because the package imports Triton.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "torch==2.13.0" "numpy<3"
"$folder/venv/bin/python" -m pip install --quiet --no-deps "fla-core==0.6.0"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib import import_module, metadata
import sys
from types import ModuleType

import torch

place = metadata.distribution("fla-core").locate_file("")
for name in ("fla", "fla.ops", "fla.ops.titans"):
  sys.modules[name] = ModuleType(name)
  sys.modules[name].__path__ = [str(place / name.replace(".", "/"))]
titans_linear = import_module("fla.ops.titans.naive").titans_linear

print("fla-core", metadata.version("fla-core"))
torch.manual_seed(0)
size, eps = 16, 1e-6
q, k, v = (torch.randn(1, 1, 1, size) for _ in range(3))
w, b, memory = 1 + 0.1 * torch.randn(size), 0.1 * torch.randn(size), torch.randn(1, 1, size, size)
numbers = [torch.full((1, 1, 1, 1), value) for value in (0.5, 0.0, 0.0)]  # θ, so that 2 θ = 1, and neither forgetting nor momentum
_, new = titans_linear(q, k, v, w, b, *numbers, eps, 1, memory, True)
step = memory - new

leaf = memory.clone().requires_grad_()
normed = torch.nn.functional.layer_norm(k @ leaf, (size,), w, b, eps)
(0.5 * ((normed - (v - k)) ** 2).sum()).backward()
ratio = float(step.norm() / leaf.grad.norm())
cosine = float((step * leaf.grad).sum() / (step.norm() * leaf.grad.norm()))
print(f"|step| / |gradient| = {ratio:.1f}, cosine of the angle between them = {cosine:.4f} (1 and 1 if it descends)")
assert ratio > 10 and cosine < 0.999, "the behaviour has changed"
print("the step is not that of the gradient, as described")
PYTHON
