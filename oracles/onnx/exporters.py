"""Small recurrent models as torch, Keras and Paddle export them to ONNX."""

from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx

from oracles.oracle import weights

STEPS, BATCH, INPUTS, HIDDEN = 4, 2, 3, 4


class Exported(NamedTuple):
  """A model that an exporter wrote."""

  proto: onnx.ModelProto  # with all its weights inside
  exporter: str  # the package and its version, and how it was called
  feeds: dict[str, np.ndarray]
  slopes: np.ndarray | None  # the gradient of Σ weights ⊗ outputs by the inputs, by the library that trained the model


def loaded(path: Path) -> onnx.ModelProto:
  """Returns a model without what its exporter wrote about the machine: stack traces, comments and inferred shapes."""
  proto = onnx.load(path)
  parts = [proto, proto.graph, *proto.graph.node, *proto.graph.input, *proto.graph.output, *proto.graph.initializer]
  for part in parts:
    part.ClearField("metadata_props")
    part.ClearField("doc_string")
  proto.graph.ClearField("value_info")
  return proto


def inputs() -> np.ndarray:
  """Returns the inputs `[T, B, I]`."""
  return np.round(np.random.default_rng(0).normal(size=(STEPS, BATCH, INPUTS)), 4).astype(np.float32)


def by_torch(kind: str, dynamo: bool, **options: Any) -> Callable[[Path], Exported]:
  """Exports `torch.nn.KIND` by the exporter that traces graphs (dynamo) or by TorchScript."""

  def export(folder: Path) -> Exported:
    import torch

    torch.manual_seed(0)

    class Net(torch.nn.Module):
      def __init__(self) -> None:
        super().__init__()
        self.inner = getattr(torch.nn, kind)(INPUTS, HIDDEN, **options)

      def forward(self, x: Any) -> Any:
        return self.inner(x)[0]

    net, path = Net().eval(), folder / "torch.onnx"
    x = torch.tensor(inputs().swapaxes(0, 1) if options.get("batch_first") else inputs(), requires_grad=True)
    axes = {0: "first", 1: "second"}
    if dynamo:
      shapes = {"x": {axis: torch.export.Dim(name, min=2) for axis, name in axes.items()}}
      torch.onnx.export(net, (x.detach(),), path, dynamo=True, input_names=["x"], dynamic_shapes=shapes, verbose=False)
    else:
      torch.onnx.export(net, (x.detach(),), path, dynamo=False, input_names=["x"], dynamic_axes={"x": axes})
    found = net(x)
    simple = not options
    (found * torch.tensor(weights(tuple(found.shape)), dtype=found.dtype)).sum().backward()
    how = f"torch {metadata.version('torch')}, nn.{kind}, dynamo={dynamo}"
    return Exported(loaded(path), how, {"x": x.detach().numpy()}, x.grad.numpy() if simple else None)

  return export


def by_keras(kind: str, **options: Any) -> Callable[[Path], Exported]:
  """Exports a Keras model on TensorFlow."""

  def export(folder: Path) -> Exported:
    import keras
    import tensorflow  # noqa: F401 - the exporter's backend

    keras.utils.set_random_seed(0)
    layer = getattr(keras.layers, kind)(HIDDEN, return_sequences=True, **options)
    net = keras.Sequential([keras.Input((STEPS, INPUTS), name="x"), layer])
    net.set_weights([np.random.default_rng(1).normal(0, 0.5, w.shape) for w in net.get_weights()])
    net(inputs().swapaxes(0, 1))
    path = folder / "keras.onnx"
    net.export(path, format="onnx", verbose=False)
    name = onnx.load(path).graph.input[0].name
    how = f"keras {metadata.version('keras')}, layers.{kind}, tf2onnx {metadata.version('tf2onnx')}"
    return Exported(loaded(path), how, {name: inputs().swapaxes(0, 1)}, None)

  return export


def by_paddle(kind: str, **options: Any) -> Callable[[Path], Exported]:
  """Exports `paddle.nn.KIND`."""

  def export(folder: Path) -> Exported:
    import paddle

    paddle.seed(0)
    net = getattr(paddle.nn, kind)(INPUTS, HIDDEN, **options)
    net.eval()
    path = folder / "paddle"
    spec = paddle.static.InputSpec([None, None, INPUTS], "float32", "x")
    # The default tool for optimising installs packages while it runs.
    paddle.onnx.export(net, str(path), input_spec=[spec], opset_version=17, optimize_tool="None")
    how = f"paddlepaddle {metadata.version('paddlepaddle')}, nn.{kind}, paddle2onnx {metadata.version('paddle2onnx')}"
    return Exported(loaded(path.with_suffix(".onnx")), how, {"x": inputs().swapaxes(0, 1)}, None)

  return export


_DEEP = {"num_layers": 2, "bidirectional": True, "batch_first": True}

#: Models by name: the package, and the function that exports.
EXPORTERS: Mapping[str, tuple[str, Callable[[Path], Exported]]] = {
  **{
    f"torch_{kind.lower()}_{'dynamo' if dynamo else 'script'}": ("torch", by_torch(kind, dynamo))
    for kind in ("LSTM", "GRU", "RNN")
    for dynamo in (True, False)
    if (kind, dynamo) != ("RNN", True)  # writes no RNN node: findings/torch_onnx_dynamic_length.sh
  },
  **{
    f"torch_deep_{kind.lower()}_{'dynamo' if dynamo else 'script'}": ("torch", by_torch(kind, dynamo, **_DEEP))
    for kind in ("LSTM", "GRU")
    for dynamo in (True, False)
  },
  # tf2onnx writes GRU, SimpleRNN and an LSTM with other gates as a Loop without recurrent nodes.
  "keras_lstm": ("keras", by_keras("LSTM")),
  # paddle2onnx loses SimpleRNN: findings/paddle2onnx_simple_rnn.sh.
  **{f"paddle_{kind.lower()}": ("paddle", by_paddle(kind)) for kind in ("LSTM", "GRU")},
  "paddle_deep_lstm": ("paddle", by_paddle("LSTM", num_layers=2, direction="bidirect")),
}
