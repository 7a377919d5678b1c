"""Files that are damaged, hostile or of another format are refused by one sentence, before anything is imported."""

import io
import json
from pathlib import Path
import pickle
import struct
import zipfile

import numpy as np
import pytest

from recurrent_lab.interop import get_layout, import_model, load, save

h5py = pytest.importorskip("h5py", reason="it is in the extra interop")

GOLDEN = Path(__file__).parent / "golden" / "nets"
LSTM = {
  "rnn.weight_ih_l0": np.ones((20, 3), np.float32),
  "rnn.weight_hh_l0": np.ones((20, 5), np.float32),
}


def golden(name):
  return (GOLDEN / name).read_bytes()


def header(entries, data=b""):
  """A safetensors file with any header."""
  text = json.dumps(entries).encode()
  return struct.pack("<Q", len(text)) + text + data


def hdf5(write):
  """An HDF5 file that a function of its root writes."""
  memory = io.BytesIO()
  with h5py.File(memory, "w") as file:
    write(file)
  return memory.getvalue()


def archive(members, compression=zipfile.ZIP_STORED):
  memory = io.BytesIO()
  with zipfile.ZipFile(memory, "w", compression) as file:
    for name, content in members.items():
      file.writestr(name, content)
  return memory.getvalue()


def rewritten(name, change):
  """A `.keras` file whose members are changed."""
  with zipfile.ZipFile(GOLDEN / name) as file:
    return archive(change({info.filename: file.read(info) for info in file.infolist()}))


def with_config(change):
  """The file of the chain of layers with a changed configuration."""

  def changed(members):
    config = json.loads(members["config.json"])
    change(config["config"]["layers"])
    return {**members, "config.json": json.dumps(config)}

  return rewritten("keras_chain.keras", changed)


def with_arrays(change):
  """The file of the chain of layers with changed arrays."""

  def changed(members):
    memory = io.BytesIO(members["model.weights.h5"])
    with h5py.File(memory, "a") as file:
      change(file)
    return {**members, "model.weights.h5": memory.getvalue()}

  return rewritten("keras_chain.keras", changed)


def npy(array):
  memory = io.BytesIO()
  np.save(memory, array, allow_pickle=True)
  return memory.getvalue()


class Call:
  """An object whose pickle would call a function."""

  def __reduce__(self):
    return pytest.fail, ("a pickle was loaded",)


def external(file):
  file["layers"] = h5py.ExternalLink("other.h5", "/")


def virtual(file):
  layout = h5py.VirtualLayout((2, 2), "f4")
  layout[...] = h5py.VirtualSource("other.h5", "data", (2, 2))
  file.create_virtual_dataset("layers/lstm/cell/vars/0", layout)


def circle(file):
  group = file.create_group("layers/lstm")
  group["layers"] = file["layers"]


def deep(file):
  file.create_group("/".join("a" * 60))


def unwritten(file):
  file.create_dataset("layers/lstm/cell/vars/0", (10**6, 10**6), "f4", chunks=(100, 100))


def compressed(file):
  file.create_dataset("layers/lstm/cell/vars/0", data=np.zeros((2000, 2000), np.float32), compression="gzip")


def texts(file):
  file["layers/lstm/cell/vars/0"] = ["a", "b"]


def edited(field, value, layer=1):
  return with_config(lambda layers: layers[layer]["config"].update({field: value}))


