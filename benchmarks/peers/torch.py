"""`torch.nn.LSTM`, `GRU` and `RNN`, forward and backward as a training loop calls them."""

import torch

from benchmarks import problem
from benchmarks.worker import Prepared

NETS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def make(cell: str, shape: tuple[int, ...], device: str = "cpu") -> Prepared:
  """Prepares value and gradient on the weights of the problem. The second bias is 0, except in the GRU's reset product.

  On a GPU, torch calls cuDNN. Its products are in full float32, as those of the others, and not in TF32.
  """
  torch.backends.cudnn.allow_tf32 = False
  shape = problem.Shape(*shape)
  p = problem.problem(cell, shape)
  net, xs = NETS[cell](shape.inputs, shape.hidden), torch.from_numpy(p.xs)
  with torch.no_grad():
    net.weight_ih_l0.copy_(torch.from_numpy(p.input_kernel.T.copy()))
    net.weight_hh_l0.copy_(torch.from_numpy(p.recurrent_kernel.T.copy()))
    net.bias_ih_l0.copy_(torch.from_numpy(p.bias))
    net.bias_hh_l0.zero_()
    if cell == "gru":
      net.bias_hh_l0[2 * shape.hidden :] = torch.from_numpy(p.recurrent_bias)

  net, xs = net.to(device), xs.to(device)

  def run() -> float:
    net.zero_grad(set_to_none=True)
    loss = net(xs)[0].square().mean()
    loss.backward()
    return loss.item()

  count = sum(parameter.numel() for parameter in net.parameters())
  return Prepared(run, lambda loss: problem.facts(cell, shape, loss, net.weight_hh_l0.grad.cpu().numpy(), count))
