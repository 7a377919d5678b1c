"""The BPTT benchmark measures a tiny shape from the command line, and its contenders compute the same loss."""

import importlib
import json
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import bptt, command, problem, timing

TINY = problem.Shape(batch=3, steps=5, inputs=2, hidden=4)
PEERS = {"flax_linen": "flax", "flax_nnx": "flax", "haiku": "haiku", "equinox": "equinox", "torch": "torch"}


@pytest.mark.filterwarnings("ignore")  # other libraries may warn
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "lstm_stack"])
@pytest.mark.parametrize("module", [*PEERS, "lab"])
def test_a_peer_computes_what_numpy_computes(module, cell):
  if module in PEERS:
    pytest.importorskip(PEERS[module], reason=f"{PEERS[module]} is not installed; make bench installs it")
  if cell == "rnn" and module in ("haiku", "equinox"):
    assert not [c for c in bptt.contenders(cell, TINY) if c.name == module]
    return
  prepared = importlib.import_module(f"benchmarks.peers.{module}").make(cell, TINY)
  facts = prepared.facts(prepared.run())
  assert facts["flops"] == problem.flops(cell, TINY)
  gates = sum(problem.GATES[layer] for layer in problem.LAYERS[cell])
  spare = gates * TINY.hidden if module == "torch" else 0  # a second bias
  inner = TINY.hidden if cell == "gru" else 0  # the bias in the reset product
  has_inner = module not in ("torch", "flax_nnx", "haiku")
  assert facts["parameters"] == problem.parameters(cell, TINY) + spare - (0 if has_inner else inner)
  if (module, cell) == ("haiku", "gru"):
    assert "check" not in facts
  else:
    np.testing.assert_allclose(facts["check"]["loss"], loss_in_numpy(cell), rtol=1e-5)


def loss_in_numpy(cell):
  """The mean square of the outputs, by a loop over time in float64."""
  outputs = None
  for i, (layer, sizes) in enumerate(problem.layers(cell, TINY)):
    p = problem.Problem(*(np.asarray(array, np.float64) for array in problem.problem(layer, sizes, seed=i)))
    outputs = outputs_in_numpy(layer, p, p.xs if outputs is None else outputs)
  return np.mean(np.square(outputs))


def outputs_in_numpy(cell, p, xs):
  """The outputs of one layer."""
  h = c = np.zeros((TINY.batch, TINY.hidden))
  sigmoid = lambda a: 1 / (1 + np.exp(-a))
  outputs = []
  for x in xs:
    a = np.split(x @ p.input_kernel + p.bias, problem.GATES[cell], -1)
    u = np.split(h @ p.recurrent_kernel, problem.GATES[cell], -1)
    if cell == "rnn":
      h = np.tanh(a[0] + u[0])
    elif cell == "lstm":
      i, f, g, o = (left + right for left, right in zip(a, u, strict=True))
      c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
      h = sigmoid(o) * np.tanh(c)
    else:
      r, z = sigmoid(a[0] + u[0]), sigmoid(a[1] + u[1])
      h = (1 - z) * np.tanh(a[2] + r * (u[2] + p.recurrent_bias)) + z * h
    outputs.append(h)
  return outputs


def test_a_layer_more_needs_more_work():
  """h U and x W of both layers forward; the gradients of both kernels, of h, and of the lower outputs backward."""
  steps = TINY.batch * TINY.steps * 4 * TINY.hidden
  lower, upper = 2 * TINY.inputs + 3 * TINY.hidden, 6 * TINY.hidden
  assert problem.flops("lstm", TINY) == 2 * steps * lower
  assert problem.flops("lstm_stack", TINY) == 2 * steps * (lower + upper)


def test_peers_do_not_run_with_the_flags_of_the_lab():
  code = "import benchmarks.peers.on_jax, sys; print('recurrent_lab' in sys.modules)"
  assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.slow
