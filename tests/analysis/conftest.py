"""Small results of every experiment, computed once for all tests of figures."""

import importlib

import pytest

from experiments import runner

SMALL = ["--hidden_size=4", "--input_size=2", "--seq_len=12", "--seeds=3"]


@pytest.fixture(scope="session")
def results(tmp_path_factory):
  folder = tmp_path_factory.mktemp("results")
  for name, flags in {
    "recurrent_gain": ["--ws=0.5,1,4"],
    "tanh_saturation": ["--input_scale=0.1,1"],
    "forget_bias": ["--forget_bias=0,1,2,4", "--ws=0,1"],
    "zero_or_one": ["--forget_bias=0,2", "--input_scale=0.1,1"],
    "mean_field": ["--ws=0.5,1", "--cells=rnn,gru,rnn_relu"],
    "lyapunov": ["--ws=0.5,1,4", "--seq_len=40", "--cells=rnn,lstm"],
    "phase_gates": ["--ws=0.5,1,4", "--forget_bias=0,2"],
    "phase_input": ["--ws=0.5,1,4", "--input_scale=0,1"],
    "activation_choice": ["--ws=0.5,1", "--cells=rnn,rnn_relu"],
    "transient_growth": [],
    "one_unit": ["--hidden_size=1", "--ws=-2,-0.5,0.5,2", "--bias=0,0.5"],
    "identities": ["--cells=rnn,peephole_lstm"],
  }.items():
    experiment = importlib.import_module(f"experiments.{name}").EXPERIMENT
    assert runner.main(experiment, [*SMALL, *flags, f"--out={folder}"]) == 0
  return folder
