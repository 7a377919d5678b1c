#!/usr/bin/env bash
# neuralrnn 0.4.0: freeze_recurrent=True leaves the recurrent kernels of a shallow piecewise-linear RNN trainable.
#
# Seen with neuralrnn 0.4.0 on torch 2.13: after freeze_recurrent=True and freeze_input=True, the parameters W1, W2 and C still
# require gradients, because the patterns that name them end in a dot, as those of submodules do. No warning shows it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "torch==2.13.0" "numpy<3" "matplotlib<4"
"$folder/venv/bin/python" -m pip install --quiet --no-deps "neuralrnn==0.4.0" "gym==0.26.2" "gym-notices==0.0.8" "cloudpickle==3.1.1" "tqdm==4.67.1"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib import metadata

from neuralrnn.models.plrnn.configuration_plrnn import ShallowPLRNNConfig
from neuralrnn.models.plrnn.modeling_plrnn import ShallowPLRNNModel

print("neuralrnn", metadata.version("neuralrnn"))
config = ShallowPLRNNConfig(latent_dim=3, hidden_dim=5, input_dim=2, freeze_recurrent=True, freeze_input=True)
model = ShallowPLRNNModel(config)
trainable = [name for name, value in model.named_parameters() if value.requires_grad and name.split(".")[-1] in ("W1", "W2", "C")]
print("trainable although frozen:", trainable)
assert len(trainable) == 3, "the behaviour has changed"
print("the recurrent and input kernels stay trainable, as described")
PYTHON
