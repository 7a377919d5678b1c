"""Weights of other libraries compute here what their own packages computed, in the numbers that `make oracles-layouts` keeps."""

import numpy as np
import pytest

from oracles.layouts.record import GOLDEN, load
from recurrent_lab.interop import LAYOUTS, export_weights, flat, get_layout, import_weights
from tests import reference

FILES = sorted(GOLDEN.glob("*.json"))
# Operators that run on macOS alone, and that no converter writes from torch. Their order is that of their documentation.
NO_GOLDEN = {"coremltools.mil.rnn", "coremltools.mil.gru"}


def outputs_of(kind, params, xs):
  """The outputs `[T, B, H]` of a NumPy loop in float64."""
  params = type(params)(*(np.asarray(array, np.float64) for array in params))
  cells = get_layout(kind).cells
  loop = reference.CELLS[
    "rnn" if "rnn" in cells else cells[0]
  ]  # the goldens of Elman networks have tanh, where there is a choice
  options = {"heads": params.bias.size // 4 // params.recurrent_kernel.shape[0]} if kind == "xlstm.sLSTMLayer" else {}
  return np.stack([loop(params, xs[:, j].astype(np.float64), **options) for j in range(xs.shape[1])], axis=1)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_weights_compute_what_their_package_computed(path):
  golden = load(path)
  params = import_weights(golden["kind"], golden["arrays"], exact=False)
  expected = outputs_of(golden["kind"], params, golden["xs"])
  np.testing.assert_allclose(golden["outputs"], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_exported_weights_are_the_same_function(path):
  golden = load(path)
  params = import_weights(golden["kind"], golden["arrays"], exact=False)
  exported = flat(export_weights(golden["kind"], params, exact=False))
  assert {name: array.shape for name, array in exported.items()} == {
    name: array.shape for name, array in golden["arrays"].items()
  }
  back = import_weights(golden["kind"], exported, exact=False)
  for field in params._fields:
    np.testing.assert_allclose(getattr(back, field), getattr(params, field), rtol=0, atol=1.2e-7)


def test_every_table_has_been_tried_on_its_package():
  assert {load(path)["kind"] for path in FILES} | NO_GOLDEN == set(LAYOUTS)
