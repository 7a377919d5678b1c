#!/usr/bin/env bash
# xlstm 2.0.6: in sLSTMLayer, `fgate` feeds the input gate and `igate` the forget gate.
#
# Seen with xlstm 2.0.6 on torch 2.13: the layer names what it hands to its cell i, f, z, o, but fills it from fgate, igate, zgate, ogate.
# With a gate shut, the state is replaced for `igate`, and nothing is written for `fgate`. A net that is
# trained from scratch does not mind, since the names are symmetric then. A port by names, or a forget bias that is put into `fgate`, does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "torch==2.13.0" "numpy<3" "einops<1" packaging omegaconf dacite
"$folder/venv/bin/python" -m pip install --quiet --no-deps "xlstm==2.0.6"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib import metadata

import torch
from xlstm.blocks.slstm.layer import sLSTMLayer, sLSTMLayerConfig

print("xlstm", metadata.version("xlstm"))
torch.set_grad_enabled(False)
config = sLSTMLayerConfig(embedding_dim=1, num_heads=1, conv1d_kernel_size=0, dropout=0.0, backend="vanilla", dtype="float32")


class Kept(torch.nn.Module):
  """Keeps the outputs of the cell, which the group norm of a single unit would make 0."""

  def forward(self, outputs):
    self.seen = outputs
    return outputs


def outputs(**weights):
  """The outputs for inputs 1, 1, -1: with a weight of 30, a gate is open, open, and shut."""
  layer = sLSTMLayer(config).eval()
  for name, parameter in layer.named_parameters():
    if "norm" not in name:
      parameter.zero_()
  layer.zgate.weight.fill_(0.5)
  for gate, weight in weights.items():
    getattr(layer, gate).weight.fill_(weight)
  layer.group_norm = Kept()
  layer(torch.tensor([[[1.0], [1.0], [-1.0]]]))
  return layer.group_norm.seen.flatten()


shut = {gate: outputs(**{gate: 30.0}) for gate in ("fgate", "igate")}
for gate, found in shut.items():
  print(f"{gate} shut at the last of three steps: outputs {[round(float(h), 3) for h in found]}")
# The candidate is tanh(0.5) twice and then -tanh(0.5). Without writing, h stays; without keeping, h is the new candidate alone.
kept = lambda found: bool(torch.isclose(found[2], found[1], atol=1e-4))
replaced = lambda found: bool(torch.isclose(found[2], -found[1], atol=1e-4))
assert kept(shut["fgate"]) and replaced(shut["igate"]), "the behaviour has changed"
print("fgate is the input gate and igate the forget gate, as described")
PYTHON
