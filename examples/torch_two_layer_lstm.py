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


def main(path: Path = PATH) -> tuple[rl.LyapunovSpectrum, np.ndarray]:
  """Prints what is in the file, its largest exponents, and the norms of its products by lag. Returns both."""
  model = import_model(path)
  xs = jax.random.normal(jax.random.key(0), (500, 1))
  spectrum = rl.lyapunov_spectrum(model.cell, model.params, xs, burn_in=50)
  norms = np.asarray(rl.product_log_norms(model.cell, model.params, xs))  # by lag, from 1 step on
  print(model)
  print(f"largest exponents: {', '.join(f'{rate:.3f}' for rate in spectrum.exponents[:5])} nats per step")
  print(f"log norms of the products at lags 1, 5 and 20: {norms[0]:.2f}, {norms[4]:.2f}, {norms[19]:.2f}")
  return spectrum, norms


if __name__ == "__main__":
  main()
