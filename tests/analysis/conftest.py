"""Small made-up results of every experiment, once for all tests of figures and claims, and small measured ones for slow tests."""

import importlib

import pytest

from analysis import study
from sweepkit import runner
from tests.made_up import SWEEPS, launches, make_up


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
