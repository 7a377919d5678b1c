"""Small made-up results of every experiment, once for all tests of figures and claims, and small measured ones for slow tests."""

import importlib

import pytest

from sweepkit import runner
from tests.made_up import LAUNCHES, SWEEPS, make_up


@pytest.fixture(scope="session")
def results(tmp_path_factory):
  folder = tmp_path_factory.mktemp("made_up")
  for name, launches in LAUNCHES.items():
    for flags in launches:
      make_up(name, flags, folder)
  return folder


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
  folder = tmp_path_factory.mktemp("measured")
  for name, launches in SWEEPS.items():
    for flags in launches:
      assert runner.main(importlib.import_module(f"experiments.{name}").EXPERIMENT, [*flags, f"--out={folder}"]) == 0
  return folder