DAMAGED = {
  # Another format than the name says.
  "hdf5.safetensors": (lambda: hdf5(texts), "is an HDF5 file; its name promises a safetensors file"),
  "zip.safetensors": (lambda: golden("keras_chain.keras"), "is a zip archive; its name promises a safetensors file"),
  "pickled.safetensors": (lambda: pickle.dumps(Call()), "is a pickle, which can run code"),
  "empty.safetensors": (lambda: b"", "is an empty file; its name promises a safetensors file"),
  "text.keras": (lambda: b"no archive at all", "is of another format; its name promises a zip archive"),
  "npz.keras": (lambda: golden("nnx_gru.npz"), "config.json is missing"),
  "keras.npz": (lambda: golden("keras_chain.keras"), "no npz file: it holds metadata.json"),
  "torch.npz": (
    lambda: archive({"net/data.pkl": pickle.dumps(Call())}),
    "is a checkpoint of torch, which can run code",
  ),
  "torch.keras": (lambda: archive({"net/data.pkl": pickle.dumps(Call())}), "is a checkpoint of torch"),
  "safetensors.weights.h5": (
    lambda: golden("torch_lstm.safetensors"),
    "is a safetensors file; its name promises an HDF5",
  ),
  "pickled.msgpack": (lambda: pickle.dumps(Call()), "is a pickle, which can run code"),
  # Truncated.
  "cut.safetensors": (lambda: golden("torch_lstm.safetensors")[:-8], "not a valid safetensors file"),
  "cut.npz": (lambda: golden("nnx_gru.npz")[:-30], "not a valid npz file"),
  "cut.keras": (lambda: golden("keras_chain.keras")[:-30], "not a valid .keras file"),
  "cut.weights.h5": (lambda: golden("keras_plain.weights.h5")[:2000], "not a valid HDF5 file"),
  "cut.msgpack": (lambda: golden("linen_simple.msgpack")[:200], "not a valid msgpack file"),
  "cut_inside.keras": (
    lambda: rewritten("keras_chain.keras", lambda m: {**m, "model.weights.h5": m["model.weights.h5"][:3000]}),
    "model.weights.h5 is not a valid HDF5 file",
  ),
  # Huge declared sizes.
  "huge.safetensors": (
    lambda: header({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 8]}}, bytes(8)),
    "not a valid safetensors file",
  ),
  "huge_header.safetensors": (lambda: struct.pack("<Q", 2**40) + b"{}", "is of another format"),
  "huge_empty.safetensors": (
    lambda: header({"a": {"dtype": "F32", "shape": [0, 2**60, 4], "data_offsets": [0, 0]}}),
    "a has shape .*, which is too large",
  ),
  "huge.npz": (
    lambda: archive({"a.npy": npy(np.zeros(3, np.float32)).replace(b"(3,), }     ", b"(3000000,), }")}),
    "declares shape .* which does not fit",
  ),
  "bomb.npz": (lambda: archive({"a.npy": bytes(2**23)}, zipfile.ZIP_DEFLATED), "over the limit of 4000000"),
  "bomb.keras": (
    lambda: archive({"config.json": "{}", "model.weights.h5": bytes(2**23)}, zipfile.ZIP_DEFLATED),
    "over the limit of 4000000",
  ),
  "unwritten.weights.h5": (lambda: hdf5(unwritten), "declares shape .* but the file holds 0 bytes"),
  "compressed.weights.h5": (lambda: hdf5(compressed), "over the limit of 4000000"),
  # What else such files can hold.
  "link.weights.h5": (lambda: hdf5(external), "layers is a link to another place"),
  "virtual.weights.h5": (lambda: hdf5(virtual), "is stored in another file"),
  "circle.weights.h5": (lambda: hdf5(circle), "stands at two places"),
  "deep.weights.h5": (lambda: hdf5(deep), "over 40 levels"),
  "texts.weights.h5": (lambda: hdf5(texts), "has dtype object; only arrays of numbers"),
  "objects.npz": (lambda: archive({"a.npy": npy(np.array([Call()], object))}), "has dtype object; only arrays"),
  "half.npz": (lambda: archive({"a.npy": npy(np.zeros(2, "V2"))}), "npz files lose bfloat16"),
  "eighth.safetensors": (
    lambda: header({"a": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}, bytes(4)),
    "is stored in F8_E4M3; the lab reads floats of 16 bits or more",
  ),
  "twice.npz": (lambda: _twice(), "two files of the same name"),
  "text.msgpack": (lambda: b"\x81\xa1a\xa1b", "There are no arrays"),
  # A configuration that is not Keras' own, and arrays that do not fit it.
  "no_json.keras": (
    lambda: rewritten("keras_chain.keras", lambda m: {**m, "config.json": "[" * 10**5}),
    "not a valid .keras file",
  ),
  "no_layers.keras": (
    lambda: rewritten("keras_chain.keras", lambda m: {**m, "config.json": '{"class_name": "Sequential"}'}),
    "not as Keras writes it: 'config'",
  ),
  "custom.keras": (
    lambda: edited("activation", {"class_name": "function", "config": "mine"}),
    "memory has activation 'mine'; import_model reads tanh",
  ),
  "unknown.keras": (
    lambda: edited("recurrent_activation", "silu"),
    "memory has recurrent_activation 'silu'; import_model reads",
  ),
  "units.keras": (lambda: edited("units", 7), "its arrays have 4 blocks of 4 units; its configuration is a LSTM of 7"),
  "bias.keras": (lambda: edited("use_bias", False), "has an array layers/lstm/cell/vars/2"),
  "foreign.keras": (
    lambda: with_config(lambda layers: layers[1].update(module="my.layers")),
    r"memory \(my.layers.LSTM\) has recurrent cells inside",
  ),
  "between.keras": (
    lambda: with_config(lambda layers: layers[2].update(class_name="LayerNormalization")),
    r"dropout \(LayerNormalization\) stands between memory and",
  ),
  "missing.keras": (
    lambda: with_arrays(lambda file: file.__delitem__("layers/gru/cell/vars/1")),
    "recurrent_kernel. is missing",
  ),
  "renamed.keras": (
    lambda: with_arrays(lambda file: file["layers/lstm/vars"].attrs.__setitem__("name", "other")),
    "belong to other, but the configuration has memory",
  ),
  "exchanged.keras": (
    lambda: with_arrays(
      lambda file: (
        file.move("layers/lstm/cell/vars/0", "x"),
        file.move("layers/lstm/cell/vars/1", "layers/lstm/cell/vars/0"),
        file.move("x", "layers/lstm/cell/vars/1"),
      )
    ),
    "memory: .* they look exchanged",
  ),
  # By their suffix.
  "net.pt": (lambda: pickle.dumps(Call()), "is not read, since such files are pickles.* safetensors.torch.save_file"),
  "net.pth": (lambda: pickle.dumps(Call()), "safetensors.torch.save_file"),
  "net.bin": (lambda: golden("torch_lstm.safetensors"), "safetensors.torch.save_file"),
  "net.pkl": (lambda: pickle.dumps(Call()), "safetensors.torch.save_file"),
  "net.pdparams": (lambda: pickle.dumps(Call()), "safetensors.paddle.save_file"),
  "net.eqx": (lambda: b"", "tree_deserialise_leaves"),
  "net.h5": (lambda: hdf5(texts), "older format of Keras"),
  "net.tflite": (lambda: b"", "none of the suffixes that import_model reads: .keras"),
}


