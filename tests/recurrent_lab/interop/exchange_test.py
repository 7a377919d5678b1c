"""Params as named arrays and as files of safetensors."""

import subprocess
import sys

import jax
import numpy as np
import pytest

import recurrent_lab as rl
from recurrent_lab.interop import export_weights, from_named, import_weights, load, save, to_named


def test_names_are_paths(key):
  params = rl.stack(rl.get_cell("rnn"), rl.learned_state(rl.get_cell("lstm"))).init(key, 3, 5)
  assert list(to_named(params)) == [
    "0.input_kernel",
    "0.recurrent_kernel",
    "0.bias",
    "1.cell.input_kernel",
    "1.cell.recurrent_kernel",
    "1.cell.bias",
    "1.state.hidden",
    "1.state.cell",
  ]
  assert list(to_named(np.zeros(3))) == ["params"]


def test_a_file_gives_back_what_was_saved(key, tmp_path):
  cell = rl.stack(rl.get_cell("gru"), rl.get_cell("lstm"))
  params = cell.init(key, 3, 5, bias_scale=0.3)
  save(tmp_path / "net.safetensors", to_named(params))
  back = from_named(jax.eval_shape(lambda: cell.init(key, 3, 5)), load(tmp_path / "net.safetensors"))
  jax.tree.map(np.testing.assert_array_equal, back, params)


def test_torch_reads_a_file_of_the_lab(key, tmp_path):
  torch = pytest.importorskip("torch", reason="torch is not installed")
  safetensors_torch = pytest.importorskip("safetensors.torch", reason="torch is not installed")
  params = rl.get_cell("lstm").init(key, 3, 5, bias_scale=0.3)
  save(tmp_path / "lstm.safetensors", export_weights("torch.nn.LSTM", params))
  module = torch.nn.LSTM(3, 5)
  module.load_state_dict(safetensors_torch.load_file(tmp_path / "lstm.safetensors"))
  safetensors_torch.save_file(module.state_dict(), tmp_path / "back.safetensors")
  jax.tree.map(
    np.testing.assert_array_equal, import_weights("torch.nn.LSTM", load(tmp_path / "back.safetensors")), params
  )


def test_arrays_of_another_net_are_refused(key):
  params = rl.get_cell("gru").init(key, 3, 5)
  arrays = to_named(params)
  with pytest.raises(ValueError, match="The array extra is unknown; the params have input_kernel"):
    from_named(params, arrays | {"extra": np.zeros(3)})
  with pytest.raises(ValueError, match="The array bias is missing"):
    from_named(params, {name: array for name, array in arrays.items() if name != "bias"})
  with pytest.raises(ValueError, match=r"The array bias has shape \(3,\); the params have \(15,\)"):
    from_named(params, arrays | {"bias": np.zeros(3)})


def test_the_lab_imports_no_other_library():
  program = """import sys, recurrent_lab, recurrent_lab.interop
loaded = {"flax", "haiku", "equinox", "torch", "keras", "safetensors"} & set(sys.modules)
assert not loaded, loaded"""
  subprocess.run([sys.executable, "-c", program], check=True)
