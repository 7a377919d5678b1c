"""Made-up results of every experiment for all tests of figures and claims, measured ones for slow tests, and a browser."""

import importlib

import pytest

from analysis import study
from sweepkit import runner
from tests.made_up import SWEEPS, launches, make_up
from tests.support.browser import CHROMIUM, FLAGS


@pytest.fixture(scope="session")
def results(tmp_path_factory):
  folder = tmp_path_factory.mktemp("made_up")
  read = [name for one in study.studies() for spec in study.figures(one.name) for name in spec.inputs]
  for name, chosen in launches(read).items():
    for flags in chosen:
      make_up(name, flags, folder)
  return folder


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
  folder = tmp_path_factory.mktemp("measured")
  for name, chosen in SWEEPS.items():
    for flags in chosen:
      assert runner.main(importlib.import_module(f"experiments.{name}").EXPERIMENT, [*flags, f"--out={folder}"]) == 0
  return folder


@pytest.fixture(scope="module")  # while it runs, so does an event loop
def browser():
  """Chromium, for pages that are opened as a reader would."""
  if CHROMIUM is None:
    pytest.skip("no Chromium on the path")
  sync_api = pytest.importorskip("playwright.sync_api", reason='playwright is not installed: pip install ".[browser]"')
  with sync_api.sync_playwright() as playwright:
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield chromium
    chromium.close()
