#!/usr/bin/env bash
# paddlepaddle 3.3.1: with proj_size and several layers, the parameters of nn.LSTM have each other's names.
#
# RNNBase makes four names per layer and direction, but a cell with a projection has five arrays. From the second cell on, every name
# stands for the array before it: `weight_ih_l1` is the projection of layer 0, and `weight_hh_l1` the input kernel of layer 1. The state
# dict holds all arrays a second time, as `1.cell.weight_ih`, and these names are right.
#
# Seen: the five equalities that are checked below, and bias_ih_l1 is a matrix.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "paddlepaddle==3.3.1"
cd "$folder"
cat > names.py <<'PYTHON'
import numpy as np
import paddle

state = paddle.nn.LSTM(3, 5, num_layers=2, proj_size=2).state_dict()
pairs = {
  "weight_ih_l0": "0.cell.weight_ih",
  "weight_ih_l1": "0.cell.weight_ho",
  "weight_hh_l1": "1.cell.weight_ih",
  "bias_ih_l1": "1.cell.weight_hh",
  "bias_hh_l1": "1.cell.bias_ih",
}
print("paddlepaddle", paddle.__version__)
for name, cell in pairs.items():
  same = np.array_equal(state[name].numpy(), state[cell].numpy())
  print(f"{name} {tuple(state[name].shape)} is {cell}: {same}")
  assert same, "the behaviour has changed"
PYTHON
"$folder/venv/bin/python" -W ignore names.py
echo "names of nn.LSTM with a projection are shifted, as described"
