"""A figure is one file: it is found by its folder, and nothing else has to know of it."""

import os
from pathlib import Path
import re
import shutil
import subprocess
import sys

from analysis import listing, study
from tests.made_up import SMALL, make_up

ROOT = Path(__file__).parents[2]
DRAW = """
import sys
from analysis import figure, study
(new,) = (spec for spec in study.figures("paper") if spec.name == "growth_by_bias")
sys.exit(figure.main(new))
"""


def test_every_figure_is_named_as_its_file_and_has_a_place_of_its_own():
  for one in study.studies():
    figures = study.figures(one.name)
    files = [
      name for name in listing.modules(one.name) if "FIGURE = " in (listing.HERE / one.name / f"{name}.py").read_text()
    ]
    assert sorted(spec.name for spec in figures) == files
    assert len({spec.order for spec in figures}) == len(figures)
    assert not [spec.name for spec in figures if set(spec.reads) & set(spec.overlays)]
  assert [one.name for one in study.studies()] == [
    "paper",
    "atlas",
    "defaults",
    "training",
    "learning",
    "landmarks",
    "language",
  ]
  assert listing.module_of("forget_bias") == "analysis.paper.forget_bias"
  assert listing.module_of("of_ones_own") is None


def test_a_new_file_is_a_new_figure(tmp_path):
  """The page on adding a figure, done step by step beside a copy of the package."""
  shutil.copytree(ROOT / "analysis", tmp_path / "analysis", ignore=shutil.ignore_patterns("__pycache__"))
  page = (ROOT / "docs" / "adding_a_figure.md").read_text()
  code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
  (tmp_path / "analysis" / "paper" / "growth_by_bias.py").write_text(f'"""Growth rate by bias."""\n{code}')
  make_up("forget_bias", [*SMALL, "--forget_bias=0,1,2", "--ws=1"], tmp_path / "results")
  paths = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}

  flags = [f"--results={tmp_path / 'results'}", f"--out={tmp_path / 'out'}"]
  made = subprocess.run(
    [sys.executable, "-c", DRAW, *flags], capture_output=True, text=True, env=paths, cwd=tmp_path, check=True
  )
  assert made.stdout.split() == [str(tmp_path / "out" / f"growth_by_bias.{kind}") for kind in ("pdf", "png")]
