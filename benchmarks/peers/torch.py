"""`torch.nn.LSTM`, `GRU` and `RNN`, forward and backward as a training loop calls them."""

import numpy as np
import torch

from benchmarks import problem
from benchmarks.worker import Prepared

NETS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def make(cell: str, shape: tuple[int, ...], device: str = "cpu") -> Prepared:
  """Prepares value and gradient on the weights of the problem. The second bias is 0, except in the GRU's reset product.

  On a GPU, torch calls cuDNN. Its products are in full float32, as those of the others, and not in TF32.
  """
  torch.backends.cudnn.allow_tf32 = False
  shape, layers = problem.Shape(*shape), problem.LAYERS[cell]
  net = NETS[layers[0]](shape.inputs, shape.hidden, num_layers=len(layers))
  xs = torch.from_numpy(problem.problem(layers[0], shape).xs)
  with torch.no_grad():
    for i, (own, sizes) in enumerate(problem.layers(cell, shape)):
      p = problem.problem(own, sizes, seed=i)
      weights = dict(zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), net.all_weights[i], strict=True))
      weights["weight_ih"].copy_(torch.from_numpy(p.input_kernel.T.copy()))
      weights["weight_hh"].copy_(torch.from_numpy(p.recurrent_kernel.T.copy()))
      weights["bias_ih"].copy_(torch.from_numpy(p.bias))
      weights["bias_hh"].zero_()
      if own == "gru":
        weights["bias_hh"][2 * shape.hidden :] = torch.from_numpy(p.recurrent_bias)

  net, xs = net.to(device), xs.to(device)

  def run() -> float:
    net.zero_grad(set_to_none=True)
    loss = net(xs)[0].square().mean()
    loss.backward()
    return loss.item()

  count = sum(parameter.numel() for parameter in net.parameters())
  kernels = lambda: np.concatenate([weights[1].grad.cpu().numpy().ravel() for weights in net.all_weights])
  return Prepared(run, lambda loss: problem.facts(cell, shape, loss, kernels(), count))
