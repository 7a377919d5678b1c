#!/usr/bin/env bash
# ncps 1.0.1: LTCCell.sensory_synapse_count counts the synapses between neurons, not those from the inputs.
#
# A fully connected wiring of 8 neurons with 3 inputs has 24 sensory synapses. Seen with ncps 1.0.1: the property gives 64, the
# number of synapses among the neurons, since it sums the inner adjacency matrix.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "torch==2.13.0" "numpy<3" "packaging"
"$folder/venv/bin/python" -m pip install --quiet --no-deps "ncps==1.0.1"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib import metadata

from ncps.torch.ltc_cell import LTCCell
from ncps.wirings import FullyConnected
import numpy as np

print("ncps", metadata.version("ncps"))
wiring = FullyConnected(8)
cell = LTCCell(wiring, 3)
sensory = int(np.sum(np.abs(wiring.sensory_adjacency_matrix)))
print(f"sensory synapses of the wiring: {sensory}; sensory_synapse_count: {int(cell.sensory_synapse_count)}")
assert sensory == 24 and int(cell.sensory_synapse_count) == 64, "the behaviour has changed"
print("the property counts the synapses among the neurons, as described")
PYTHON
