"""The plainest ONNX model with a recurrent node, and the check that a damaged one is refused."""

import pytest

from oracles.onnx.by_hand import CASES, drawn, model
from recurrent_lab.interop import from_onnx

PLAIN = CASES["LSTM"]


def plain(**attributes):
  return model(PLAIN, drawn(PLAIN), **attributes)


def refused(content, sentence, tmp_path, **options):
  path = tmp_path / "model.onnx"
  path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
  with pytest.raises(ValueError, match=sentence) as error:
    from_onnx(path, **options)
  assert "\n" not in str(error.value)
