"""Puts the recurrent nodes of an ONNX model under the instruments, in under ten lines.

    python -m examples.onnx_model model.onnx

Prints the growth rate of every LSTM, GRU and RNN node along white noise, and the memory −1/rate in steps. Without a path, the
model is an LSTM that this script writes itself, biased to remember.
"""

from pathlib import Path
import sys
import tempfile

import jax

import recurrent_lab as rl
from recurrent_lab.interop import from_onnx, to_onnx

STEPS = 200


def measure(path: Path) -> dict[str, float]:
  """Returns the growth rate of the Jacobian products of every recurrent node, in nats per step."""
  rates = {}
  for name, cell, params, fed in from_onnx(path):
    xs = jax.random.normal(jax.random.key(0), (STEPS, params.input_kernel.shape[0]))
    rates[f"{name} ({fed.operator}, {fed.direction})"] = float(
      rl.growth_rate(rl.product_log_norms(cell, params, xs)).rate
    )
  return rates


def remembering() -> rl.LSTMParams:
  """Draws an LSTM whose forget gates are almost open."""
  return rl.lstm().init(jax.random.key(1), 3, 16, forget_bias=3.0)


def main(argv: list[str], folder: Path) -> dict[str, float]:
  """Measures the model at the given path, or one that is written to the folder."""
  if not argv:
    to_onnx(rl.lstm(), remembering(), folder / "model.onnx")
  rates = measure(Path(argv[0]) if argv else folder / "model.onnx")
  for name, rate in rates.items():
    print(
      f"{name}: rate {rate:+.3f} nats per step, memory {-1 / rate:.1f} steps"
      if rate < 0
      else f"{name}: grows at {rate:.3f}"
    )
  return rates


if __name__ == "__main__":
  with tempfile.TemporaryDirectory() as temporary:
    main(sys.argv[1:], Path(temporary))
