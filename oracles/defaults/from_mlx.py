"""MLX: its recurrent layers."""

from mlx import nn
import mlx.core as mx
import numpy as np

from oracles.defaults.statistics import Fields

PACKAGE = "mlx"


def layer(kind: str, names: dict[str, str]):
  """Returns the draws of a layer. `names` maps fields of the lab to those of the layer."""

  def draw(seed: int, inputs: int, units: int) -> Fields:
    mx.random.seed(seed)
    module = getattr(nn, kind)(inputs, units)
    return {field: np.array(module[name]).T for field, name in names.items()}

  return draw


GATED = {"input_kernel": "Wx", "recurrent_kernel": "Wh"}
CLASSES = {
  "mlx.nn.LSTM": layer("LSTM", {**GATED, "bias": "bias"}),
  "mlx.nn.GRU": layer("GRU", {**GATED, "bias": "b", "recurrent_bias": "bhn"}),
  "mlx.nn.RNN": layer("RNN", {"input_kernel": "Wxh", "recurrent_kernel": "Whh", "bias": "bias"}),
}
