"""Foreign, damaged and oversized ONNX files, and weights in files beside them: one sentence each, and nothing half-imported."""

import io
import json
import os
import pickle
import struct
import zipfile

import jax
import numpy as np
from onnx import load_model, save_model
import pytest

import recurrent_lab as rl
from recurrent_lab.interop import from_onnx
from recurrent_lab.interop.onnx import _files
from tests.support.onnx_models import plain, refused


def zipped():
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, "w") as archive:
    archive.writestr("config.json", "{}")
  return buffer.getvalue()


HEADER = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
FOREIGN = {
  "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), r"model.onnx is not an ONNX model; it begins like an HDF5 file"),
  "zip": (zipped(), r"it begins like a zip archive \(.pt, .keras, .npz\)"),
  "pickle": (pickle.dumps({"a": 1}, protocol=4), "it begins like a pickle"),
  "safetensors": (struct.pack("<Q", len(HEADER)) + HEADER + bytes(4), "it begins like a safetensors file"),
  "JSON": (b'{"nodes": []}', "it begins like text in JSON"),
  "empty": (b"", "lacks a version, operators or an operator set"),
  "text": (b"this is no model at all", "is cut off or is not an ONNX model"),
  "zeros": (bytes(1000), "is cut off or is not an ONNX model"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_files_of_other_formats_are_named(kind, tmp_path):
  refused(*FOREIGN[kind], tmp_path)


def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path):
  whole = plain().SerializeToString()
  for size in range(0, len(whole), 7):
    refused(whole[:size], "is cut off or is not an ONNX model", tmp_path)


def test_a_file_whose_bytes_are_changed_is_read_or_refused_in_one_sentence():
  rng = np.random.default_rng(0)
  whole = bytearray(plain().SerializeToString())
  seen = []
  for _ in range(300):
    damaged = bytearray(whole)
    damaged[rng.integers(len(whole))] = rng.integers(256)
    try:
      (entry,) = from_onnx(_files.parse_model(bytes(damaged), "model.onnx"))
    except ValueError as error:
      seen.append(str(error))
    else:
      assert isinstance(entry.params, rl.LSTMParams | rl.cells.InputCoupledLSTMParams)
  assert len(seen) > 20
  assert not [sentence for sentence in seen if "\n" in sentence]


def test_sizes_are_bounded_before_reading(tmp_path):
  whole = plain().SerializeToString()
  refused(whole, rf"model.onnx has {len(whole)} bytes, more than max_bytes = 100", tmp_path, max_bytes=100)
  with pytest.raises(ValueError, match="is not a plain file"):
    from_onnx(tmp_path)
  os.mkfifo(tmp_path / "pipe.onnx")
  with pytest.raises(ValueError, match=r"pipe\.onnx is not a plain file"):
    from_onnx(tmp_path / "pipe.onnx")


@pytest.fixture
def external(tmp_path):
  """The path of a model whose weights lie in a file beside it."""
  path = tmp_path / "model.onnx"
  save_model(plain(), path, save_as_external_data=True, location="weights.data", size_threshold=0)
  return path


def change_entries(path, **values):
  changed = load_model(path, load_external_data=False)
  for tensor in changed.graph.initializer:
    for entry in tensor.external_data:
      entry.value = values.get(entry.key, entry.value)
  path.write_bytes(changed.SerializeToString())


def test_weights_beside_the_model_are_read(external):
  (entry,), (whole,) = from_onnx(external), from_onnx(plain())
  jax.tree.map(np.testing.assert_array_equal, entry.params, whole.params)


@pytest.mark.parametrize("location", ["/etc/hostname", "../weights.data", "sub/weights.data", "", ".", "missing.data"])
def test_weights_in_other_folders_are_refused(external, location):
  (external.parent / "sub").mkdir()
  (external.parent / "sub" / "weights.data").write_bytes(bytes(10_000))
  change_entries(external, location=location)
  with pytest.raises(ValueError, match=f"lies in '{location}'; only a plain file beside the model is read"):
    from_onnx(external)


def test_links_and_wrong_places_are_refused(external):
  target = external.parent / "weights.data"
  for values in ({"offset": "-1"}, {"offset": str(2**40)}, {"length": "3"}, {"length": str(2**50)}):
    kept = external.read_bytes()
    change_entries(external, **values)
    with pytest.raises(ValueError, match=r"needs \d+ bytes from -?\d+ on; weights.data has \d+"):
      from_onnx(external)
    external.write_bytes(kept)
  change_entries(external, offset="many")
  with pytest.raises(ValueError, match="an offset or a length that is not a number"):
    from_onnx(external)
  target.rename(external.parent / "elsewhere")
  target.symlink_to(external.parent / "elsewhere")
  with pytest.raises(ValueError, match="only a plain file beside the model is read"):
    from_onnx(external)
