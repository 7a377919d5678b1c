"""A study is its own files: an experiment, a figure and a task work when they are added to a copy of the rooms."""

import os
from pathlib import Path
import re
import shutil
import subprocess
import sys

import pytest

from sweepkit import load_results

ROOT = Path(__file__).parents[2]

FIGURE = '''
"""Directions that the states fill, against W_s."""

import sys

from analysis.figure import FigureSpec, main
from analysis.selection import one_cell
from analysis.style import COLUMN, new_figure, plot_band


def numbers(datasets):
  return one_cell(datasets["dimension"], "ws")[["participation_ratio"]]


def draw(datasets):
  data = numbers(datasets).participation_ratio
  figure, axes = new_figure(COLUMN, 2.2)
  plot_band(axes[0, 0], data.ws.values, data.transpose("seed", "ws"), label="RNN")
  axes[0, 0].set(xlabel="W_s", ylabel=f"{data.attrs['long_name']} ({data.attrs['units']})")
  return figure


def finding(shown):
  return f"At most {float(shown.participation_ratio.max()):.1f} directions."


FIGURE = FigureSpec("dimension", ("dimension",), draw, __doc__, numbers, finding)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
'''


def python_blocks(page):
  return re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
  """A copy of the rooms, with the experiment and the task of the guides and a figure."""
  folder = tmp_path_factory.mktemp("checkout")
  for room in ("experiments", "analysis"):
    shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
  (folder / "experiments/dimension.py").write_text(python_blocks("adding_a_sweep.md")[0])
  (folder / "analysis/paper/dimension.py").write_text(FIGURE.lstrip())
  task, study, _ = python_blocks("adding_a_task.md")
  (folder / "experiments/running_maximum.py").write_text(task + study)
  return folder


def run(checkout, *words):
  """The output of a command in the copy."""
  path = os.pathsep.join([str(checkout), str(ROOT)])
  done = subprocess.run(
    [sys.executable, "-m", *words], cwd=checkout, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
  )
  assert done.returncode == 0, done.stderr
  return done.stdout + done.stderr


def test_an_added_study_is_listed_run_and_drawn(checkout):
  listed = run(checkout, "experiments", "--list")
  (line,) = (line for line in listed.splitlines() if line.startswith("dimension "))
  assert re.search(r"dimension +32 points, T = 200, H = 64 +10 s +How many directions do the states", line), line
  assert re.search(r"^running_maximum .* 1 min +Which cells learn the maximum", listed, re.MULTILINE)

  said = run(checkout, "experiments.dimension", "--hidden_size=4", "--seq_len=12", "--ws=0.5,2", "--seeds=2")
  assert "python -m analysis.paper.dimension" in said

  data = load_results(checkout / "results/dimension").participation_ratio
  assert data.attrs == {"long_name": "participation ratio of the outputs", "units": "1"}
  assert (data.sizes["ws"], data.sizes["seed"]) == (2, 2)

  run(checkout, "analysis.paper.dimension", "--results=results", "--out=figures")
  assert {path.suffix for path in (checkout / "figures").glob("dimension.*")} >= {".pdf", ".png"}
  assert "dimension" in run(checkout, "analysis.paper", "--help")


@pytest.mark.slow
def test_a_study_with_a_task_of_its_own_trains(checkout):
  flags = ("--length=5", "--hidden_size=4", "--batch=4", "--updates=2", "--seeds=1", "--cells=rnn")
  assert "final_score" in run(checkout, "experiments.running_maximum", *flags)
  done = "0 points to compute, 1 already done"
  assert done in run(checkout, "experiments.running_maximum", *flags)
