"""A sweep from Python is the one that flags ask for, and leaves JAX as it was."""

import jax
import pytest

from experiments import plan, recurrent_gain, runner
from experiments.sweep import sweep


def asked_for(monkeypatch, failures, **settings):
  """The plan that a sweep hands to the launcher, and JAX's settings while it works."""
  seen = []

  def run(experiment, plan, process):
    seen.append((plan, jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision))
    return failures

  monkeypatch.setattr(runner, "run", run)
  with pytest.raises(RuntimeError, match="2 blocks of recurrent_gain failed"):
    sweep(recurrent_gain.EXPERIMENT, **settings)
  return seen[0]


def test_settings_are_flags_and_jax_is_left_as_it_was(tmp_path, monkeypatch):
  before = jax.config.jax_default_matmul_precision
  settings = {
    "cells": ["rnn", "gru"],
    "ws": [0.5, -1],
    "input_scale": "0:1:3",
    "seeds": 2,
    "x64": True,
    "out": tmp_path,
  }
  found, x64, precision = asked_for(monkeypatch, 2, **settings)
  flags = ["--cells=rnn,gru", "--ws=0.5,-1", "--input_scale=0:1:3", "--seeds=2", "--x64", f"--out={tmp_path}"]
  assert found.points == plan.parse(recurrent_gain.EXPERIMENT, flags).points
  assert (x64, precision) == (True, "highest")
  assert (jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision) == (False, before)


def test_what_cannot_be_used_is_one_sentence(tmp_path):
  with pytest.raises(plan.UsageError, match="--ws: '2:1:3' is an empty or reversed range"):
    sweep(recurrent_gain.EXPERIMENT, ws="2:1:3", out=tmp_path)
  with pytest.raises(plan.UsageError, match="Unknown command line flag 'gain'"):
    sweep(recurrent_gain.EXPERIMENT, gain=1, out=tmp_path)
