"""Puts two LSTMs that torch trained under the instruments of the lab. torch need not be installed.

    python torch_net.py

`train_in_torch.py` trained them to hold a number for 30 steps. A net that does so still feels its first input at the end, so its
Jacobian products do not vanish over those steps.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
from jaxtyping import Array
import numpy as np

import recurrent_lab as rl
from recurrent_lab.interop import import_weights, load

FOLDER = Path(__file__).parent
LSTM = rl.get_cell("lstm")


class Net(NamedTuple):
  params: rl.LSTMParams
  weight: np.ndarray  # [1, H], of the readout
  bias: np.ndarray  # [1]


class Memory(NamedTuple):
  products: Array  # [T], ln ‖∏ J‖ by lag, nats
  exponents: Array  # largest first, nats per step
  slope: Array  # ∂answer/∂number


def read(path: Path) -> Net:
  """Reads the state dict of the model."""
  arrays = load(path)
  lstm = {name.removeprefix("lstm."): array for name, array in arrays.items() if name.startswith("lstm.")}
  return Net(import_weights("torch.nn.LSTM", lstm), arrays["readout.weight"], arrays["readout.bias"])


def answer(net: Net, xs: Array) -> Array:
  """Returns what the net says after inputs `[T, ..., I]`."""
  _, outputs = rl.unroll(LSTM, net.params, xs)
  return (outputs[-1] @ net.weight.T + net.bias)[..., 0]


@jax.jit
def memory(net: Net, xs: Array) -> Memory:
  """Measures one sequence `[T, I]`."""
  return Memory(
    products=rl.product_log_norms(LSTM, net.params, xs, norm="frobenius"),
    exponents=rl.lyapunov_spectrum(LSTM, net.params, xs, k=4).exponents,
    slope=jax.grad(partial(answer, net))(xs)[0, 0],
  )


def main() -> dict[str, Memory]:
  """Measures both nets on the same sequence."""
  xs = load(FOLDER / "answers.safetensors")["inputs"][:, 0]
  found = {name: memory(read(FOLDER / f"{name}.safetensors"), xs) for name in ("plain", "open")}
  for name, one in found.items():
    print(
      f"{name}: ∂answer/∂number {one.slope:+.3f}; ln ‖∏ J‖ over {len(xs) - 1} steps {one.products[-2]:+.2f}; "
      f"largest exponents {one.exponents[0]:+.3f} and {one.exponents[1]:+.3f} nats per step"
    )
  return found


if __name__ == "__main__":
  main()
