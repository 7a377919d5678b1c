"""The user's Matplotlib settings change no figure, and a figure changes none of them."""

import os
from pathlib import Path
import subprocess
import sys

import matplotlib as mpl
import pytest

from analysis import figure
from analysis.paper import tanh_slope

HOSTILE = "text.usetex: True\naxes.facecolor: yellow\nfont.size: 30\nsavefig.bbox: tight\nbackend: TkAgg\n"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
  """The bytes of a figure by the name of its file."""
  folder = tmp_path_factory.mktemp("plain")
  return {path.name: path.read_bytes() for path in figure.draw(tanh_slope.FIGURE, folder, folder)}


def test_settings_of_the_process_change_no_byte_and_stay(plain, tmp_path):
  with mpl.rc_context({"axes.facecolor": "yellow", "text.usetex": True, "lines.linewidth": 9, "savefig.bbox": "tight"}):
    before = dict(mpl.rcParams)
    drawn = figure.draw(tanh_slope.FIGURE, tmp_path, tmp_path)
    assert dict(mpl.rcParams) == before
  assert {path.name: path.read_bytes() for path in drawn} == plain


@pytest.mark.parametrize(
  "backend",
  [
    "none_such",
    pytest.param("module://matplotlib_inline.backend_inline", marks=pytest.mark.exhaustive),
    pytest.param("tkagg", marks=pytest.mark.exhaustive),
  ],
)
def test_matplotlibrc_and_backend_change_no_byte(backend, plain, tmp_path):
  (tmp_path / "matplotlibrc").write_text(HOSTILE)
  command = [
    sys.executable,
    "-m",
    "analysis.paper.tanh_slope",
    f"--results={tmp_path}",
    f"--out={tmp_path / 'changed'}",
  ]
  hostile = os.environ | {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "MPLBACKEND": backend}
  made = subprocess.run(command, capture_output=True, text=True, env=hostile, check=True)
  assert made.stderr == ""
  assert {path: Path(path).read_bytes() for path in made.stdout.split()} == {
    str(tmp_path / "changed" / name): content for name, content in plain.items()
  }
