"""A sweep from Python is the one that flags ask for, and leaves JAX as it was."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sweepkit import plan, runner
from sweepkit.exchange.texts import flag_text
from sweepkit.from_python import sweep
from sweepkit.settings import Setting, number_text, parse_axis
from tests.support import chaos, nets


def asked_for(monkeypatch, failures, **settings):
  """The plan that a sweep hands to the launcher, and JAX's settings while it works."""
  seen = []

  def run(experiment, plan, process):
    seen.append((plan, jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision))
    return failures

  monkeypatch.setattr(runner, "run", run)
  with pytest.raises(RuntimeError, match="2 blocks of chaos failed"):
    sweep(chaos.EXPERIMENT, **settings)
  return seen[0]


def test_settings_are_flags_and_jax_is_left_as_it_was(tmp_path, monkeypatch):
  before = jax.config.jax_default_matmul_precision
  settings = {
    "map": ["sine", "linear"],
    "r": [0.5, -1],
    "steps": "4:8:3",
    "seeds": 2,
    "x64": True,
    "out": tmp_path,
  }
  found, x64, precision = asked_for(monkeypatch, 2, **settings)
  flags = ["--map=sine,linear", "--r=0.5,-1", "--steps=4:8:3", "--seeds=2", "--x64", f"--out={tmp_path}"]
  assert found.points == plan.parse(chaos.EXPERIMENT, flags).points
  assert (x64, precision) == (True, "highest")
  assert (jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision) == (False, before)


def test_what_cannot_be_used_is_one_sentence(tmp_path):
  with pytest.raises(plan.UsageError, match="--r: '2:1:3' is an empty or reversed range"):
    sweep(chaos.EXPERIMENT, r="2:1:3", out=tmp_path)
  with pytest.raises(plan.UsageError, match="Unknown command line flag 'gain'"):
    sweep(chaos.EXPERIMENT, gain=1, out=tmp_path)
  with pytest.raises(
    plan.UsageError, match=r"<module 'tests.support.chaos' from .*> is not an Experiment. Give its EXPERIMENT."
  ):
    sweep(chaos, out=tmp_path)


@pytest.mark.parametrize(
  ("value", "text"),
  [
    (np.arange(0.1, 0.75, 0.1), "0.1:0.7:7"),
    (np.arange(0.1, 0.75, 0.1, dtype=np.float32), "0.1:0.7:7"),
    (jnp.arange(1, 8) * 0.1, "0.1:0.7:7"),
    ([0.1 * i for i in range(-3, 4)], "-0.3:0.3:7"),
    (np.arange(-0.3, 0.35, 0.1), "-0.3:0.3:7"),
    (np.linspace(0, 1, 4), "0:1:4"),
    (np.geomspace(0.1, 10, 12), "0.1:10:log:12"),
    (np.geomspace(1e-14, 1, 15), "1e-14:1:log:15"),
    ([0.1 + 0.2], "0.3"),
    (np.float32(0.3), "0.3"),
    (np.array(0.5), "0.5"),
    ((value for value in (1, 1.0, -0.0, 0)), "1,0"),
    (0.123456789012345, "0.123456789012345"),
  ],
)
def test_values_of_a_program_are_the_decimals_that_were_meant(value, text):
  assert parse_axis("ws", flag_text(value), nets.SETTINGS) == parse_axis("ws", text, nets.SETTINGS)


@pytest.mark.parametrize(
  ("value", "text"),
  [
    (["rnn", "gru"], "rnn,gru"),
    (np.array(["rnn", "gru"]), "rnn,gru"),
    ("0.5:6:12", "0.5:6:12"),
    (np.arange(4, 7), "4,5,6"),
    (True, "True"),
    (np.nan, "nan"),
    (10**20, "1" + 20 * "0"),
  ],
)
def test_other_settings_of_a_program_are_their_texts(value, text):
  assert flag_text(value) == text


def test_equal_numbers_of_a_setting_that_also_takes_names_are_one_point():
  canonical = lambda text: text if text == "chrono" else number_text(text)
  bias = Setting(str, "0", "a bias or a rule", lambda text: True, "a number or chrono", canonical=canonical)
  values = parse_axis("bias", "1,1.0,+1e0,0,-0,0.50,chrono", {"bias": bias})
  assert values == ("1", "0", "0.5", "chrono")
