"""Reads the configuration of a `.keras` file: its layers, how they follow each other, and their nonlinearities.

Only names and numbers are taken from it. No object is made from it, so it cannot run code.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import re
from types import MappingProxyType
from typing import Any, NamedTuple

from recurrent_lab import parametric
from recurrent_lab.activations import Activation
from recurrent_lab.interop.modules.files import BadFile

#: Keras' nonlinearities by name. The hard sigmoid has slope 1/6, and the leaky relu 0.2.
ACTIVATIONS: Mapping[str, str | Activation] = MappingProxyType(
  {
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "relu": "relu",
    "linear": "identity",
    "softsign": "softsign",
    "hard_tanh": "hard_tanh",
    "hard_sigmoid": parametric.hard_sigmoid(1 / 6, 0.5),
    "leaky_relu": parametric.leaky_relu(0.2),
    "elu": parametric.elu(1.0),
    "softplus": parametric.softplus(),
  }
)
CELLS = ("LSTM", "GRU", "SimpleRNN")  # layers, and with "Cell" behind them what RNN runs
# Layers that leave numbers as they are when the net is not trained.
UNCHANGED = {
  "ActivityRegularization",
  "Dropout",
  "GaussianDropout",
  "GaussianNoise",
  "InputLayer",
  "Masking",
  "SpatialDropout1D",
}


class Node(NamedTuple):
  """A layer of the model.

  Attributes:
    name: Keras' name, which the user gave or which counts.
    kind: the name of its class; with `registered` for a class that is not Keras' own.
    config: its configuration.
    path: where its arrays are in the HDF5 file.
    parents: the names of the layers whose outputs it takes.
  """

  name: str
  kind: str
  config: Mapping[str, Any]
  path: str
  parents: tuple[str, ...]


def nodes(config: Any) -> tuple[Node, ...]:
  """Returns the layers of a Sequential or Functional model, in the order of the file. Empty for a model of another class.

  Raises:
    BadFile: for a configuration without the fields that Keras writes.
  """
  with as_written():
    if config["class_name"] not in ("Sequential", "Functional"):
      return ()
    found: list[Node] = []
    count: dict[str, int] = {}
    for entry in config["config"]["layers"]:
      own, stem = entry["config"], snake(entry["class_name"])
      number = count[stem] = count.get(stem, -1) + 1
      path = f"layers/{stem}_{number}" if number else f"layers/{stem}"
      before = tuple(node.name for node in found[-1:])
      parents = before if config["class_name"] == "Sequential" else _parents(entry.get("inbound_nodes", []))
      found.append(Node(str(entry.get("name") or own["name"]), class_of(entry), own, path, parents))
    return tuple(found)


@contextmanager
def as_written() -> Iterator[None]:
  """Turns the errors of a configuration without the fields that Keras writes into a `BadFile`."""
  try:
    yield
  except (KeyError, TypeError, AttributeError, IndexError) as error:
    raise BadFile(f"The configuration of the model is not as Keras writes it: {error}.") from error


def class_of(entry: Any) -> str:
  """Returns the name of a layer's class. A class that is not Keras' own has its module before it, and so fits no name here."""
  module, kind = str(entry["module"]), str(entry["class_name"])
  return kind if module == "keras" or module.startswith("keras.") else f"{module}.{kind}"


def activation(name: str, field: str, value: Any) -> str | Activation:
  """Returns the lab's nonlinearity for an entry of a configuration.

  Raises:
    BadFile: for a nonlinearity that is not one of `ACTIVATIONS`, or one that is a function of the user's.
  """
  if value is None:
    return "identity"
  if isinstance(value, Mapping):
    inner = value.get("config")
    value = inner if isinstance(inner, str) else value.get("class_name")
  elif value in ACTIVATIONS:
    return ACTIVATIONS[value]
  raise BadFile(f"{name} has {field} {value!r}; import_model reads {', '.join(ACTIVATIONS)}.")


def matters(node: Node) -> bool:
  """Returns False for a layer that leaves numbers as they are when the net is not trained."""
  is_linear = node.kind == "Activation" and node.config.get("activation") in (None, "linear")
  return node.kind not in UNCHANGED and not is_linear


def policy(config: Mapping[str, Any]) -> str:
  """Returns the name of the dtype or the dtype policy of a layer."""
  dtype = config.get("dtype")
  return str(dtype.get("config", {}).get("name", "")) if isinstance(dtype, Mapping) else str(dtype or "")


def _parents(inbound: Any) -> tuple[str, ...]:
  """Returns the layers whose outputs a layer takes, once for each call and tensor."""
  if len(inbound) > 1:
    raise BadFile("A layer of the model is called twice; import_model reads models that call each layer once.")
  return tuple(_history(inbound[0]["args"])) + tuple(_history(_states(inbound[0]["kwargs"]))) if inbound else ()


def _states(kwargs: Mapping[str, Any]) -> list[Any]:
  """Returns the tensors among the keyword arguments other than masks."""
  return [value for key, value in kwargs.items() if key != "mask"]


def _history(value: Any) -> list[str]:
  """Returns the names of the layers behind all tensors in nested arguments. A second output, such as a state, has its number."""
  if isinstance(value, Mapping):
    if value.get("class_name") == "__keras_tensor__":
      name, _, output = value["config"]["keras_history"]
      return [f"{name}:{output}" if output else str(name)]
    return [name for inner in value.values() for name in _history(inner)]
  if isinstance(value, list):
    return [name for inner in value for name in _history(inner)]
  return []


def snake(name: str) -> str:
  """Spells a class as Keras does in the paths of its HDF5 files: `simple_rnn` for SimpleRNN."""
  name = re.sub(r"\W+", "", name)
  name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
  return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