def _twice():
  """An npz file with two arrays of one name."""
  one = archive({"a.npy": npy(np.zeros(2, np.float32)), "b.npy": npy(np.zeros(2, np.float32))})
  return one.replace(b"b.npy", b"a.npy")


@pytest.mark.parametrize("name", DAMAGED)
def test_a_bad_file_is_refused_by_one_sentence(name, tmp_path):
  make, message = DAMAGED[name]
  (tmp_path / name).write_bytes(make())
  with pytest.raises(ValueError, match=message) as refused:
    import_model(tmp_path / name, limit=4_000_000)
  said = str(refused.value)
  assert said.endswith(".")
  assert "\n" not in said


def test_a_folder_and_a_file_that_is_not_there_are_refused(tmp_path):
  for suffix in ("safetensors", "msgpack", "onnx"):
    (tmp_path / f"model.{suffix}").mkdir()
    with pytest.raises(ValueError, match=rf"model.{suffix} is a folder"):
      import_model(tmp_path / f"model.{suffix}")
  with pytest.raises(FileNotFoundError, match=r"gone\.keras"):
    import_model(tmp_path / "gone.keras")


def test_a_larger_limit_reads_more(tmp_path):
  save(tmp_path / "net.safetensors", LSTM)
  with pytest.raises(ValueError, match="over the limit of 100; limit=… allows more"):
    import_model(tmp_path / "net.safetensors", limit=100)
  assert import_model(tmp_path / "net.safetensors", limit=10**4).layers[0].output_size == 5


def without(*names):
  return {name: array for name, array in TWO_LAYERS.items() if name not in names}


TWO_LAYERS = {
  f"rnn.{name}_l{layer}": np.ones(shape, np.float32)
  for layer, inputs in ((0, 3), (1, 5))
  for name, shape in (
    ("weight_ih", (15, inputs)),
    ("weight_hh", (15, 5)),
    ("bias_ih", (15,)),
    ("bias_hh", (15,)),
  )
}

GRU_OF_FLAX = [part.name for part in get_layout("flax.linen.GRUCell").parts]

