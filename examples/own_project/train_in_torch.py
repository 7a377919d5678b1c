"""Trains two LSTMs in torch to hold a number for 30 steps, and writes their weights as safetensors files.

    python train_in_torch.py

This is the only step that needs torch. torch 2.13.0 wrote the files beside this script, on a CPU: `plain` starts as torch starts
an LSTM, and `open` with forget gates that are biased by 3. A sequence shows a number between -1 and 1 together with a mark, and
then 29 steps of noise without a mark. The last output should be the number. To answer 0 always has the mean squared error 1/3.
`answers` holds eight sequences, and what the second net answers to them.
"""

from pathlib import Path

from safetensors.torch import save_file
import torch
from torch import nn

UNITS, STEPS, BATCH, UPDATES, NOISE = 16, 30, 64, 1500, 0.3
FORGET_BIAS = {"plain": 0.0, "open": 3.0}
FOLDER = Path(__file__).parent


class Model(nn.Module):
  """An LSTM whose last output is read."""

  def __init__(self, forget_bias: float) -> None:
    super().__init__()
    self.lstm = nn.LSTM(2, UNITS)
    self.readout = nn.Linear(UNITS, 1)
    with torch.no_grad():  # torch stacks the gates as i, f, g, o
      self.lstm.bias_ih_l0[UNITS : 2 * UNITS] += forget_bias

  def forward(self, xs: torch.Tensor) -> torch.Tensor:
    return self.readout(self.lstm(xs)[0][-1])[:, 0]


def batch() -> tuple[torch.Tensor, torch.Tensor]:
  """Returns inputs `[T, B, 2]`, of value and mark, and the numbers to hold `[B]`."""
  xs = torch.zeros(STEPS, BATCH, 2)
  xs[:, :, 0] = NOISE * torch.randn(STEPS, BATCH)
  xs[0, :, 0], xs[0, :, 1] = 2 * torch.rand(BATCH) - 1, 1
  return xs, xs[0, :, 0].clone()


def train(name: str) -> Model:
  """Trains one net and writes its weights."""
  torch.manual_seed(0)
  model = Model(FORGET_BIAS[name])
  adam = torch.optim.Adam(model.parameters(), 1e-2)
  for update in range(UPDATES):
    xs, numbers = batch()
    loss = torch.mean((model(xs) - numbers) ** 2)
    adam.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    adam.step()
    if update % 300 == 0 or update == UPDATES - 1:
      print(f"{name}: update {update}, mean squared error {loss.item():.4f}")
  save_file(model.state_dict(), FOLDER / f"{name}.safetensors")
  return model


def main() -> None:
  for name in FORGET_BIAS:
    model = train(name)
  xs, _ = batch()
  with torch.no_grad():
    answers = model(xs)[:8].clone()
  save_file({"inputs": xs[:, :8].clone(), "answers": answers}, FOLDER / "answers.safetensors")


if __name__ == "__main__":
  main()
