"""Puts a two-layer LSTM that torch trained under the instruments, without torch.

    python -m examples.torch_two_layer_lstm

The file is what `safetensors.torch.save_file(net.state_dict(), path)` wrote after torch 2.13.0 had trained an `nn.LSTM` and an
`nn.Linear` to repeat their input five steps later (`python -m oracles.nets.trained`). `import_model` finds the two layers and the
readout. A net that does the task must still feel its inputs five steps later, so its products do not shrink up to that lag.
"""

from pathlib import Path

import jax
import numpy as np

import recurrent_lab as rl
from recurrent_lab.interop import import_model

PATH = Path(__file__).parent / "nets" / "torch_two_layer_lstm.safetensors"


def main(path: Path = PATH) -> tuple[rl.Growth, np.ndarray]:
  """Prints what is in the file, the growth rate of its products, and their norms by lag. Returns both."""
  model = import_model(path)
  xs = jax.random.normal(jax.random.key(0), (500, 1))
  norms = rl.product_log_norms(model.cell, model.params, xs)  # by lag, from 1 step on
  growth = rl.growth_rate(norms)
  print(model)
  print(f"growth rate: {growth.rate:.3f} nats per step, which is a memory of {-1 / growth.rate:.0f} steps")
  print(f"log norms of the products at lags 1, 5 and 20: {norms[0]:.2f}, {norms[4]:.2f}, {norms[19]:.2f}")
  return growth, np.asarray(norms)


if __name__ == "__main__":
  main()