WRONG_ARRAYS = {
  "no layer 0": (
    without(*(name for name in TWO_LAYERS if name.endswith("l0"))),
    "rnn layer 0 is missing; the arrays have",
  ),
  "no kernel": (
    without("rnn.weight_hh_l1"),
    "rnn layer 1: weight_hh is missing; given are bias_hh, bias_ih, weight_ih",
  ),
  "no bias": (without("rnn.bias_hh_l1"), "rnn layer 1: torch.nn.GRU also needs bias_hh"),
  "one direction of one layer": (
    {**TWO_LAYERS, **{f"{name}_reverse": array for name, array in TWO_LAYERS.items() if "l1" in name}},
    "rnn layer 0_reverse is missing",
  ),
  "mixed precisions in a layer": (
    {**TWO_LAYERS, "rnn.bias_ih_l0": np.ones(15, np.float16)},
    "dtype float16, float32; they need one floating dtype",
  ),
  "mixed precisions of layers": (
    {name: array.astype(np.float16) if "l1" in name else array for name, array in TWO_LAYERS.items()},
    r"different dtypes.*\(rnn layer 0: float32; rnn layer 1: float16\)",
  ),
  "integers": ({name: array.astype(int) for name, array in TWO_LAYERS.items()}, "dtype int64; they need one floating"),
  "exchanged kernels": (
    {**LSTM, "rnn.weight_ih_l0": LSTM["rnn.weight_hh_l0"], "rnn.weight_hh_l0": LSTM["rnn.weight_ih_l0"]},
    r"rnn layer 0: .* \(5, 20\) and the recurrent one \(3, 20\), as \(in, out\); they look exchanged",
  ),
  "transposed kernels": ({name: array.T for name, array in LSTM.items()}, "they look transposed"),
  "layers in another order": (
    {name.translate(str.maketrans("01", "10")): array for name, array in TWO_LAYERS.items()},
    "rnn layer 1 takes 3 numbers per step, but the layer below puts out 5",
  ),
  "a projection without its kernel": (
    {**LSTM, "rnn.weight_hh_l0": np.ones((20, 2), np.float32)},
    "LSTM with a projection, which is missing",
  ),
  "a projection of another size": (
    {**LSTM, "rnn.weight_hr_l0": np.ones((2, 5), np.float32)},
    r"weight_hh has shape \(20, 5\); with 5 units and 2 outputs it is \(20, 2\)",
  ),
  "a computed weight": (
    {**LSTM, "rnn.parametrizations.weight_hh_l0.original": LSTM["rnn.weight_hh_l0"]},
    "a part from which torch computes a weight",
  ),
  "no recurrent layer": (
    {"fc.weight": np.ones((2, 3), np.float32)},
    "No recurrent layer is found by name among fc.weight",
  ),
  "arrays without names": (list(TWO_LAYERS.values()), "No recurrent layer is found by name among 0, 1, 2"),
  "params of the lab": ({"0.input_kernel": np.ones((2, 3))}, "the lab's own params; use load and from_named"),
  "nothing": ({}, "There are no arrays"),
  "two nets": (
    {name.replace("rnn", module): array for module in ("encoder", "decoder") for name, array in LSTM.items()},
    "do not say how they are connected: decoder, encoder. Choose some with layers",
  ),
  "a direction without the other": (
    {f"forward_rnn.{name}": array for name, array in LSTM.items()},
    "but backward_rnn.rnn is missing",
  ),
  "a missing gate of Flax": (
    {f"net/{name}": np.ones((3, 3)) for name in GRU_OF_FLAX if name != "hz/kernel"},
    "net: flax.linen.GRUCell also needs hz/kernel; given are hn/bias",
  ),
}


@pytest.mark.parametrize("case", WRONG_ARRAYS)
def test_arrays_that_are_no_net_are_refused_by_one_sentence(case):
  arrays, message = WRONG_ARRAYS[case]
  with pytest.raises(ValueError, match=message) as refused:
    import_model(arrays)
  assert "\n" not in str(refused.value)


def test_named_arrays_are_loaded_as_carefully(tmp_path):
  path = tmp_path / "net.safetensors"
  path.write_bytes(pickle.dumps({"w": 1}))
  with pytest.raises(ValueError, match="is a pickle, which can run code"):
    load(path)
