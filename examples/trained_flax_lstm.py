"""Measures the Lyapunov spectrum of an LSTM that was built and trained with Flax.

    python -m examples.trained_flax_lstm

Flax and Optax train an LSTM to repeat its input ten steps later. `from_flax` then turns the module into a `Cell`, so that the
instruments run Flax's own code on Flax's parameters, before and after training. An exponent λ < 0 means a memory of 1/|λ| steps.
The task needs memory, so training should move the largest exponents closer to 0.
"""

from collections.abc import Sequence

from absl import app, flags
from flax import linen as nn
import jax
from jaxtyping import Array
import numpy as np
import optax

import recurrent_lab as rl
from recurrent_lab.interop import from_flax

UPDATES = flags.DEFINE_integer("updates", 1000, "Number of training updates.", lower_bound=1)
SEED = flags.DEFINE_integer("seed", 0, "Seed of the parameters and the data.")

UNITS, BATCH, STEPS = 32, 32, 2000
TASK = rl.tasks.get_task("delayed_copy", 10)


class Model(nn.Module):
  """An LSTM with a readout, in plain Flax."""

  def setup(self) -> None:
    self.rnn = nn.RNN(nn.LSTMCell(UNITS), time_major=True)
    self.readout = nn.Dense(TASK.output_size)

  def __call__(self, xs: Array) -> Array:
    return self.readout(self.rnn(xs))


def train(model: Model, params: dict, updates: int, key: Array) -> tuple[dict, float]:
  """Trains the model. Returns the trained parameters and the last loss."""
  optimiser = optax.adam(1e-2)

  def update(carry: tuple, key: Array) -> tuple[tuple, Array]:
    params, state = carry
    batch = TASK.sample(key, BATCH)
    loss = lambda params: TASK.loss(model.apply({"params": params}, batch.inputs), batch)
    value, gradient = jax.value_and_grad(loss)(params)
    change, state = optimiser.update(gradient, state)
    return (optax.apply_updates(params, change), state), value

  run = jax.jit(lambda params, keys: jax.lax.scan(update, (params, optimiser.init(params)), keys))
  (params, _), losses = run(params, jax.random.split(key, updates))
  return params, float(losses[-1])


def spectrum(params: dict, key: Array) -> rl.LyapunovSpectrum:
  """Returns the Lyapunov spectrum of the model's LSTM, driven by one long random sequence of inputs."""
  cell = from_flax(nn.LSTMCell(UNITS))
  xs = TASK.sample(key, STEPS // TASK.steps + 1).inputs.swapaxes(0, 1).reshape(-1, TASK.input_size)[:STEPS]
  return rl.lyapunov_spectrum(cell, params["rnn"]["cell"], xs, burn_in=100)


def main(argv: Sequence[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f"Argument {argv[1]!r} is not a flag.")
  k_init, k_train, k_test = jax.random.split(jax.random.key(SEED.value), 3)
  model = Model()
  untrained = model.init(k_init, TASK.sample(k_test, BATCH).inputs)["params"]
  trained, loss = train(model, untrained, UPDATES.value, k_train)
  print(f"loss {loss:.4f} after {UPDATES.value} updates; {TASK.baseline:.4f} without a look at the inputs")
  for name, params in (("untrained", untrained), ("trained", trained)):
    found = spectrum(params, k_test)
    largest = ", ".join(f"{rate:.3f}" for rate in np.asarray(found.exponents[:5]))
    memory = int(np.sum(np.asarray(found.exponents) > -1 / 10))
    print(f"{name:>9}: λ = {largest}, ... nats per step; {memory} of {2 * UNITS} directions last 10 steps;", end=" ")
    print(f"certificate {float(found.residual):.1e}")


if __name__ == "__main__":
  app.run(main)
