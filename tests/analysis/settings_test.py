"""The user's Matplotlib settings change no figure, and a figure changes none of them."""

import os
import subprocess
import sys

import matplotlib as mpl
import pytest

from analysis import figure, tanh_slope

HOSTILE = "text.usetex: True\naxes.facecolor: yellow\nfont.size: 30\nsavefig.bbox: tight\nbackend: TkAgg\n"


def test_settings_of_the_process_change_no_byte_and_stay(tmp_path):
  plain = figure.draw(tanh_slope.PLOT, tmp_path, tmp_path / "plain")
  with mpl.rc_context({"axes.facecolor": "yellow", "text.usetex": True, "lines.linewidth": 9, "savefig.bbox": "tight"}):
    before = dict(mpl.rcParams)
    drawn = figure.draw(tanh_slope.PLOT, tmp_path, tmp_path / "changed")
    assert dict(mpl.rcParams) == before
  assert [path.read_bytes() for path in drawn] == [path.read_bytes() for path in plain]


slow = pytest.mark.slow


@pytest.mark.parametrize(
  "backend",
  [
    "none_such",
    pytest.param("module://matplotlib_inline.backend_inline", marks=slow),
    pytest.param("tkagg", marks=slow),
  ],
)
def test_matplotlibrc_and_backend_change_no_byte(backend, tmp_path):
  plain = figure.draw(tanh_slope.PLOT, tmp_path, tmp_path / "plain")
  (tmp_path / "matplotlibrc").write_text(HOSTILE)
  command = [sys.executable, "-m", "analysis.tanh_slope", f"--results={tmp_path}", f"--out={tmp_path / 'changed'}"]
  hostile = os.environ | {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "MPLBACKEND": backend}
  made = subprocess.run(command, capture_output=True, text=True, env=hostile, check=True)
  assert made.stderr == ""
  assert [(tmp_path / "changed" / path.name).read_bytes() for path in plain] == [path.read_bytes() for path in plain]
