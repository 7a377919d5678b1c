"""xlstm: the sLSTM of its layer, without the convolution and before the group norm."""

from importlib import metadata

import torch
from xlstm.blocks.slstm.layer import sLSTMLayer, sLSTMLayerConfig

from oracles.layouts.record import HIDDEN, draw, record

SWAPPED = "The layer feeds its input gate from `fgate` and its forget gate from `igate`."


def slstm(heads):
  def run(rng, xs):
    config = sLSTMLayerConfig(
      embedding_dim=HIDDEN, num_heads=heads, conv1d_kernel_size=0, dropout=0.0, backend="vanilla", dtype="float32"
    )
    layer = sLSTMLayer(config).eval()
    weights = {key: tensor for key, tensor in layer.state_dict().items() if "norm" not in key}
    arrays = {key: draw(rng, tuple(tensor.shape)) for key, tensor in weights.items()}
    layer.load_state_dict({**layer.state_dict(), **{key: torch.from_numpy(array) for key, array in arrays.items()}})
    layer.group_norm = Kept()
    wide = draw(rng, (*xs.shape[:2], HIDDEN))
    layer(torch.from_numpy(wide).swapaxes(0, 1))
    outputs = layer.group_norm.seen  # [B, heads, T, K]
    return arrays, outputs.permute(2, 0, 1, 3).reshape(*wide.shape).numpy(), wide

  return run


class Kept(torch.nn.Module):
  """Keeps what it is given, in place of the group norm."""

  def forward(self, outputs):
    self.seen = outputs
    return outputs


if __name__ == "__main__":
  torch.set_grad_enabled(False)
  runs = {"xlstm.sLSTMLayer": slstm(1), "xlstm.sLSTMLayer with 2 heads": slstm(2)}
  record("xlstm", metadata.version("xlstm"), runs, {name: [SWAPPED] for name in runs})
