"""Puts a net in a `.keras` file under the instruments, without Keras.

    python -m examples.keras_file

Keras 3.15.1 trained the GRU in the file to repeat its input five steps later (`python -m oracles.nets.trained`). To see what
training did to its memory, the same instrument measures a GRU of the same size at the lab's own initialisation.
"""

from pathlib import Path

import jax
import numpy as np

import recurrent_lab as rl
from recurrent_lab.interop import import_model

PATH = Path(__file__).parent / "nets" / "gru.keras"
STEPS, STARTS = 60, 20


def main(path: Path = PATH) -> dict[str, np.ndarray]:
  """Prints the first lag at which the mean log norm of Jacobian products is below -1. Returns the mean log norms by lag."""
  model = import_model(path, readout=False)
  print(model)
  xs = jax.random.normal(jax.random.key(0), (STARTS, STEPS, 1))
  nets = {"trained": model.params, "untrained": model.cell.init(jax.random.key(1), 1, model.layers[0].output_size)}
  norms = {}
  for name, params in nets.items():
    norms[name] = np.mean([rl.product_log_norms(model.cell, params, one) for one in xs], axis=0)
    print(f"{name}: products are below 1/e from lag {1 + np.argmax(norms[name] < -1)} on")
  return norms


if __name__ == "__main__":
  main()