def test_the_command_measures_a_tiny_shape(tmp_path, capsys):
  flags = ["--cells=gru", "--shapes=3x5x2x4", "--contenders=lab,plain scan", "--rounds=3", f"--out={tmp_path}"]
  assert bptt.main(flags) == 0
  path = tmp_path / f"bptt-gru-3x5x2x4-jax{jax.__version__}.json"
  assert capsys.readouterr().out.split() == [str(path)]
  result = json.loads(path.read_text())
  assert result["settings"] == {"cell": "gru", "batch": 3, "steps": 5, "inputs": 2, "hidden": 4}
  assert list(result["contenders"]) == ["lab", "plain scan", "large product", "large copy"]
  for timed in result["contenders"].values():
    runs = np.concatenate(timed["rounds"])
    assert len(timed["rounds"]) == 3
    assert np.all(runs > 0)
    assert timed["low"] <= timed["median"] <= timed["high"]
    assert np.isclose(timed["median"], np.median(runs), rtol=1e-5)
    assert timed["peak_bytes"] > 2**24
  checks = [result["contenders"][name]["facts"]["check"] for name in ("lab", "plain scan")]
  assert np.isclose(checks[0]["loss"], checks[1]["loss"], rtol=1e-5)
  assert result["machine"]["cores"] >= 1


@pytest.mark.parametrize(
  ("flag", "sentence"),
  [
    ("--shapes=5", "--shapes has '5'; it must be 0 to 4, or batch x steps x inputs x hidden."),
    ("--shapes=3x0x2x4", "--shapes has '3x0x2x4'"),
    ("--cells=", "--cells is empty"),
    ("--cells=elman", "--cells has 'elman'; it must be any of rnn, lstm, gru, lstm_stack."),
    ("--contenders=theano", "--contenders has 'theano'; the contenders of lstm-32x100x64x128-jax"),
    ("--rounds=0", "rounds"),
    ("lab", "'lab' is not a flag"),
  ],
)
def test_a_flag_that_cannot_be_used_stops_before_any_work(tmp_path, capsys, flag, sentence):
  assert bptt.main([f"--out={tmp_path}", flag]) == 2
  error = capsys.readouterr().err
  assert sentence in error
  assert error.startswith("bptt: ")
  assert not list(tmp_path.iterdir())


def test_help_is_printed_and_nothing_is_measured(tmp_path, capsys):
  with pytest.raises(SystemExit) as ended:
    bptt.main(["--help", f"--out={tmp_path}"])
  assert ended.value.code == 0
  assert "--shapes" in capsys.readouterr().out
  assert not list(tmp_path.iterdir())


def test_contenders_that_compute_something_else_are_refused():
  case = bptt.case("lstm", TINY)
  told = lambda loss: {"facts": {"check": {"loss": loss}}}
  command.check(case, {"lab": told(1.0), "torch": told(1.0005), "haiku": {"facts": {}}, "equinox": {"skipped": "why"}})
  with pytest.raises(timing.BenchmarkError, match=r"lstm-3x5x2x4.*: loss is 1.1 by torch, but 1 by lab"):
    command.check(case, {"lab": told(1.0), "torch": told(1.1)})


def test_a_contender_whose_library_is_missing_is_left_out_and_one_that_fails_stops_with_its_name():
  absent = timing.Contender("ghost", "benchmarks.peers.ghost:make", {}, "jax", needs=("no_such_library",))
  assert timing.measure([absent], rounds=1) == {"ghost": {"kind": "jax", "skipped": "no_such_library is not installed"}}
  broken = timing.Contender("broken", "benchmarks.limits:product", {"size": -1}, "limit")
  with pytest.raises(timing.BenchmarkError, match=r"broken: .*Error"):
    timing.measure([broken], rounds=1)


def test_the_problem_is_the_same_every_time():
  first, second = (problem.problem("gru", TINY) for _ in range(2))
  assert all(jnp.array_equal(a, b) for a, b in zip(first, second, strict=True))
  assert first.recurrent_kernel.shape == (4, 12)
